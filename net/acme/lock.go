package acme

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"
)

// locks are held by one replica at a time. A lock is a file in the storage; its
// holder changes it every third of a term. Who waits takes the lock when the
// file is gone, or has not changed for a whole term by the waiter's own clock:
// what the replicas' clocks say does not matter.
type locks struct {
	storage Storage
	log     *slog.Logger
	term    time.Duration // after which a silent holder has lost the lock
	look    time.Duration // between two looks at a lock that somebody else has

	mu   sync.Mutex
	held map[string]*beat
}

// A lease is what the file of a lock says.
type lease struct {
	Holder string `json:"holder"` // of random letters
	Beat   int    `json:"beat"`
}

// A beat keeps a lock.
type beat struct {
	lease  lease
	cancel context.CancelFunc
	done   chan struct{}
}

var errHeld = errors.New("somebody else has the lock")

// lock waits for the lock and takes it.
func (l *locks) lock(ctx context.Context, name string) error {
	mine := lease{Holder: rand.Text()}
	var seen []byte
	var since time.Time
	for {
		file, err := l.storage.Load(ctx, lockKey(name))
		if errors.Is(err, fs.ErrNotExist) {
			file, err = nil, nil
		}
		if err != nil {
			return fmt.Errorf("lock %q: %w", name, err)
		}
		if file == nil || bytes.Equal(file, seen) && time.Since(since) >= l.term {
			err := l.take(ctx, name, file, mine)
			if err == nil {
				l.keep(name, mine)
				return nil
			}
			if !errors.Is(err, errHeld) {
				return fmt.Errorf("lock %q: %w", name, err)
			}
		}
		if !bytes.Equal(file, seen) {
			seen, since = file, time.Now()
		}
		if err := sleep(ctx, l.look); err != nil {
			return fmt.Errorf("lock %q: %w", name, err)
		}
	}
}

// take puts mine in the place of the file old.
func (l *locks) take(ctx context.Context, name string, old []byte, mine lease) error {
	return l.storage.Update(ctx, lockKey(name), func(now []byte) ([]byte, error) {
		if !bytes.Equal(now, old) {
			return nil, errHeld
		}
		return json.Marshal(mine)
	})
}

// keep starts to keep a lock that was taken.
func (l *locks) keep(name string, mine lease) {
	ctx, cancel := context.WithCancel(context.Background())
	b := &beat{lease: mine, cancel: cancel, done: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = map[string]*beat{}
	}
	l.held[name] = b
	go func() {
		defer close(b.done)
		for sleep(ctx, l.term/3) == nil {
			if err := l.next(ctx, name, b); err != nil && ctx.Err() == nil {
				l.log.Warn("the lock on an order may be lost to another replica", "lock", name, "err", err)
			}
		}
	}()
}

// next shows that the holder is alive.
func (l *locks) next(ctx context.Context, name string, b *beat) error {
	b.lease.Beat++
	return l.storage.Update(ctx, lockKey(name), func(now []byte) ([]byte, error) {
		if !b.holds(now) {
			return nil, errHeld
		}
		return json.Marshal(b.lease)
	})
}

func (b *beat) holds(file []byte) bool {
	var l lease
	return json.Unmarshal(file, &l) == nil && l.Holder == b.lease.Holder
}

// unlockTime bounds the giving back of a lock; one that is not given back only
// makes the next one wait for a term.
const unlockTime = 30 * time.Second

// unlock gives back a lock that this process took, also when ctx has ended.
func (l *locks) unlock(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
	defer cancel()
	l.mu.Lock()
	b := l.held[name]
	delete(l.held, name)
	l.mu.Unlock()
	if b == nil {
		return fmt.Errorf("unlock %q: %w", name, fs.ErrNotExist)
	}
	b.cancel()
	<-b.done
	err := l.storage.Update(ctx, lockKey(name), func(now []byte) ([]byte, error) {
		if b.holds(now) {
			return nil, nil
		}
		return now, nil
	})
	if err != nil {
		return fmt.Errorf("unlock %q: %w", name, err)
	}
	return nil
}

func lockKey(name string) string { return "lock/" + safe(name) }

// sleep returns an error if ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
