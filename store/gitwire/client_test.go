package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"cairn/store"
	"cairn/store/object"
)

// sshClient is a client that logs in with the lab's password.
func (l *lab) sshClient() *Client {
	return &Client{
		Dial: new(net.Dialer).DialContext,
		SSH: &ssh.ClientConfig{
			Auth:            []ssh.AuthMethod{ssh.Password("correct horse")},
			HostKeyCallback: ssh.FixedHostKey(l.hostKey),
		},
	}
}

// A lastPack is a backend that remembers how many objects the last pack brought.
type lastPack struct {
	receivingBackend
	objects int
}

func (b *lastPack) Receive(ctx context.Context, r io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	q, err := b.receivingBackend.Receive(ctx, r, base, lim)
	if err == nil {
		b.objects = 0
		for range q.All() {
			b.objects++
		}
	}
	return q, err
}

func TestClientFetch(t *testing.T) {
	overHosts(t, func(t *testing.T, h host) {
		g := newHistory(t)
		h.push(t, g, "refs/*:refs/*")
		local := &lastPack{receivingBackend: newMemory(t)}
		ctx := t.Context()

		refs, err := fetchOnce(t, h.client, h.url, FetchRequest{Into: local})
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, ref := range refs {
			if ref.Name != "HEAD" {
				fmt.Fprintf(&got, "%s %s\n", ref.Hash, ref.Name)
			} else if want := "refs/heads/main"; ref.Target != want {
				t.Errorf("HEAD: got %q, want %q", ref.Target, want)
			}
		}
		if want := g.refs(t); got.String() != want {
			t.Errorf("refs: got %q, want %q", got.String(), want)
		}
		if got, want := local.objects, len(g.objects(t)); got != want {
			t.Errorf("objects: got %d, want %d", got, want)
		}

		// One commit more, of which only what is new comes.
		last := g.at(8*24*60*60).commit(t, "c7", "top", "top once more")
		h.push(t, g, "main")
		_, err = fetchOnce(t, h.client, h.url, FetchRequest{
			Into: local, Have: refs, Prefixes: []string{"refs/heads/main"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := local.Object(ctx, hashOf(t, last)); err != nil {
			t.Errorf("the new commit: %v", err)
		}
		if local.objects > 8 {
			t.Errorf("objects of the second pack: got %d, want at most 8", local.objects)
		}

		// Nothing new: nothing is asked for.
		local.objects = -1
		refs, err = fetchOnce(t, h.client, h.url, FetchRequest{
			Into: local, Have: []store.Ref{{Name: "x", Hash: hashOf(t, last)}},
			Prefixes: []string{"refs/heads/main", "refs/heads/side"},
		})
		if err != nil || local.objects != -1 {
			t.Errorf("nothing new: got %v and %d objects, want no pack", err, local.objects)
		}
		if got, want := len(refs), 2; got != want {
			t.Errorf("refs with the prefixes: got %d, want %d", got, want)
		}
	})
}

// chain makes a commit with one file on a parent, and all its objects.
func chain(date int, text string, parents ...store.Hash) (objs []object.Object, tip store.Hash) {
	file := blob(text)
	tree := folder(map[string]object.Object{"file": file})
	c := commitOf(date, tree.Hash(), parents...)
	return []object.Object{file, tree, c}, c.Hash()
}

func TestClientPush(t *testing.T) {
	overHosts(t, func(t *testing.T, h host) {
		push := func(p PushRequest) error { return pushOnce(t, h.client, h.url, p) }
		firstObjs, first := chain(100, "1")
		if err := push(PushRequest{Commands: []Command{{Name: "refs/heads/main", New: first}}, Objects: firstObjs}); err != nil {
			t.Fatal(err)
		}
		secondObjs, second := chain(200, incompressible(3<<20), first)
		err := push(PushRequest{
			Commands: []Command{{Name: "refs/heads/main", Old: first, New: second}, {Name: "refs/heads/x", New: first}},
			Objects:  append(secondObjs, secondObjs...),
		})
		if err != nil {
			t.Fatal(err)
		}
		h.wantRefs(t, "main", second, "x", first)

		// The loser of a race learns it, and an atomic push moves nothing.
		thirdObjs, third := chain(300, "3", first)
		err = push(PushRequest{
			Commands: []Command{{Name: "refs/heads/main", Old: first, New: third}, {Name: "refs/heads/y", New: first}},
			Objects:  thirdObjs,
		})
		var rejected *RejectedError
		if !errors.As(err, &rejected) || rejected.Ref != "refs/heads/main" {
			t.Errorf("wrong old value: got %v, want a RejectedError for main", err)
		}
		h.wantRefs(t, "main", second, "x", first)

		if err := push(PushRequest{Commands: []Command{{Name: "refs/heads/x", Old: first}}}); err != nil {
			t.Errorf("delete: %v", err)
		}
		h.wantRefs(t, "main", second)

		// Without the objects it needs, a push is refused.
		_, lacking := chain(400, "4", second)
		err = push(PushRequest{Commands: []Command{{Name: "refs/heads/main", Old: second, New: lacking}}})
		if !errors.As(err, &rejected) {
			t.Errorf("lacking objects: got %v, want a RejectedError", err)
		}
		h.wantRefs(t, "main", second)
		h.repo.git(t, "fsck", "--strict")
	})
}

// wantRefs checks all the branches of the host: name, hash, …
func (h host) wantRefs(t *testing.T, want ...any) {
	t.Helper()
	var list strings.Builder
	for i := 0; i < len(want); i += 2 {
		fmt.Fprintf(&list, "%s refs/heads/%s\n", want[i+1], want[i])
	}
	if got := h.repo.refs(t); got != list.String() {
		t.Errorf("refs: got %q, want %q", got, list.String())
	}
}

func TestClientHonoursEveryLine(t *testing.T) {
	h := stockHost(t, true)
	hook := "#!/bin/sh\necho talking >&2\ncase $1 in */no) exit 1;; esac\n"
	if err := os.WriteFile(filepath.Join(h.repo.dir, "hooks", "update"), []byte(hook), 0o777); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	h.client.Progress = &said
	objs, tip := chain(100, "1")
	commands := []Command{{Name: "refs/heads/no", New: tip}, {Name: "refs/heads/yes", New: tip}}
	err := pushOnce(t, h.client, h.url, PushRequest{Commands: commands, Objects: objs})
	if got, want := rejections(err), []string{"refs/heads/no", "refs/heads/yes"}; !slices.Equal(got, want) {
		t.Errorf("atomic: rejected %q, want %q (%v)", got, want, err)
	}
	h.wantRefs(t)
	if !strings.Contains(said.String(), "talking") {
		t.Errorf("progress: got %q, want what the hook says", said.String())
	}

	h.repo.git(t, "config", "receive.advertiseAtomic", "false")
	err = pushOnce(t, h.client, h.url, PushRequest{Commands: commands, Objects: objs})
	if !errors.Is(err, ErrNotAtomic) {
		t.Errorf("not atomic: got %v, want %v", err, ErrNotAtomic)
	}
	h.wantRefs(t)
	err = pushOnce(t, h.client, h.url, PushRequest{Commands: commands, Objects: objs, Partial: true})
	if got, want := rejections(err), []string{"refs/heads/no"}; !slices.Equal(got, want) {
		t.Errorf("partial: rejected %q, want %q (%v)", got, want, err)
	}
	h.wantRefs(t, "yes", tip)
}

// rejections are the refs that an error says were rejected.
func rejections(err error) []string {
	var refs []string
	switch e := err.(type) {
	case *RejectedError:
		refs = append(refs, e.Ref)
	case interface{ Unwrap() error }:
		refs = rejections(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			refs = append(refs, rejections(err)...)
		}
	}
	return refs
}
