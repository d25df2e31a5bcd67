package accounts

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/mem"
)

// TestGranted: a user has the addresses that others give by the name, as long as no record claims them.
func TestGranted(t *testing.T) {
	b := store.New(mem.New(), store.Options{}).Branch("accounts")
	for name, text := range map[string]string{
		"alice": `addresses = ["alice@example.net"]`,
		"bob":   `addresses = ["carol@example.org"]`,
		"carol": ``,
	} {
		err := b.Update(t.Context(), store.Change{Message: "Add\n"}, func(tx *store.Tx) error { return tx.Put("users/"+name+".toml", []byte(text)) })
		if err != nil {
			t.Fatal(err)
		}
	}
	a := New(b)
	a.Granted = func(_ context.Context, name string) []string { return []string{name + "@example.org"} }
	for who, want := range map[string]string{
		"alice": "alice", "alice@example.net": "alice", "Alice@Example.org": "alice", "carol@example.org": "bob", "carol": "carol",
		"alice@example.com": "", "nobody@example.org": "",
	} {
		u, err := a.Find(t.Context(), who)
		switch {
		case want == "" && !errors.Is(err, fs.ErrNotExist), want != "" && (err != nil || u.Name != want):
			t.Errorf("%s: got %v, %v, want %q", who, u, err, want)
		}
	}
	for who, want := range map[string][]string{"alice": {"alice@example.net", "alice@example.org"}, "carol": nil} {
		if u, err := a.User(t.Context(), who); err != nil || !slices.Equal(u.Addresses, want) {
			t.Errorf("%s: got %+v, %v, want %q", who, u, err, want)
		}
	}
	password, err := a.NewAppPassword(t.Context(), by, "alice", "phone")
	if err != nil {
		t.Fatal(err)
	}
	u, err := a.Authenticate(t.Context(), "alice@example.org", password, netip.MustParseAddr("192.0.2.1"))
	if err != nil || len(u.Addresses) != 2 {
		t.Errorf("log-in by a granted address: %+v, %v", u, err)
	}
	tree, err := b.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text, err := tree.ReadFile("users/alice.toml"); err != nil || strings.Contains(string(text), "alice@example.org") {
		t.Errorf("what is granted stands in the record: %v\n%s", err, text)
	}
}
