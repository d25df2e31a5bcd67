package git

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/store"
	"cairn/store/gitwire"
)

// The table of doc/decisions/rights.md is the specification: each cell is tried.
func TestRightsTable(t *testing.T) {
	text, err := os.ReadFile("../../doc/decisions/rights.md")
	must(t, err)
	k := newKit(t)
	must(t, k.Config.AddSite(t.Context(), root, config.Site{Name: "public", Owner: "alice", Readers: []string{config.Everyone}}))
	must(t, k.Config.AddSite(t.Context(), root, config.Site{Name: "former", Owner: "alice"}))
	for _, branch := range []string{"config", "accounts", "secrets", "queue", "dav/alice", "mail/alice", "lists/club", "archive/club", "site/www/main", "site/public/main", "site/former/main"} {
		err := k.Repo.Branch(branch).Update(t.Context(), store.Change{Author: root, Message: "x\n"}, func(tx *store.Tx) error {
			if _, err := tx.Lookup("users"); err == nil || branch == "config" {
				return nil
			}
			return tx.Put("file", []byte(branch))
		})
		must(t, err)
	}
	must(t, k.Config.RemoveSite(t.Context(), root, "former"))

	rows := 0
	columns := []string{"", "carol", "bob", "alice", "root"} // anonymous, somebody, reader, owner or writer, administrator
	cell := regexp.MustCompile("^`/([a-z/]*)`")
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		m := cell.FindStringSubmatch(strings.TrimSpace(cells[0]))
		if m == nil {
			continue
		}
		rows++
		if len(cells) != len(columns)+1 {
			t.Fatalf("%q has %d cells, want %d", line, len(cells), len(columns)+1)
		}
		for i, user := range columns {
			want := strings.TrimSpace(cells[i+1])
			if got := k.may(t, user, m[1]); got != want {
				t.Errorf("%q at /%s: may %q, the table says %q", user, m[1], got, want)
			}
		}
	}
	if rows < 10 {
		t.Errorf("%d rows were found in the table", rows)
	}
}

// may says what the views let a user do, in the table's words.
func (k *kit) may(t *testing.T, user, path string) string {
	t.Helper()
	var u *accounts.User
	if user != "" {
		var err error
		if u, err = k.Accounts.User(t.Context(), user); err != nil {
			t.Fatal(err)
		}
	}
	_, fetch := k.open(t.Context(), u, path, false)
	view, push := k.open(t.Context(), u, path, true)
	switch {
	case fetch == nil && push == nil:
		return "push"
	case fetch == nil && user == "" && errors.Is(push, gitwire.ErrUnauthorized), fetch == nil && errors.Is(push, fs.ErrPermission):
		return "fetch"
	case push == nil && len(mustRefs(t, view)) == 0:
		return "make"
	case user == "" && errors.Is(fetch, gitwire.ErrUnauthorized) && errors.Is(push, gitwire.ErrUnauthorized):
		return "–"
	case user != "" && errors.Is(fetch, fs.ErrNotExist) && errors.Is(push, fs.ErrNotExist):
		return "–"
	default:
		t.Errorf("%q at /%s: fetch %v, push %v", user, path, fetch, push)
		return "?"
	}
}

func mustRefs(t *testing.T, v *gitwire.View) []store.Ref {
	t.Helper()
	refs, err := v.Refs(t.Context())
	must(t, err)
	return refs
}
