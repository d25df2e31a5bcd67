package secrets

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"io/fs"
	"reflect"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

var (
	by   = object.Signature{Name: "Alice", Email: "alice@example.org"}
	seed = [32]byte{1, 2, 3}
)

func open(t testing.TB, b *store.Branch, seed [32]byte) *Secrets {
	t.Helper()
	s, err := Open(b, seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newBranch() *store.Branch {
	return store.New(mem.New(), store.Options{}).Branch("secrets")
}

func put(t testing.TB, s *Secrets, path, data string) {
	t.Helper()
	if err := s.Put(t.Context(), by, path, []byte(data)); err != nil {
		t.Fatalf("put %s: %v", path, err)
	}
}

func TestPutGet(t *testing.T) {
	b := newBranch()
	s := open(t, b, seed)
	if _, err := s.Get(t.Context(), "tls/key"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("get before the branch is: got %v, want fs.ErrNotExist", err)
	}
	put(t, s, "tls/key", "the key")
	put(t, s, "empty", "")
	put(t, s, "tls/key", "another key")
	put(t, s, "hook/www", string(bytes.Repeat([]byte("x"), MaxSecret)))
	for path, want := range map[string]string{"tls/key": "another key", "empty": "", "hook/www": string(bytes.Repeat([]byte("x"), MaxSecret))} {
		if got, err := open(t, b, seed).Get(t.Context(), path); string(got) != want || err != nil {
			t.Errorf("get %s: got %.20q, %v, want %.20q", path, got, err, want)
		}
	}
	if _, err := s.Get(t.Context(), "tls/cert"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("get what is not there: got %v, want fs.ErrNotExist", err)
	}
	got, err := s.List(t.Context())
	if want := []string{"empty", "hook/www", "tls/key"}; !reflect.DeepEqual(got, want) || err != nil {
		t.Errorf("list: got %v, %v, want %v", got, err, want)
	}
	if err := s.Put(t.Context(), by, "big", make([]byte, MaxSecret+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("put too much: got %v, want ErrTooLarge", err)
	}
	var name *object.NameError
	if err := s.Put(t.Context(), by, "../x", nil); !errors.As(err, &name) {
		t.Errorf("put ../x: got %v, want a NameError", err)
	}
}

func TestUpdate(t *testing.T) {
	b := newBranch()
	s := open(t, b, seed)
	update := func(path string, edit func([]byte) ([]byte, error)) error {
		return s.Update(t.Context(), by, path, edit)
	}
	for _, step := range []struct{ was, is []byte }{
		{nil, []byte("a")},
		{[]byte("a"), []byte("ab")},
		{[]byte("ab"), []byte{}},
		{[]byte{}, nil},
		{nil, nil},
	} {
		err := update("acme/lock", func(old []byte) ([]byte, error) {
			if !reflect.DeepEqual(old, step.was) {
				t.Errorf("update: got %#v, want %#v", old, step.was)
			}
			return step.is, nil
		})
		if err != nil {
			t.Errorf("update to %#v: %v", step.is, err)
		}
	}
	if _, err := s.Get(t.Context(), "acme/lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("get what was removed: got %v, want fs.ErrNotExist", err)
	}
	stop := errors.New("stop")
	if err := update("a", func([]byte) ([]byte, error) { return []byte("x"), stop }); !errors.Is(err, stop) {
		t.Errorf("an edit that fails: got %v, want its error", err)
	}
	if err := update("a", func([]byte) ([]byte, error) { return make([]byte, MaxSecret+1), nil }); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too much: got %v, want ErrTooLarge", err)
	}
	if _, err := s.Get(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an edit that failed has written: %v", err)
	}
}

// Of many that count at once none is lost.
func TestUpdateIsAtomic(t *testing.T) {
	f := Folder{Secrets: open(t, newBranch(), seed), Path: "acme", By: by}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			err := f.Update(t.Context(), "count", func(old []byte) ([]byte, error) { return append(bytes.Clone(old), 'x'), nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, err := f.Load(t.Context(), "count"); len(got) != 10 || err != nil {
		t.Errorf("got %q, %v, want 10 marks", got, err)
	}
	if got, err := f.Secrets.Get(t.Context(), "acme/count"); len(got) != 10 || err != nil {
		t.Errorf("outside of the folder: got %q, %v, want 10 marks", got, err)
	}
}

func TestPutTheSame(t *testing.T) {
	b := newBranch()
	s := open(t, b, seed)
	put(t, s, "a", "x")
	before, err := b.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "a", "x")
	after, err := b.Tree(t.Context())
	if err != nil || before.Hash() != after.Hash() {
		t.Errorf("the same secret was written again (%v)", err)
	}
}

// Nothing of what is secret may be found in the repository.
func TestNothingIsPlain(t *testing.T) {
	b := newBranch()
	put(t, open(t, b, seed), "a", "correct horse battery staple")
	tree, err := b.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data, err := tree.ReadFile("a")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]byte{[]byte("correct"), []byte("staple"), seed[:], seed[:8]} {
		if bytes.Contains(data, part) {
			t.Errorf("the file holds %q", part)
		}
	}
}

func TestWrongSeed(t *testing.T) {
	b := newBranch()
	put(t, open(t, b, seed), "a", "x")
	other := open(t, b, [32]byte{9})
	if _, err := other.Get(t.Context(), "a"); !errors.Is(err, ErrWrongSeed) {
		t.Errorf("get: got %v, want ErrWrongSeed", err)
	}
	if err := other.Put(t.Context(), by, "a", []byte("y")); !errors.Is(err, ErrWrongSeed) {
		t.Errorf("put over it: got %v, want ErrWrongSeed", err)
	}
}

// copyFile puts the file at from, as it is, at to, and edits its bytes.
func copyFile(t *testing.T, b *store.Branch, from, to string, edit func([]byte)) *store.Tree {
	t.Helper()
	err := b.Update(t.Context(), store.Change{Author: by, Message: "tamper\n"}, func(tx *store.Tx) error {
		data, _, err := tx.Blob(from)
		if err != nil {
			return err
		}
		data = bytes.Clone(data)
		edit(data)
		return tx.Put(to, data)
	})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := b.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestTampering(t *testing.T) {
	n := int(overhead) + len("secret")
	for i := range n {
		b := newBranch()
		s := open(t, b, seed)
		put(t, s, "a", "secret")
		tree := copyFile(t, b, "a", "a", func(d []byte) { d[i] ^= 1 })
		if _, err := s.Get(t.Context(), "a"); err == nil {
			t.Errorf("byte %d changed: the secret still opens", i)
		}
		if err := s.Check(tree); err == nil {
			t.Errorf("byte %d changed: a push of it passes", i)
		}
	}
}

func TestMoved(t *testing.T) {
	b := newBranch()
	s := open(t, b, seed)
	put(t, s, "hook/mallory", "known to mallory")
	put(t, s, "hook/alice", "known to alice")
	tree := copyFile(t, b, "hook/mallory", "hook/alice", func([]byte) {})
	if got, err := s.Get(t.Context(), "hook/alice"); !errors.Is(err, ErrDamaged) {
		t.Errorf("get: got %q, %v, want ErrDamaged", got, err)
	}
	if err := s.Check(tree); !errors.Is(err, ErrDamaged) {
		t.Errorf("check: got %v, want ErrDamaged", err)
	}
}

func TestCheck(t *testing.T) {
	b := newBranch()
	s := open(t, b, seed)
	put(t, s, "a", "x")
	tree, err := b.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(tree); err != nil {
		t.Errorf("what is ours: got %v, want nil", err)
	}
	if err := open(t, b, [32]byte{9}).Check(tree); !errors.Is(err, ErrWrongSeed) {
		t.Errorf("under another seed: got %v, want ErrWrongSeed", err)
	}
	plain := b.Update(t.Context(), store.Change{Author: by, Message: "plain\n"}, func(tx *store.Tx) error {
		return tx.Put("b", []byte("a password, pushed by mistake"))
	})
	tree, err = b.Tree(t.Context())
	if plain != nil || err != nil {
		t.Fatal(plain, err)
	}
	if err := s.Check(tree); !errors.Is(err, ErrDamaged) {
		t.Errorf("plain text: got %v, want ErrDamaged", err)
	}
}

// What was derived once must never change, nor what was sealed stop to open.
func TestDerived(t *testing.T) {
	s := open(t, newBranch(), seed)
	key, err := s.DeriveEd25519("ssh host key")
	if err != nil {
		t.Fatal(err)
	}
	const want = "91816bff214523255a599de3c1b9c0bee1ae1779869e627854e68ed7abddec11"
	if got := hex.EncodeToString(key.Public().(ed25519.PublicKey)); got != want {
		t.Errorf("host key: got %s, want %s", got, want)
	}
	a, err1 := s.Derive("a", 32)
	again, err2 := s.Derive("a", 32)
	long, err3 := s.Derive("a", 64)
	b, err4 := s.Derive("b", 32)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, again) || !bytes.HasPrefix(long, a) || bytes.Equal(a, b) || bytes.Equal(a, key.Seed()) {
		t.Errorf("derived %x, again %x, longer %x, for b %x", a, again, long, b)
	}
	if _, err := s.Derive("a", 10000); err == nil {
		t.Error("more bytes than HKDF can give: got no error")
	}
	file, err := hex.DecodeString(firstVersion)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.box.open("a/b", file); string(got) != "secret" || err != nil {
		t.Errorf("a file of the first version: got %q, %v, want %q", got, err, "secret")
	}
}

// firstVersion is the secret "secret" at a/b under seed.
const firstVersion = "636169726e2073656372657420310ac12764846f62a40ba1f238b11187d88949e969bb469a3b9a3f" +
	"bc771d075dd01df1193d0a60407911d42398d42267031b8a62500781ae"

func FuzzOpenBox(f *testing.F) {
	s := open(f, newBranch(), seed)
	sealed, err := hex.DecodeString(firstVersion)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("a/b", sealed)
	f.Add("a/c", sealed)
	f.Add("a/b", sealed[:20])
	f.Add("a/b", []byte(magic))
	f.Fuzz(func(t *testing.T, path string, file []byte) {
		if _, err := s.box.open(path, file); err == nil && (path != "a/b" || !bytes.Equal(file, sealed)) {
			t.Errorf("%q opens at %q", file, path)
		}
	})
}
