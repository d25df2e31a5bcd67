package shelf

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/mem"
	"cairn/store/object"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A kit is a Shelf to try things on.
type kit struct {
	*testing.T
	*Shelf
	now time.Time
}

// each runs a test over both backends.
func each(t *testing.T, f func(t *kit)) {
	t.Run("mem", func(t *testing.T) { f(newKit(t, mem.New(), Options{})) })
	t.Run("gitdir", func(t *testing.T) { f(newKit(t, newDir(t), Options{})) })
}

func newDir(t testing.TB) *gitdir.Dir {
	t.Helper()
	path := filepath.Join(t.TempDir(), "repo.git")
	if err := gitdir.Init(path); err != nil {
		t.Fatal(err)
	}
	return openDir(t, path)
}

func openDir(t testing.TB, path string) *gitdir.Dir {
	t.Helper()
	dir, err := gitdir.Open(path, gitdir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func newKit(t *testing.T, b store.Backend, o Options) *kit {
	k := &kit{T: t, now: start}
	o.Now = func() time.Time { return k.now }
	k.Shelf = New(store.New(b, store.Options{}), o)
	return k
}

func change(message string) store.Change {
	return store.Change{Author: object.Signature{Name: "Alice", Email: "alice@localhost"}, Message: message}
}

// event is a calendar object.
func event(uid, summary string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:" + uid +
		"\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260301T100000Z\r\nDTEND:20260301T110000Z\r\nSUMMARY:" + summary +
		"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

// card is an address object.
func card(uid, name string) string {
	return "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" + uid + "\r\nFN:" + name + "\r\nN:" + name + ";;;;\r\nEND:VCARD\r\n"
}

// at reads "calendars/home/x.ics" as a Path.
func at(s string) Path {
	parts := append(strings.SplitN(s, "/", 3), "", "")
	if Kind(parts[0]) == Inbox {
		return Path{Inbox, "", parts[1]}
	}
	return Path{Kind(parts[0]), parts[1], parts[2]}
}

func (k *kit) parse(kind Kind, data string) *Object {
	k.Helper()
	o, err := k.Shelf.Parse(kind, []byte(data))
	if err != nil {
		k.Fatal(err)
	}
	return o
}

func (k *kit) update(f func(*Edit) error) error {
	return k.Update(context.Background(), change("test"), []string{"alice"}, func(edits map[string]*Edit) error { return f(edits["alice"]) })
}

func (k *kit) must(f func(*Edit) error) {
	k.Helper()
	if err := k.update(f); err != nil {
		k.Fatal(err)
	}
}

// put puts an object at a path.
func (k *kit) put(path, data string) Resource {
	k.Helper()
	var r Resource
	o := k.parse(at(path).Kind, data)
	k.must(func(e *Edit) (err error) {
		r, err = e.Put(at(path), o)
		return err
	})
	return r
}

// push makes files on the branch as somebody else would.
func (k *kit) push(files ...string) {
	k.Helper()
	err := k.Branch("alice").Update(context.Background(), change("push"), func(tx *store.Tx) error {
		for i := 0; i < len(files); i += 2 {
			var err error
			if files[i+1] == "-" {
				err = tx.Remove(files[i])
			} else {
				err = tx.Put(files[i], []byte(files[i+1]))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		k.Fatal(err)
	}
}

func (k *kit) snap() *Snapshot {
	k.Helper()
	s, err := k.Snapshot(context.Background(), "alice")
	if err != nil {
		k.Fatal(err)
	}
	return s
}

func (k *kit) coll(path string) *Collection {
	k.Helper()
	c, err := k.snap().Collection(at(path).Kind, at(path).Collection)
	if err != nil {
		k.Fatal(err)
	}
	return c
}

// names lists the resources of a collection.
func names(t testing.TB, c *Collection) string {
	t.Helper()
	var list []string
	for r, err := range c.Resources() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r.Name)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// files lists the branch.
func (k *kit) files() string {
	k.Helper()
	var list []string
	for d, err := range new(store.Tree).Diff(context.Background(), k.snap().Tree()) {
		if err != nil {
			k.Fatal(err)
		}
		list = append(list, d.Path)
	}
	return strings.Join(list, " ")
}

func (k *kit) read(path string) string {
	k.Helper()
	c := k.coll(path)
	r, err := c.Resource(at(path).Name)
	if err != nil {
		k.Fatal(err)
	}
	data, err := c.Read(r)
	if err != nil {
		k.Fatal(err)
	}
	return string(data)
}

func (k *kit) want(what, got, want string) {
	k.Helper()
	if got != want {
		k.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func (k *kit) wantErr(what string, got, want error) {
	k.Helper()
	if !errors.Is(got, want) {
		k.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// show lists changes.
func show(list []Change) string {
	var out []string
	for _, c := range list {
		s := c.Name
		if c.Removed {
			s = "-" + s
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func many(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("e%05d.ics", i))
	}
	return list
}
