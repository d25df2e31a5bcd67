package remote

import (
	"errors"
	"fmt"
	"time"
)

// reachable is ErrAway while the host is known to be away.
func (b *Backend) reachable() error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if !b.away.IsZero() {
		return fmt.Errorf("%w (since %s: %w)", ErrAway, b.away.Format(time.TimeOnly), b.awayErr)
	}
	return nil
}

// answered notes that the host has answered.
func (b *Backend) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.contact = time.Now()
	if !b.away.IsZero() {
		b.log.Info("the host is back", "after", b.contact.Sub(b.away).Round(time.Millisecond))
		b.away, b.awayErr = time.Time{}, nil
		b.stir()
	}
}

// noteAway notes an error of talking to the host, if it means that the host is away. Writes
// then fail until the follower has found it back.
func (b *Backend) noteAway(err error) {
	if _, here := errors.AsType[*hereError](err); here || !isTemporary(err) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away.IsZero() {
		b.away = time.Now()
		b.abilities = nil
		b.log.Warn("the host is away", "error", err)
	}
	b.awayErr = err
	b.Wake()
}
