package mail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cairn/services/config"
	"cairn/store/object"
)

func TestRoute(t *testing.T) {
	h := open(t)
	for _, c := range []struct{ address, want string }{
		{"alice@example.org", "alice"},
		{"ALICE@Example.ORG", "alice"},
		{"alice@example.org.", "alice"},
		{"alice@localhost", "alice"},
		{"alice", "alice"},
		{"alice+shop@example.org", "alice+shop"},
		{"alice+a+b@example.org", "alice+a+b"},
		{"lis@example.org", "alice"},
		{"lis+x@example.org", "alice+x"},
		{"x+y@example.org", "alice"},
		{"lis@example.net", "carol"}, // the catch-all
		{"alice@gone.example", "elsewhere"},
		{"info@example.org", "alice bob"},
		{"Info+x@example.org", "alice+x bob+x"},
		{"away@example.org", "carol@elsewhere.example"},
		{"both@example.org", "bob alice carol@elsewhere.example"},
		{"carol@example.org", "bob"},
		{"carol@example.net", "carol"},
		{"ring@example.org", "unknown"},
		{"broken@example.org", "unknown"},
		{"partly@example.org", "bob"},
		{"dürer@example.org", "bob"},
		{"DÜRER@example.org", "bob"},
		{"du\u0308rer@example.org", "bob"},
		{"srsmith@example.net", "carol"},
		{"alice@foo_bar.example", "elsewhere"},
		{"alice@ab--cd.example", "elsewhere"},
		{"alice@exa_mple.org", "elsewhere"},
		{"alice@ex\uff41mple.org", "alice"},
		{"alice@example\u3002org", "alice"},
		{"alice@exam ple.org", "unknown"},
		{"postmaster@example.org", "alice"},
		{"Postmaster", "alice"},
		{"abuse@example.net", "alice"},
		{"abuse", "unknown"},
		{"anything+x@example.net", "carol"},
		{"nobody@example.org", "unknown"},
		{"nobody@localhost", "unknown"},
		{"nobody", "unknown"},
		{"", "unknown"},
		{"@example.org", "unknown"},
		{"alice@", "unknown"},
		{"+x@example.org", "unknown"},
		{"alice@elsewhere.example", "elsewhere"},
		{"alice@sub.example.org", "elsewhere"},
		{"alice@[192.0.2.1]", "elsewhere"},
		{`"alice"@example.org`, "alice"},
		{`"alice@elsewhere.example"@example.org`, "unknown"},
		{`"lis@example.org"@example.org`, "unknown"},
		{strings.Repeat("a", 300) + "@example.org", "unknown"},
	} {
		route, err := h.Route(context.Background(), c.address)
		var unknown *UnknownError
		var elsewhere *NotLocalError
		var got []string
		switch {
		case errors.As(err, &unknown):
			got = []string{"unknown"}
		case errors.As(err, &elsewhere):
			got = []string{"elsewhere"}
		case err != nil:
			got = []string{err.Error()}
		}
		for _, u := range route.Users {
			got = append(got, strings.TrimSuffix(u.User+"+"+u.Detail, "+"))
		}
		got = append(got, route.Forward...)
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q: got %s, want %s", c.address, s, c.want)
		}
	}
}

// TestAliasChain leads from alias to alias, up to the bound and beyond.
func TestAliasChain(t *testing.T) {
	h := open(t)
	ctx := context.Background()
	check(t, h.Config.EditDomain(ctx, object.Signature{}, "example.org", "Add aliases", func(d *config.Domain) error {
		for i := range 12 {
			d.Aliases[fmt.Sprint("a", i)] = []string{fmt.Sprintf("a%d@example.org", i+1)}
		}
		d.Aliases["a12"] = []string{"bob"}
		return nil
	}))
	if r, err := h.Route(ctx, "a4@example.org"); err != nil || len(r.Users) != 1 || r.Users[0].User != "bob" {
		t.Errorf("a4: got %v, %v; want bob", r, err)
	}
	if r, err := h.Route(ctx, "a1@example.org"); err == nil {
		t.Errorf("a1: got %v, want an error", r)
	}
}

// TestWideAlias leads to more receivers than an address may have.
func TestWideAlias(t *testing.T) {
	h := open(t)
	ctx := context.Background()
	check(t, h.Config.EditDomain(ctx, object.Signature{}, "example.org", "Add aliases", func(d *config.Domain) error {
		for i := range 18 {
			for j := range 60 {
				d.Aliases[fmt.Sprint("w", i)] = append(d.Aliases[fmt.Sprint("w", i)], fmt.Sprintf("u%d-%d@elsewhere.example", i, j))
			}
			d.Aliases["wide"] = append(d.Aliases["wide"], fmt.Sprintf("w%d@example.org", i))
		}
		return nil
	}))
	if r, err := h.Route(ctx, "w1@example.org"); err != nil || len(r.Forward) != 60 {
		t.Errorf("w1: got %d receivers, %v; want 60", len(r.Forward), err)
	}
	if _, err := h.Route(ctx, "wide@example.org"); err == nil {
		t.Error("wide: got nil, want an error")
	}
}

func TestOwns(t *testing.T) {
	h := open(t)
	for _, c := range []struct{ user, addresses string }{
		{"alice", "alice@example.org alice+x@example.org lis@example.org info@example.org both@example.org alice alice@example.net"},
		{"bob", "info@example.org both@example.org carol@example.org bob@localhost"},
		{"carol", "carol@example.net whatever@example.net"},
	} {
		u, err := h.Accounts.User(context.Background(), c.user)
		check(t, err)
		for _, a := range []string{
			"alice@example.org", "alice+x@example.org", "lis@example.org", "info@example.org", "both@example.org", "carol@example.org", "away@example.org",
			"bob@localhost", "alice", "alice@example.net", "carol@example.net", "whatever@example.net", "alice@gone.example", "nobody@example.org", "x@elsewhere.example",
		} {
			got, err := h.Owns(context.Background(), u, a)
			check(t, err)
			if want := slices.Contains(strings.Fields(c.addresses), a); got != want {
				t.Errorf("%s owns %s: got %v, want %v", c.user, a, got, want)
			}
		}
	}
}

func TestLoginName(t *testing.T) {
	h := open(t)
	for address, want := range map[string]string{
		"alice@example.org": "alice", "LIS@example.org": "alice", "info@example.org": "info@example.org", "away@example.org": "away@example.org",
		"both@example.org": "both@example.org", "alice@elsewhere.example": "alice@elsewhere.example",
	} {
		if got := h.LoginName(context.Background(), address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

func FuzzRoute(f *testing.F) {
	for _, s := range []string{"alice@example.org", "ring@example.org", "SRS0=AAAA=AA=x=y@example.org", "a@[::1]", `"a b"@example.org`, "alice+@example.net"} {
		f.Add(s)
	}
	h := open(f)
	f.Fuzz(func(t *testing.T, address string) {
		route, err := h.Route(context.Background(), address)
		if err == nil && len(route.Users)+len(route.Forward) == 0 {
			t.Errorf("%q leads nowhere, and there is no error", address)
		}
	})
}
