package accounts

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

var (
	by   = object.Signature{Name: "Root", Email: "root@localhost"}
	home = netip.MustParseAddr("192.0.2.1")
)

func newBranch() *store.Branch {
	return store.New(mem.New(), store.Options{}).Branch("accounts")
}

// newAccounts has the administrator alice and the user bob.
func newAccounts(t testing.TB) (*Accounts, *store.Branch) {
	t.Helper()
	b := newBranch()
	must(t, b.Update(t.Context(), store.Change{Author: by, Message: "Begin\n"}, func(tx *store.Tx) error {
		return errors.Join(tx.Put(file("alice"), hashed().alice), tx.Put(file("bob"), hashed().bob))
	}))
	return New(b), b
}

// hashed are their records, made once: hashes are dear, with -race very.
var hashed = sync.OnceValue(func() (records struct{ alice, bob []byte }) {
	h := newHasher()
	a, err1 := h.hash(context.Background(), "alice's password")
	b, err2 := h.hash(context.Background(), "bob's password")
	if err := errors.Join(err1, err2); err != nil {
		panic(err)
	}
	records.alice = []byte("admin = true\npassword = \"" + a + "\"\n")
	records.bob = []byte("password = \"" + b + "\"\n")
	return records
})

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func publicKey(t testing.TB, line string) ssh.PublicKey {
	t.Helper()
	k, err := ParseKey(line)
	must(t, err)
	return k.PublicKey
}

func TestAdd(t *testing.T) {
	b := newBranch()
	a := New(b)
	must(t, a.Add(t.Context(), by, "alice", "alice's password", true))
	must(t, a.Add(t.Context(), by, "bob", "bob's password", false))
	users, err := a.Users(t.Context())
	want := []*User{{Name: "alice", Admin: true}, {Name: "bob"}}
	if !reflect.DeepEqual(users, want) || err != nil {
		t.Errorf("got %v, %v, want %v", users, err, want)
	}
	for name, want := range map[string]error{"bob": fs.ErrExist, "Bob": ErrName, "../bob": ErrName, "": ErrName, "bob\n": ErrName} {
		if err := a.Add(t.Context(), by, name, "long enough", false); !errors.Is(err, want) {
			t.Errorf("add %q: got %v, want %v", name, err, want)
		}
	}
	if err := a.Add(t.Context(), by, "carol", "short", false); !errors.Is(err, ErrPassword) {
		t.Errorf("short password: got %v, want ErrPassword", err)
	}
	tree, err := b.Tree(t.Context())
	must(t, err)
	rev, _ := tree.Commit()
	if rev.Author.Name != by.Name || rev.Author.Email != by.Email || rev.Message != "Add user bob\n" {
		t.Errorf("the commit is by %v and says %q", rev.Author, rev.Message)
	}
	must(t, Check(tree))
}

func TestNoUsersYet(t *testing.T) {
	a := New(newBranch())
	if users, err := a.Users(t.Context()); len(users) != 0 || err != nil {
		t.Errorf("got %v, %v, want none", users, err)
	}
	if _, err := a.User(t.Context(), "alice"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	if _, err := a.Authenticate(t.Context(), "alice", "some password", home); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("got %v, want ErrBadCredentials", err)
	}
	if _, err := a.AuthenticateKey(t.Context(), publicKey(t, keyLine(t, ""))); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("got %v, want ErrBadCredentials", err)
	}
}

func TestUnknownUser(t *testing.T) {
	a, _ := newAccounts(t)
	ctx := t.Context()
	_, err := a.NewAppPassword(ctx, by, "carol", "phone")
	for what, err := range map[string]error{
		"SetPassword":       a.SetPassword(ctx, by, "carol", "long enough"),
		"NewAppPassword":    err,
		"RemoveAppPassword": a.RemoveAppPassword(ctx, by, "carol", "phone"),
		"AddKey":            a.AddKey(ctx, by, "carol", keyLine(t, "")),
		"RemoveKey":         a.RemoveKey(ctx, by, "carol", keyLine(t, "")),
		"Remove":            a.Remove(ctx, by, "carol"),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want fs.ErrNotExist", what, err)
		}
	}
}

func TestRemove(t *testing.T) {
	a, _ := newAccounts(t)
	if err := a.Remove(t.Context(), by, "alice"); !errors.Is(err, ErrLastAdmin) {
		t.Errorf("the last administrator: got %v, want ErrLastAdmin", err)
	}
	must(t, a.Remove(t.Context(), by, "bob"))
	if _, err := a.User(t.Context(), "bob"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("bob after that: got %v, want fs.ErrNotExist", err)
	}
	must(t, a.Add(t.Context(), by, "dave", "dave's password", true))
	must(t, a.Remove(t.Context(), by, "alice"))
}

// Two administrators who remove each other at the same moment: one stays.
func TestRemoveEachOther(t *testing.T) {
	for range 20 {
		b := newBranch()
		a := New(b)
		must(t, b.Update(t.Context(), store.Change{Author: by, Message: "two\n"}, func(tx *store.Tx) error {
			return errors.Join(tx.Put(file("alice"), []byte("admin = true\n")), tx.Put(file("bob"), []byte("admin = true\n")))
		}))
		done := make(chan error)
		for _, name := range []string{"alice", "bob"} {
			go func() { done <- a.Remove(context.WithoutCancel(t.Context()), by, name) }()
		}
		err1, err2 := <-done, <-done
		if (err1 == nil) == (err2 == nil) || !errors.Is(errors.Join(err1, err2), ErrLastAdmin) {
			t.Fatalf("got %v and %v, want one nil and one ErrLastAdmin", err1, err2)
		}
	}
}

func TestKeys(t *testing.T) {
	a, _ := newAccounts(t)
	ctx := t.Context()
	line := keyLine(t, "laptop")
	key := publicKey(t, line)
	if _, err := a.AuthenticateKey(ctx, key); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("before it is added: got %v, want ErrBadCredentials", err)
	}
	must(t, a.AddKey(ctx, by, "bob", line))
	if u, err := a.AuthenticateKey(ctx, key); err != nil || u.Name != "bob" {
		t.Errorf("got %v, %v, want bob", u, err)
	}
	if err := a.AddKey(ctx, by, "bob", line); !errors.Is(err, fs.ErrExist) {
		t.Errorf("again: got %v, want fs.ErrExist", err)
	}
	if err := a.AddKey(ctx, by, "alice", line); !errors.Is(err, ErrKeyTaken) {
		t.Errorf("for somebody else: got %v, want ErrKeyTaken", err)
	}
	for _, bad := range []string{"", "no-pty " + line, line + "\n" + keyLine(t, "")} {
		if err := a.AddKey(ctx, by, "alice", bad); err == nil {
			t.Errorf("%.40q was added", bad)
		}
	}
	other, _, _ := strings.Cut(line, " laptop")
	must(t, a.RemoveKey(ctx, by, "bob", other+" other comment"))
	if _, err := a.AuthenticateKey(ctx, key); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("after it was removed: got %v, want ErrBadCredentials", err)
	}
}

func TestAppPasswords(t *testing.T) {
	a, _ := newAccounts(t)
	ctx := t.Context()
	phone, err := a.NewAppPassword(ctx, by, "bob", "phone")
	must(t, err)
	tablet, err := a.NewAppPassword(ctx, by, "bob", "tablet")
	must(t, err)
	if _, err := a.NewAppPassword(ctx, by, "bob", "phone"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("again: got %v, want fs.ErrExist", err)
	}
	for _, bad := range []string{"", "a\nb", "<b>"} {
		if _, err := a.NewAppPassword(ctx, by, "bob", bad); err == nil {
			t.Errorf("an app password called %q was made", bad)
		}
	}
	must(t, a.SetPassword(ctx, by, "bob", "another password"))
	for _, p := range []string{phone, tablet, "another password"} {
		if u, err := a.Authenticate(ctx, "bob", p, home); err != nil || u.Name != "bob" {
			t.Errorf("%q: got %v, %v, want bob", p, u, err)
		}
	}
	if _, err := a.Authenticate(ctx, "alice", phone, home); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("as somebody else: got %v, want ErrBadCredentials", err)
	}
	must(t, a.RemoveAppPassword(ctx, by, "bob", "phone"))
	if err := a.RemoveAppPassword(ctx, by, "bob", "phone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("again: got %v, want fs.ErrNotExist", err)
	}
	if _, err := a.Authenticate(ctx, "bob", phone, home); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("once removed: got %v, want ErrBadCredentials", err)
	}
	if _, err := a.Authenticate(ctx, "bob", tablet, home); err != nil {
		t.Errorf("the other: got %v, want nil", err)
	}
}

// A file that somebody spoilt by hand keeps out its user and nobody else.
func TestSpoiltRecord(t *testing.T) {
	a, b := newAccounts(t)
	must(t, b.Update(t.Context(), store.Change{Author: by, Message: "spoil\n"}, func(tx *store.Tx) error {
		return tx.Put(file("bob"), []byte("admin: yes"))
	}))
	if _, err := a.Authenticate(t.Context(), "bob", "bob's password", home); err == nil {
		t.Error("bob can log in")
	}
	if _, err := a.Authenticate(t.Context(), "alice", "alice's password", home); err != nil {
		t.Errorf("alice: got %v, want nil", err)
	}
	if users, err := a.Users(t.Context()); len(users) != 1 || err == nil {
		t.Errorf("users: got %v, %v, want alice and an error", users, err)
	}
	must(t, a.Remove(t.Context(), by, "bob"))
}
