package gitwire

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"cairn/store"
)

// A pack that is not wanted is read to its end all the same, however large:
// stock git reads the report only then. It gets the reason, and nothing hangs.
func TestPushRefusedBeforeThePack(t *testing.T) {
	overBackends(t, func(t *testing.T, l *lab, url string) {
		dir := l.clone(url)
		l.git(dir, "config", "core.compression", "0")
		if err := os.WriteFile(filepath.Join(dir, "large"), []byte(incompressible(6<<20)), 0o666); err != nil {
			t.Fatal(err)
		}
		tip := l.commit(dir)
		l.fails("only branches and tags can be pushed", dir, "push", "origin", "HEAD:refs/notes/x")

		l.mu.Lock()
		l.limits = store.Limits{PackBytes: 1 << 20}
		l.mu.Unlock()
		l.fails("the pack or an object in it is larger than this repository takes", dir, "push", "origin", "main")
		l.want("refs/heads/main", "")

		l.mu.Lock()
		l.limits = store.Limits{}
		l.mu.Unlock()
		l.git(dir, "push", "-q", "origin", "main")
		l.want("refs/heads/main", tip)
	})
}

// The work for a push ends when the pusher leaves.
func TestPusherLeaves(t *testing.T) {
	l := labOver(t, "mem")
	entered, left := make(chan struct{}), make(chan struct{})
	l.accept = func(ctx context.Context, _ *Push) error {
		close(entered)
		<-ctx.Done()
		close(left)
		return ctx.Err()
	}
	ctx, cancel := context.WithCancel(t.Context())
	objs, tip := chain(100, "1")
	gone := make(chan error, 1)
	remote := remoteOf(t, &Client{HTTP: http.DefaultTransport}, l.http)
	go func() {
		gone <- remote.Push(ctx, PushRequest{
			Commands: []Command{{Name: "refs/heads/main", New: tip}}, Objects: objs,
		})
	}()
	<-entered
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("push: got %v, want %v", err, context.Canceled)
	}
	select {
	case <-left:
	case <-time.After(2 * time.Minute):
		t.Error("the check goes on without the pusher")
	}
	l.want("refs/heads/main", "")
}
