package mailbox

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"cairn/store"
)

// pushes are the users to whose mail somebody has pushed.
type pushes struct {
	mu    sync.Mutex
	users map[string]bool
	wake  chan struct{} // of one
}

// Pushed notes that somebody has pushed to a user's mail, which Run then settles. It does not wait.
func (b *Boxes) Pushed(user string) {
	b.pushes.mu.Lock()
	b.pushes.users[user] = true
	b.pushes.mu.Unlock()
	select {
	case b.pushes.wake <- struct{}{}:
	default:
	}
}

func (p *pushes) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	users := slices.Sorted(maps.Keys(p.users))
	clear(p.users)
	return users
}

// settleAgain is when to try again where the store was away.
const settleAgain = 5 * time.Second

// Run settles the mail of those whom Pushed names, until ctx ends. What goes wrong is said in log.
func (b *Boxes) Run(ctx context.Context, log *slog.Logger) {
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.pushes.wake:
		case <-again:
		}
		again = nil
		for _, user := range b.pushes.take() {
			err := b.Settle(ctx, user)
			if err == nil || ctx.Err() != nil {
				continue
			}
			log.Warn("mail after a push", "user", user, "err", err)
			if errors.Is(err, store.ErrTemporary) {
				b.pushes.mu.Lock()
				b.pushes.users[user] = true
				b.pushes.mu.Unlock()
				again = time.After(settleAgain)
			}
		}
	}
}
