package mailbox

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// An away backend refuses some commits as one does that cannot be reached.
type away struct {
	store.Backend
	times atomic.Int64
}

func (a *away) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if a.times.Add(-1) >= 0 {
		return fmt.Errorf("%w: away", store.ErrTemporary)
	}
	return a.Backend.Commit(ctx, objs, changes)
}

// TestRun settles what was pushed, also when the store is away at first.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &away{Backend: mem.New()}
		k := newKit(t, b, Options{})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			k.Run(ctx, slog.New(slog.DiscardHandler))
		}()
		put := func(tx *store.Tx) error { return tx.Put("mailboxes/INBOX/x.eml", []byte("Subject: x\n\n")) }
		if err := k.Box("alice").Branch().Update(ctx, change, put); err != nil {
			t.Fatal(err)
		}
		b.times.Store(3)
		k.Pushed("bob")
		k.Pushed("alice")
		for s, err := range k.Box("alice").Watch(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if m, err := s.Mailbox(Inbox); err == nil && m.Len() == 1 {
				break
			}
		}
		stop()
		<-ended
	})
}
