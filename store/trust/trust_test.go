package trust_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"golang.org/x/crypto/ssh"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
	"cairn/store/observe"
	"cairn/store/sign"
	"cairn/store/trust"
)

// A party is somebody who writes to a shared repository, with a key or without.
type party struct {
	*store.Repo
	keys *sign.Keys
	line []byte // the key, as in authorized_keys
}

func newParty(t *testing.T, on *mem.Backend, signs bool) party {
	t.Helper()
	if !signs {
		return party{Repo: store.New(on, store.Options{})}
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	line := ssh.MarshalAuthorizedKey(s.PublicKey())
	keys, err := sign.ParseKeys(line)
	if err != nil {
		t.Fatal(err)
	}
	return party{store.New(on, store.Options{Signer: sign.SSH(s)}), keys, line}
}

// put writes a file to a branch and returns the new tip.
func (p party) put(t *testing.T, branch, content string) store.Hash {
	t.Helper()
	err := p.Branch(branch).Update(t.Context(), store.Change{Message: "Put " + content}, func(tx *store.Tx) error {
		return tx.Put("a", []byte(content))
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.tip(t, branch)
}

// find is where a branch is, Zero where there is none.
func (p party) find(branch string) store.Hash {
	ref, err := p.Backend().Ref(context.Background(), "refs/heads/"+branch)
	if err != nil {
		return object.Zero
	}
	return ref.Hash
}

func (p party) tip(t *testing.T, branch string) store.Hash {
	t.Helper()
	tree, err := p.Branch(branch).Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rev, _ := tree.Commit()
	return rev.Hash
}

func TestFollow(t *testing.T) {
	host := mem.New()
	ours, stranger, nobody := newParty(t, host, true), newParty(t, host, true), newParty(t, host, false)
	first := ours.put(t, "main", "1")
	second := ours.put(t, "main", "2")
	third := ours.put(t, "main", "3")
	byStranger := stranger.put(t, "main", "4")
	byNobody := nobody.put(t, "main", "5")
	onTop := ours.put(t, "main", "6")
	other := ours.put(t, "other", "elsewhere")

	signed := &trust.Policy{Keys: ours.keys, Signed: true}
	both := &trust.Policy{Keys: stranger.keys, Signed: true}
	open := &trust.Policy{Keys: ours.keys}
	free := &trust.Policy{Keys: ours.keys, Signed: true, Free: func(ref string) bool { return ref == "refs/heads/main" }}
	var rewind *trust.RewindError
	for _, c := range []struct {
		name     string
		policy   *trust.Policy
		old, new store.Hash
		want     func(error) bool
	}{
		{"forward", signed, first, third, isNil},
		{"nothing", signed, third, third, isNil},
		{"new", signed, object.Zero, first, isNil},
		{"signed on top of others'", signed, first, onTop, isNil},
		{"by a stranger", signed, third, byStranger, is(sign.ErrUntrusted)},
		{"by nobody", signed, third, byNobody, is(sign.ErrUnsigned)},
		{"new, by nobody", signed, object.Zero, byNobody, is(sign.ErrUnsigned)},
		{"the stranger's own replica", both, third, byStranger, isNil},
		{"open, by nobody", open, third, byNobody, isNil},
		{"open, without keys", &trust.Policy{}, third, byNobody, isNil},
		{"back", signed, third, second, as(&rewind)},
		{"back, open", open, third, second, as(&rewind)},
		{"elsewhere", signed, third, other, as(&rewind)},
		{"deleted", signed, third, object.Zero, as(&rewind)},
		{"deleted, open", open, third, object.Zero, isNil},
		{"back, free", free, third, second, isNil},
		{"deleted, free", free, third, object.Zero, isNil},
		{"deleted, another is free", &trust.Policy{Free: func(string) bool { return false }}, third, object.Zero, as(&rewind)},
		{"free, by nobody", free, third, byNobody, is(sign.ErrUnsigned)},
		{"absent", open, third, store.Hash{1}, is(fs.ErrNotExist)},
	} {
		if err := c.policy.Follow(t.Context(), "refs/heads/main", c.old, c.new, host); !c.want(err) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func isNil(err error) bool           { return err == nil }
func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
func as(want any) func(error) bool {
	return func(err error) bool { return err != nil && errors.As(err, want) }
}

// TestRewrite follows a rewrite that a trusted key has signed, also when
// commits stand on top of it, and no other.
func TestRewrite(t *testing.T) {
	host := mem.New()
	ours, stranger := newParty(t, host, true), newParty(t, host, true)
	ours.put(t, "main", "1")
	old := ours.put(t, "main", "2")
	clean := ours.put(t, "clean", "2")
	policy := &trust.Policy{Keys: ours.keys}
	var rewind *trust.RewindError

	if err := stranger.Branch("main").Rewrite(t.Context(), store.Change{Message: "Purge"}, old, clean); err != nil {
		t.Fatal(err)
	}
	forged := ours.tip(t, "main")
	if err := policy.Follow(t.Context(), "refs/heads/main", old, forged, host); !errors.As(err, &rewind) {
		t.Errorf("a stranger's rewrite: got %v, want a RewindError", err)
	}
	err := ours.Branch("main").Rewrite(t.Context(), store.Change{Message: "Purge"}, old, clean)
	var conflict *store.ConflictError
	if !errors.As(err, &conflict) {
		t.Errorf("a rewrite of what is no longer there: got %v, want a conflict", err)
	}
	if err := ours.Branch("main").Rewrite(t.Context(), store.Change{Message: "Put back"}, forged, old); err != nil {
		t.Fatal(err)
	}
	old = ours.tip(t, "main")
	if err := ours.Branch("main").Rewrite(t.Context(), store.Change{Message: "Purge\n\nA-Trailer: x"}, old, clean); err != nil {
		t.Fatal(err)
	}
	rewritten := ours.tip(t, "main")
	onTop := ours.put(t, "main", "3")
	for _, tip := range []store.Hash{rewritten, onTop} {
		for _, p := range []*trust.Policy{policy, {Keys: ours.keys, Signed: true}} {
			if err := p.Follow(t.Context(), "refs/heads/main", old, tip, host); err != nil {
				t.Error(err)
			}
		}
	}
	if err := (&trust.Policy{Keys: stranger.keys}).Follow(t.Context(), "refs/heads/main", old, onTop, host); !errors.As(err, &rewind) {
		t.Errorf("a rewrite by who is not trusted: got %v, want a RewindError", err)
	}
}

// TestGuard refuses to write what others would not follow.
func TestGuard(t *testing.T) {
	host := mem.New()
	ours, nobody := newParty(t, host, true), newParty(t, host, false)
	unsigned := nobody.put(t, "theirs", "1")
	policy := &trust.Policy{Keys: ours.keys, Signed: true}
	b := trust.Guard(host, policy)
	var refused *store.RefusedError
	if err := b.Commit(t.Context(), nil, []store.RefChange{{Name: "refs/heads/main", New: unsigned}}); !errors.As(err, &refused) {
		t.Errorf("a push of what nobody has signed: got %v, want a RefusedError", err)
	}
	put := func(tx *store.Tx) error { return tx.Put("a", []byte("2")) }
	if err := store.New(b, store.Options{}).Branch("main").Update(t.Context(), store.Change{Message: "Put"}, put); !errors.As(err, &refused) {
		t.Errorf("an unsigned update: got %v, want a RefusedError", err)
	}
	signed := ours.put(t, "draft", "3")
	if err := b.Commit(t.Context(), nil, []store.RefChange{{Name: "refs/heads/main", New: signed}}); err != nil {
		t.Error(err)
	}
	if err := b.Commit(t.Context(), nil, []store.RefChange{{Name: "refs/heads/main", Old: signed}}); err != nil {
		t.Errorf("a deletion: %v", err)
	}
	if trust.Guard(host, &trust.Policy{}) != observe.Backend(host) {
		t.Error("there is a guard without a reason")
	}
}

// TestCutHistory says that it cannot tell when the history it is given ends
// before the old tip.
func TestCutHistory(t *testing.T) {
	host := mem.New()
	p := newParty(t, host, false)
	old := p.put(t, "main", "1")
	p.put(t, "main", "2")
	last := p.put(t, "main", "3")
	shallow := mem.New()
	o, err := host.Object(t.Context(), last)
	if err != nil {
		t.Fatal(err)
	}
	if err := shallow.Commit(context.Background(), []object.Object{o}, nil); err != nil {
		t.Fatal(err)
	}
	if err := new(trust.Policy).Follow(t.Context(), "refs/heads/main", old, last, shallow); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

// TestRewriteOf follows a rewrite only of the branch that it was made for, and only
// by who may rewrite, which is not everybody who may push.
func TestRewriteOf(t *testing.T) {
	host := mem.New()
	ours, pusher := newParty(t, host, true), newParty(t, host, true)
	clean := ours.put(t, "clean", "2")
	old := ours.put(t, "main", "secret")
	both, err := sign.ParseKeys(append(ours.line, pusher.line...))
	if err != nil {
		t.Fatal(err)
	}
	policy := &trust.Policy{Keys: both, Rewriters: ours.keys, Signed: true}
	var rewind *trust.RewindError
	for _, by := range []party{pusher, ours} {
		draft := store.RefChange{Name: "refs/heads/draft", Old: by.find("draft"), New: old}
		if err := host.Commit(t.Context(), nil, []store.RefChange{draft}); err != nil {
			t.Fatal(err)
		}
		if err := by.Branch("draft").Rewrite(t.Context(), store.Change{Message: "Purge"}, old, clean); err != nil {
			t.Fatal(err)
		}
		tip := by.tip(t, "draft")
		if err := policy.Follow(t.Context(), "refs/heads/main", old, tip, host); !errors.As(err, &rewind) {
			t.Errorf("a rewrite of another branch: got %v, want a RewindError", err)
		}
		err := policy.Follow(t.Context(), "refs/heads/draft", old, tip, host)
		if want := by.Repo == pusher.Repo; errors.As(err, &rewind) != want {
			t.Errorf("a rewrite by one who pushes (%v): got %v", want, err)
		}
	}
}

// TestTagAsBranch does not follow a branch to a tag, which nobody has signed.
func TestTagAsBranch(t *testing.T) {
	host := mem.New()
	ours := newParty(t, host, true)
	tip := ours.put(t, "main", "1")
	tag := object.Object{Type: object.TypeTag, Data: fmt.Appendf(nil, "object %s\ntype commit\ntag v1\n\nmessage\n", tip)}
	if err := host.Commit(t.Context(), []object.Object{tag}, nil); err != nil {
		t.Fatal(err)
	}
	policy := &trust.Policy{Keys: ours.keys, Signed: true}
	if err := policy.Follow(t.Context(), "refs/heads/main", tip, tag.Hash(), host); err == nil {
		t.Error("a branch was followed to a tag")
	}
	if err := policy.Follow(t.Context(), "refs/tags/v1", object.Zero, tag.Hash(), host); err != nil {
		t.Errorf("a tag of a signed commit: %v", err)
	}
}
