package config

import (
	"errors"
	"io/fs"
	"testing"

	"cairn/store"
)

func TestMail(t *testing.T) {
	c := Open(newBranch())
	if m, err := c.Mail(t.Context()); err != nil || m.QuotaOf("alice") != 0 {
		t.Errorf("nothing said: got %v, %v", m, err)
	}
	must(t, c.EditMail(t.Context(), by, "Set up mail", func(m *Mail) error {
		m.Host, m.Quota, m.Quotas = "mail.example.org", 10e9, map[string]Size{"alice": 3 << 29}
		m.Smarthost, m.DNSBL = "smtps://alice@relay.example", []string{"zen.example"}
		return nil
	}))
	m, err := c.Mail(t.Context())
	must(t, err)
	if m.Host != "mail.example.org" || m.QuotaOf("alice") != 3<<29 || m.QuotaOf("bob") != 10e9 {
		t.Errorf("got %+v", m)
	}
	for name, spoil := range map[string]func(*Mail){
		"host":       func(m *Mail) { m.Host = "Mail Host" },
		"postmaster": func(m *Mail) { m.Postmaster = "a b" },
		"quotas":     func(m *Mail) { m.Quotas["A"] = 1 },
		"sealed":     func(m *Mail) { m.Sealed = []string{"a b"} },
		"dnsbl":      func(m *Mail) { m.DNSBL = append(m.DNSBL, "") },
		"password":   func(m *Mail) { m.Smarthost = "smtps://u:secret@relay.example" },
		"scheme":     func(m *Mail) { m.Smarthost = "https://relay.example" },
		"path":       func(m *Mail) { m.Smarthost = "smtp://relay.example/x" },
	} {
		if err := c.EditMail(t.Context(), by, "Spoil", func(m *Mail) error { spoil(m); return nil }); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	checkTree(t, c)
}

func TestDomains(t *testing.T) {
	c := Open(newBranch())
	must(t, c.AddDomain(t.Context(), by, Domain{Name: "example.org", CatchAll: "alice", DKIM: []string{"c1a", "c1b"}}))
	must(t, c.AddDomain(t.Context(), by, Domain{Name: "club.example", Aliases: map[string][]string{"info": {"alice", "bob@elsewhere.example"}}}))
	if err := c.AddDomain(t.Context(), by, Domain{Name: "example.org"}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("added again: got %v", err)
	}
	must(t, c.EditDomain(t.Context(), by, "example.org", "Publish a policy", func(d *Domain) error { d.MTASTS, d.MTASTSID = "testing", "1"; return nil }))
	list, err := c.Domains(t.Context())
	must(t, err)
	if len(list) != 2 || list[0].Name != "club.example" || list[1].MTASTS != "testing" || len(list[0].Aliases["info"]) != 2 {
		t.Errorf("got %+v", list)
	}
	if d, err := c.Domain(t.Context(), "example.org"); err != nil || d.CatchAll != "alice" {
		t.Errorf("got %v, %v", d, err)
	}
	if got := c.AddressesOf(t.Context(), "info"); len(got) != 1 || got[0] != "info@example.org" {
		t.Errorf("info has %q", got)
	}
	if _, err := c.Domain(t.Context(), "example.com"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: got %v", err)
	}
	for _, bad := range []Domain{
		{Name: "localhost"},
		{Name: "Example.net"},
		{Name: "a.example", CatchAll: "x@y"},
		{Name: "a.example", Aliases: map[string][]string{"Info": {"alice"}}},
		{Name: "a.example", Aliases: map[string][]string{"a+b": {"alice"}}},
		{Name: "a.example", Aliases: map[string][]string{"info": nil}},
		{Name: "a.example", Aliases: map[string][]string{"info": {"a b@c.example"}}},
		{Name: "a.example", DKIM: []string{"a b"}},
		{Name: "a.example", MTASTS: "on"},
		{Name: "a.example", MTASTSID: "2026-11-21"},
	} {
		if err := c.AddDomain(t.Context(), by, bad); err == nil {
			t.Errorf("%+v was added", bad)
		}
	}
	checkTree(t, c)
	must(t, c.RemoveDomain(t.Context(), by, "club.example"))
	if err := c.RemoveDomain(t.Context(), by, "club.example"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed again: got %v", err)
	}
}

// TestMailSpoilt: what came past Check spoils itself and nothing else.
func TestMailSpoilt(t *testing.T) {
	b := newBranch()
	c := Open(b)
	must(t, c.AddDomain(t.Context(), by, Domain{Name: "example.org"}))
	for path, text := range map[string]string{"domains/bad.example.toml": "catch_all = 7", "mail.toml": "quota = 'much'"} {
		must(t, b.Update(t.Context(), store.Change{Author: by, Message: "spoil"}, func(tx *store.Tx) error { return tx.Put(path, []byte(text)) }))
		tree, err := b.Tree(t.Context())
		must(t, err)
		if Check(tree) == nil {
			t.Errorf("%s: pushed", path)
		}
	}
	if _, err := c.Domain(t.Context(), "bad.example"); !errors.Is(err, ErrRecord) {
		t.Errorf("domain: got %v", err)
	}
	if list, err := c.Domains(t.Context()); !errors.Is(err, ErrRecord) || len(list) != 1 {
		t.Errorf("domains: got %v, %v", list, err)
	}
	if _, err := c.Mail(t.Context()); !errors.Is(err, ErrRecord) {
		t.Errorf("mail: got %v", err)
	}
	if _, err := c.Domain(t.Context(), "example.org"); err != nil {
		t.Error(err)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "4096": 4096, "10GB": 10e9, "1.5 GiB": 3 << 29, "500MB": 500e6, "7kB": 7000, "3B": 3} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: got %d, %v", text, s, err)
		}
		var again Size
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Errorf("%q: written as %q and read as %d", text, s, again)
		}
	}
	for _, bad := range []string{"", "much", "-1", "1e30GB", "NaN", "5 X"} {
		if err := new(Size).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func checkTree(t *testing.T, c *Config) {
	t.Helper()
	tree, err := c.branch.Tree(t.Context())
	must(t, err)
	must(t, Check(tree))
}
