package config

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

var by = object.Signature{Name: "Root", Email: "root@localhost"}

func newBranch() *store.Branch { return store.New(mem.New(), store.Options{}).Branch("config") }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write puts files on the branch as somebody with an editor would.
func write(t testing.TB, b *store.Branch, files map[string]string) {
	t.Helper()
	must(t, b.Update(t.Context(), store.Change{Author: by, Message: "by hand\n"}, func(tx *store.Tx) error {
		for name, text := range files {
			if err := tx.Put(name, []byte(text)); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestNothingYet(t *testing.T) {
	c := Open(newBranch())
	if sites, err := c.Sites(t.Context()); len(sites) != 0 || err != nil {
		t.Errorf("got %v, %v, want none", sites, err)
	}
	if _, err := c.Site(t.Context(), "www"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	if err := c.RemoveSite(t.Context(), by, "www"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

func TestSites(t *testing.T) {
	b := newBranch()
	c := Open(b)
	must(t, c.AddSite(t.Context(), by, Site{Name: "www", Owner: "alice", Hosts: []string{"www.example.org"}}))
	if err := c.AddSite(t.Context(), by, Site{Name: "www", Owner: "bob"}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("again: got %v, want fs.ErrExist", err)
	}
	must(t, c.AddSite(t.Context(), by, Site{Name: "club", Owner: "bob"}))
	if err := c.PutSite(t.Context(), by, Site{Name: "club", Owner: "bob", Hosts: []string{"www.example.org"}}); err == nil {
		t.Error("a host that is another site's passes")
	}
	for _, name := range []string{"", "WWW", "config", "a/b", "..", "x\n"} {
		if err := c.AddSite(t.Context(), by, Site{Name: name, Owner: "alice"}); err == nil {
			t.Errorf("a site called %q was made", name)
		}
	}
	sites, err := Open(b).Sites(t.Context())
	if want := []*Site{{Name: "club", Owner: "bob"}, {Name: "www", Owner: "alice", Hosts: []string{"www.example.org"}}}; !reflect.DeepEqual(sites, want) || err != nil {
		t.Errorf("got %+v, %v, want %+v", sites, err, want)
	}
	tree, err := b.Tree(t.Context())
	must(t, err)
	must(t, Check(tree))
	if rev, _ := tree.Commit(); rev.Author.Name != by.Name || rev.Message != "Add site club\n" {
		t.Errorf("the commit is by %s and says %q", rev.Author.Name, rev.Message)
	}
	must(t, c.RemoveSite(t.Context(), by, "www"))
	if _, err := c.Site(t.Context(), "www"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("once removed: got %v, want fs.ErrNotExist", err)
	}
}

func TestFormat(t *testing.T) {
	b := newBranch()
	c := Open(b)
	must(t, c.Init(t.Context(), by))
	must(t, c.Init(t.Context(), by))
	tree, err := b.Tree(t.Context())
	must(t, err)
	if data, err := tree.ReadFile("format"); string(data) != "1\n" || err != nil {
		t.Errorf("got %q, %v, want %q", data, err, "1\n")
	}
	must(t, c.AddSite(t.Context(), by, Site{Name: "www", Owner: "alice"}))
	for _, found := range []string{"2\n", "0\n", "-1\n", "", "one\n", "99999999999999999999\n"} {
		write(t, b, map[string]string{"format": found})
		before, err := b.Tree(t.Context())
		must(t, err)
		_, err1 := c.Site(t.Context(), "www")
		_, err2 := c.Sites(t.Context())
		for what, err := range map[string]error{
			"Site": err1, "Sites": err2,
			"Init":       c.Init(t.Context(), by),
			"AddSite":    c.AddSite(t.Context(), by, Site{Name: "new", Owner: "alice"}),
			"PutSite":    c.PutSite(t.Context(), by, Site{Name: "www", Owner: "bob"}),
			"RemoveSite": c.RemoveSite(t.Context(), by, "www"),
			"Check":      Check(before),
		} {
			var format *FormatError
			if !errors.As(err, &format) {
				t.Errorf("format %q, %s: got %v, want a FormatError", found, what, err)
			}
		}
		if after, err := b.Tree(t.Context()); err != nil || after.Hash() != before.Hash() {
			t.Errorf("format %q: the branch has changed (%v)", found, err)
		}
	}
}

// A file that somebody spoilt by hand takes away its site and no other.
func TestSpoiltRecord(t *testing.T) {
	b := newBranch()
	c := Open(b)
	write(t, b, map[string]string{
		"format": "1\n", "sites/www.toml": "owner: alice", "sites/club.toml": "owner = \"bob\"\nunknown = 1\n",
		"sites/README": "x", "sites/Bad.toml": "owner = \"bob\"",
	})
	if _, err := c.Site(t.Context(), "www"); !errors.Is(err, ErrRecord) {
		t.Errorf("got %v, want ErrRecord", err)
	}
	if s, err := c.Site(t.Context(), "club"); err != nil || s.Owner != "bob" {
		t.Errorf("got %+v, %v, want bob's", s, err)
	}
	if sites, err := c.Sites(t.Context()); len(sites) != 1 || !errors.Is(err, ErrRecord) {
		t.Errorf("got %v, %v, want one and ErrRecord", sites, err)
	}
	must(t, c.PutSite(t.Context(), by, Site{Name: "www", Owner: "alice"}))
}

func TestCheck(t *testing.T) {
	const ok = "owner = \"alice\"\n"
	for what, c := range map[string]struct {
		files map[string]string
		ok    bool
	}{
		"format alone":    {map[string]string{"format": "1\n"}, true},
		"a site":          {map[string]string{"format": "1\n", "sites/www.toml": ok}, true},
		"no format":       {map[string]string{"sites/www.toml": ok}, false},
		"newer":           {map[string]string{"format": "2\n"}, false},
		"format a folder": {map[string]string{"format/x": "1\n"}, false},
		"unknown key":     {map[string]string{"format": "1\n", "sites/www.toml": ok + "x = 1\n"}, false},
		"no owner":        {map[string]string{"format": "1\n", "sites/www.toml": ""}, false},
		"a name":          {map[string]string{"format": "1\n", "sites/WWW.toml": ok}, false},
		"a reserved name": {map[string]string{"format": "1\n", "sites/all.toml": ok}, false},
		"not a .toml":     {map[string]string{"format": "1\n", "sites/www": ok}, false},
		"a folder":        {map[string]string{"format": "1\n", "sites/www.toml/x": ok}, false},
		"another file":    {map[string]string{"format": "1\n", "README": ok}, false},
		"sites is a file": {map[string]string{"format": "1\n", "sites": ok}, false},
		"a backup":        {map[string]string{"format": "1\n", "backups.toml": "[forge]\nurl = \"https://forge.example/b.git\"\n"}, true},
		"a backup's key":  {map[string]string{"format": "1\n", "backups.toml": "[forge]\nurl = \"https://forge.example/b.git\"\nx = 1\n"}, false},
		"a password":      {map[string]string{"format": "1\n", "backups.toml": "[forge]\nurl = \"https://a:b@forge.example/b.git\"\n"}, false},
		"a host twice":    {map[string]string{"format": "1\n", "sites/a.toml": ok + "hosts = [\"x.example\"]", "sites/b.toml": ok + "hosts = [\"x.example\"]"}, false},
	} {
		b := newBranch()
		write(t, b, c.files)
		tree, err := b.Tree(t.Context())
		must(t, err)
		if err := Check(tree); (err == nil) != c.ok {
			t.Errorf("%s: got %v, want it to pass: %v", what, err, c.ok)
		}
	}
}

func BenchmarkSite(b *testing.B) {
	branch := newBranch()
	c := Open(branch)
	for i := range 100 {
		must(b, c.AddSite(b.Context(), by, Site{Name: fmt.Sprint("site", i), Owner: "alice"}))
	}
	for b.Loop() {
		if _, err := c.Site(b.Context(), "site50"); err != nil {
			b.Fatal(err)
		}
	}
}
