// Package mirror keeps a second repository somewhere else as the first is: a
// backup that stock git can clone, one push behind at most while the host is there.
//
// The backup belongs to its mirror. Refs there that this repository knows nothing of
// are never overwritten: they are reported, and everything else goes on.
package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
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
	for ctx.Err() == nil {
		err := m.Sync(ctx)
		if ctx.Err() == nil && err != nil {
			m.Log.Warn("backup is behind", "to", m.To.String(), "err", err)
		}
		if _, ok := errors.AsType[*ForeignError](err); ok || err == nil {
			pause = 0
			m.sleep(ctx, every, m.wake)
			continue
		}
		pause = min(max(2*pause, time.Second), every)
		m.sleep(ctx, pause, nil)
	}
}

func (m *Mirror) init() { m.once.Do(func() { m.wake = make(chan struct{}, 1) }) }

// sleep waits for a while, or until somebody sends.
func (m *Mirror) sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-wake:
	case <-t.C:
		m.mark(nil) // look at everything
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

// A ForeignError says that a backup holds what is not of this repository: somebody
// else writes to it, or it is another one's.
type ForeignError struct {
	Refs []string
}

func (e *ForeignError) Error() string {
	const most = 5
	list := e.Refs
	if len(list) > most {
		list = append(slices.Clip(list[:most]), "…")
	}
	return "the backup holds what does not come from here, and keeps it: " + strings.Join(list, ", ")
}

// sync carries over the refs of some names, nil for all. What is at the backup is
// listed for all, and known for the others: it is as the last push left it, and
// where it is not, the backup refuses.
func (m *Mirror) sync(ctx context.Context, names map[string]bool) error {
	here, err := refs(ctx, m.From, names)
	if err != nil {
		return fmt.Errorf("list refs: %w", err)
	}
	if names == nil {
		if err := m.list(ctx); err != nil {
			return err
		}
	}
	p, err := m.plan(ctx, here, names)
	if err != nil || len(p.Commands) == 0 {
		return err
	}
	if err := m.To.Push(ctx, p); err != nil {
		return err
	}
	for _, c := range p.Commands {
		if c.New.IsZero() {
			delete(m.there, c.Name)
		} else {
			m.there[c.Name] = c.New
		}
	}
	return nil
}

// list asks what is at the backup.
func (m *Mirror) list(ctx context.Context) error {
	list, err := m.To.Refs(ctx, "refs/")
	if err != nil {
		return err
	}
	m.there, m.foreign = make(map[string]store.Hash, len(list)), map[string]bool{}
	for _, ref := range list {
		m.there[ref.Name] = ref.Hash
	}
	return nil
}

// refs lists the refs of a repository, or those of some names.
func refs(ctx context.Context, b store.Backend, names map[string]bool) (map[string]store.Hash, error) {
	list := map[string]store.Hash{}
	if names == nil {
		for ref, err := range b.Refs(ctx, "refs/") {
			if err != nil {
				return nil, err
			}
			list[ref.Name] = ref.Hash
		}
		return list, nil
	}
	for name := range names {
		ref, err := b.Ref(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list[name] = ref.Hash
	}
	return list, nil
}

// plan works out what to push, and which refs there are not to be touched. Only
// what is known here is replaced.
func (m *Mirror) plan(ctx context.Context, here map[string]store.Hash, names map[string]bool) (gitwire.PushRequest, error) {
	p := gitwire.PushRequest{From: m.From, Partial: true}
	if names == nil {
		names = map[string]bool{}
		for _, refs := range []map[string]store.Hash{here, m.there} {
			for name := range refs {
				names[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old, now := m.there[name], here[name]
		delete(m.foreign, name)
		if old == now {
			continue
		}
		if ok, err := m.known(ctx, old); err != nil {
			return p, err
		} else if !ok {
			m.foreign[name] = true
			continue
		}
		p.Commands = append(p.Commands, gitwire.Command{Name: name, Old: old, New: now})
	}
	for name, h := range m.there {
		if !m.foreign[name] {
			p.Have = append(p.Have, h)
		}
	}
	return p, nil
}

// known reports whether a value at the backup, or none, is one that was here.
func (m *Mirror) known(ctx context.Context, h store.Hash) (bool, error) {
	if h.IsZero() {
		return true, nil
	}
	_, _, err := m.From.Stat(ctx, h)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
