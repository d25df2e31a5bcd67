// Package mirror keeps a second repository somewhere else as the first is: a
// backup that stock git can clone, one push behind at most while the host is there.
//
// The backup belongs to its mirror. Refs there that this repository knows nothing of
// are never overwritten: they are reported, and everything else goes on.
package mirror

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"cairn/store"
	"cairn/store/gitwire"
)

// A Mirror carries what changes in From to To. Safe for concurrent use.
type Mirror struct {
	From store.Backend
	To   *gitwire.Remote
	Log  *slog.Logger
	// Every is how often to look for changes that nobody has told of, such as
	// pushes of stock git to the folder. Default: a minute.
	Every time.Duration

	once sync.Once
	wake chan struct{}

	mu      sync.Mutex      // guards changed and status
	changed map[string]bool // refs that may differ; nil: all of them may
	status  Status

	// Of Sync alone:
	there   map[string]store.Hash // the backup's refs, as they were listed or pushed last
	foreign map[string]bool       // of those, which are not from here
}

// Status says how far a mirror is.
type Status struct {
	Behind time.Time // since when the backup lacks something; Zero when it lacks nothing
	Pushed time.Time // when it was last known to be complete
	Err    error     // of the last try
}

// Run mirrors until ctx ends.
func (m *Mirror) Run(ctx context.Context) {
	m.init()
	every := m.Every
	if every == 0 {
		every = time.Minute
	}
	pause := time.Duration(0)
	looked := time.Now() // at everything
	told := ""
	for ctx.Err() == nil {
		if time.Since(looked) >= every {
			m.mark(nil)
			looked = time.Now()
		}
		err := m.Sync(ctx)
		told = m.tell(ctx, err, told)
		if _, ok := errors.AsType[*ForeignError](err); ok || err == nil {
			pause = 0
			m.sleep(ctx, every-time.Since(looked), m.wake)
			continue
		}
		pause = min(max(2*pause, time.Second), every)
		m.sleep(ctx, pause, nil)
	}
}

// tell tells of what is wrong, unless it has told the same already. It returns what that is now.
func (m *Mirror) tell(ctx context.Context, err error, told string) string {
	switch {
	case ctx.Err() != nil:
	case err == nil && told != "":
		m.Log.Info("backup is complete again", "to", m.To.String())
	case err != nil && err.Error() != told:
		m.Log.Warn("backup is behind", "to", m.To.String(), "err", err)
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

func (m *Mirror) init() { m.once.Do(func() { m.wake = make(chan struct{}, 1) }) }

// sleep waits for a while, or until somebody sends.
func (m *Mirror) sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-wake:
	case <-t.C:
	case <-ctx.Done():
	}
}

// Changed says that refs have moved. It does not wait.
func (m *Mirror) Changed(changes []store.RefChange) {
	m.init()
	m.mark(changes)
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// mark notes that refs may differ, nil for all of them.
func (m *Mirror) mark(changes []store.RefChange) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if changes == nil {
		m.changed = nil
		return
	}
	if m.status.Behind.IsZero() {
		m.status.Behind = time.Now()
	}
	if m.changed == nil {
		return
	}
	for _, c := range changes {
		m.changed[c.Name] = true
	}
}

// Status returns how far the mirror is.
func (m *Mirror) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status
}

// Sync carries over what differs now. It is not called beside Run.
func (m *Mirror) Sync(ctx context.Context) error {
	m.mu.Lock()
	names := m.changed
	m.changed = map[string]bool{}
	m.mu.Unlock()
	begin := time.Now()
	err := m.sync(ctx, names)
	if rejected, ok := errors.AsType[*gitwire.RejectedError](err); ok && rejected.Race && names != nil {
		err = m.sync(ctx, nil) // somebody else has been there
	}
	if err == nil && len(m.foreign) > 0 {
		err = &ForeignError{slices.Sorted(maps.Keys(m.foreign))}
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Err = err
	switch _, foreign := errors.AsType[*ForeignError](err); {
	case err == nil:
		m.status.Pushed = begin
		if len(m.changed) == 0 {
			m.status.Behind = time.Time{}
		}
		return nil
	case !foreign:
		m.changed = nil // the next time by a new list
	}
	if m.status.Behind.IsZero() {
		m.status.Behind = begin
	}
	return err
}
