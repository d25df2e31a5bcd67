package imap

import (
	"context"
	"sync"
	"time"

	"cairn/services/mail/mailbox"

	"github.com/emersion/go-imap/v2/imapserver"
)

// Poll implements imapserver.Session.
func (s *session) Poll(_ *imapserver.UpdateWriter, expunge bool) error { return s.poll(expunge) }

// Idle implements imapserver.Session (RFC 2177): it tells what changes until stop. It runs beside
// the connection's goroutine, which does nothing meanwhile but wait.
func (s *session) Idle(_ *imapserver.UpdateWriter, stop <-chan struct{}) error {
	if s.view == nil {
		<-stop
		return nil
	}
	moved, leave := s.server.hub.join(s.box)
	defer leave()
	for {
		if err := s.poll(true); err != nil {
			return err
		}
		if err := s.front.wire.flush(); err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		case <-moved:
		}
	}
}

// A hub watches the mail of those whose sessions idle, once for each person. The zero hub is ready.
type hub struct {
	mu    sync.Mutex
	users map[string]*watch
}

// A watch is one person's mail being watched.
type watch struct {
	sessions map[chan struct{}]bool
	cancel   context.CancelFunc
	done     chan struct{}
}

// join returns a channel that tells that somebody's mail has changed, until leave is called.
func (h *hub) join(box *mailbox.Box) (moved <-chan struct{}, leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.users[box.User()]
	if w == nil {
		ctx, cancel := context.WithCancel(context.Background())
		w = &watch{map[chan struct{}]bool{}, cancel, make(chan struct{})}
		if h.users == nil {
			h.users = map[string]*watch{}
		}
		h.users[box.User()] = w
		go h.follow(ctx, box, w)
	}
	c := make(chan struct{}, 1)
	w.sessions[c] = true
	return c, func() { h.leave(box.User(), w, c) }
}

// leave ends a watch with its last session.
func (h *hub) leave(user string, w *watch, c chan struct{}) {
	h.mu.Lock()
	delete(w.sessions, c)
	last := len(w.sessions) == 0
	if last {
		delete(h.users, user)
	}
	h.mu.Unlock()
	if last {
		w.cancel()
		<-w.done
	}
}

// watchAgain is how long to wait after the store could not be watched.
const watchAgain = time.Second

// follow tells the sessions of a watch of everything that moves.
func (h *hub) follow(ctx context.Context, box *mailbox.Box, w *watch) {
	defer close(w.done)
	for ctx.Err() == nil {
		for _, err := range box.Watch(ctx) {
			if err != nil {
				break
			}
			h.tell(w)
		}
		select {
		case <-ctx.Done():
		case <-time.After(watchAgain):
		}
	}
}

func (h *hub) tell(w *watch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range w.sessions {
		select {
		case c <- struct{}{}:
		default: // it has not looked since it was told last
		}
	}
}
