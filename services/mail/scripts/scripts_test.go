package scripts

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"cairn/services/mail/mailbox"
	"cairn/services/mail/sieve"
	"cairn/store"
)

// list says which scripts alice has; the active one has a star.
func (h *house) list() string {
	h.t.Helper()
	all, err := h.List(h.t.Context(), "alice")
	check(h.t, err)
	var names []string
	for _, e := range all {
		if e.Active {
			e.Name += "*"
		}
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestShelf(t *testing.T) {
	h := open(t)
	ctx, alice := t.Context(), h.user("alice")
	if got := h.list(); got != "" {
		t.Errorf("at first: %q", got)
	}
	long := []byte(strings.Repeat("#", sieve.MaxScript+1))
	for _, c := range []struct {
		name string
		do   func() error
		want func(error) bool
		list string
	}{
		{"put", func() error { return h.Put(ctx, alice, "Ferien 🏖", []byte("keep;")) }, nil, "Ferien 🏖"},
		{"put another", func() error { return h.Put(ctx, alice, "a", []byte("keep;")) }, nil, "Ferien 🏖 a"},
		{"put in its place", func() error { return h.Put(ctx, alice, "a", []byte("discard;")) }, nil, "Ferien 🏖 a"},
		{"put nonsense", func() error { return h.Put(ctx, alice, "b", []byte("keep")) }, is[*sieve.Error], "Ferien 🏖 a"},
		{"put too much", func() error { return h.Put(ctx, alice, "b", long) }, isErr(ErrLong), "Ferien 🏖 a"},
		{"put under no name", func() error { return h.Put(ctx, alice, "", nil) }, is[*NameError], "Ferien 🏖 a"},
		{"put elsewhere", func() error { return h.Put(ctx, alice, "../mail", nil) }, is[*NameError], "Ferien 🏖 a"},
		{"put under a long name", func() error { return h.Put(ctx, alice, strings.Repeat("x", 129), nil) }, is[*NameError], "Ferien 🏖 a"},
		{"put under two lines", func() error { return h.Put(ctx, alice, "a\nb", nil) }, is[*NameError], "Ferien 🏖 a"},
		{"use", func() error { return h.Activate(ctx, alice, "a") }, nil, "Ferien 🏖 a*"},
		{"use what is not there", func() error { return h.Activate(ctx, alice, "b") }, isErr(fs.ErrNotExist), "Ferien 🏖 a*"},
		{"delete the active one", func() error { return h.Delete(ctx, alice, "a") }, isErr(ErrActive), "Ferien 🏖 a*"},
		{"rename the active one", func() error { return h.Rename(ctx, alice, "a", "b") }, nil, "Ferien 🏖 b*"},
		{"rename to what is there", func() error { return h.Rename(ctx, alice, "b", "Ferien 🏖") }, isErr(fs.ErrExist), "Ferien 🏖 b*"},
		{"rename to itself", func() error { return h.Rename(ctx, alice, "b", "b") }, isErr(fs.ErrExist), "Ferien 🏖 b*"},
		{"rename what is not there", func() error { return h.Rename(ctx, alice, "a", "c") }, isErr(fs.ErrNotExist), "Ferien 🏖 b*"},
		{"delete", func() error { return h.Delete(ctx, alice, "Ferien 🏖") }, nil, "b*"},
		{"delete what is not there", func() error { return h.Delete(ctx, alice, "a") }, isErr(fs.ErrNotExist), "b*"},
		{"use none", func() error { return h.Activate(ctx, alice, "") }, nil, "b"},
		{"use none again", func() error { return h.Activate(ctx, alice, "") }, nil, "b"},
	} {
		err := c.do()
		if c.want == nil && err != nil || c.want != nil && (err == nil || !c.want(err)) {
			t.Errorf("%s: got %v", c.name, err)
		}
		if got := h.list(); got != c.list {
			t.Errorf("%s: got %q, want %q", c.name, got, c.list)
		}
	}
	data, err := h.Read(ctx, "alice", "b")
	if err != nil || string(data) != "discard;" {
		t.Errorf("got %q, %v", data, err)
	}
	if _, err := h.Read(ctx, "alice", "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read what is not there: %v", err)
	}
	if got, err := h.List(ctx, "bob"); err != nil || len(got) > 0 {
		t.Errorf("bob has %v, %v", got, err)
	}
}

// TestFull makes sure that nobody has more scripts than MaxScripts.
func TestFull(t *testing.T) {
	h := open(t)
	check(t, h.Mail.Boxes.Update(t.Context(), store.Change{Message: "Many"}, "alice", func(e *mailbox.Edit) error {
		var err error
		for i := range MaxScripts {
			err = errors.Join(err, e.PutFile(pathOf(fmt.Sprint(i)), []byte("keep;")))
		}
		return err
	}))
	alice := h.user("alice")
	if err := h.Put(t.Context(), alice, "more", []byte("keep;")); !errors.Is(err, ErrFull) {
		t.Errorf("one more: got %v, want %v", err, ErrFull)
	}
	check(t, h.Put(t.Context(), alice, "7", []byte("discard;")))
}

func is[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

func isErr(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

// TestCheck judges pushes.
func TestCheck(t *testing.T) {
	for _, c := range []struct{ name, path, content, want string }{
		{"a script", "sieve/a.sieve", "keep;\n", ""},
		{"an active one", activeFile, "rules\n", ""},
		{"something else", "sieve/notes.txt", "keep it", ""},
		{"a broken script", "sieve/a.sieve", "if true {\n  keep\n}\n", `sieve/a.sieve: line 3, column 1: behind keep there should be ";", but there is "}"`},
		{"a long script", "sieve/a.sieve", strings.Repeat("#", 1<<20), "sieve/a.sieve is too long: it has 1048576 bytes"},
		{"a script of a strange name", "sieve/.sieve", "keep;", `sieve/.sieve: a script cannot be called "": a name is not empty`},
		{"an absent active one", activeFile, "nobody\n", "sieve/active names sieve/nobody.sieve, which is not there: name another one, or remove the file"},
		{"a strange active one", activeFile, "../x\n", `sieve/active: a script cannot be called "../x": it has a slash`},
		{"a folder for a script", "sieve/a.sieve/b", "keep;", "sieve/a.sieve has to be a file"},
		{"a file for the folder", "sieve", "keep;", "sieve has to be a folder"},
	} {
		repo := open(t).Mail.Repo
		branch := repo.Branch(mailbox.BranchName("alice"))
		put := func(path, content string) *store.Tree {
			t.Helper()
			check(t, branch.Update(t.Context(), store.Change{Message: "By hand"}, func(tx *store.Tx) error {
				if path == "sieve" {
					if err := tx.Remove("sieve/rules.sieve"); err != nil {
						return err
					}
				}
				return tx.Put(path, []byte(content))
			}))
			tree, err := branch.Tree(t.Context())
			check(t, err)
			return tree
		}
		old := put("sieve/rules.sieve", "keep;")
		err := Check(t.Context(), old, put(c.path, c.content))
		if got := fmt.Sprint(err); got != c.want && (c.want != "" || err != nil) && !(c.name == "a file for the folder" && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func FuzzAnswered(f *testing.F) {
	f.Add([]byte("2026-11-18T08:09:10Z 00112233445566778899aabbccddeeff\n"))
	f.Add([]byte("x y\n\n2026-11-18T08:09:10Z  \n"))
	start := time.Date(2026, 11, 11, 8, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, a := range parseAnswered(data, start) {
			if !a.until.After(start) || strings.ContainsAny(a.who, "\n") {
				t.Errorf("got %+v", a)
			}
		}
	})
}
