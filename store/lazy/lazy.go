package lazy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// Options say where objects are kept and where they come from. The zero value
// keeps up to 64 MiB in memory and fetches nothing.
type Options struct {
	// Bytes bounds the memory. Default 64 MiB, least 1 MiB.
	Bytes int64

	// Folder keeps the objects instead of memory: a gitdir.Dir opened as Partial. The caller
	// closes it, after the Store. Memory then holds one unpacked tree.
	Folder Folder
	// FolderBytes bounds what is in the folder, about: with Fetch, what was read longest ago is
	// removed. Default no bound.
	FolderBytes int64

	// Fetch asks for objects elsewhere: for these and nothing below or behind them, as
	// far as the host can be told so. When it returns nil, those that exist have arrived.
	// It returns fs.ErrNotExist when the host refuses because one of them
	// does not exist, and is asked for fewer then; store.ErrTemporary when it may be asked
	// again later. It sets its own limit in time; ctx ends when nobody waits any more.
	// Up to 8 calls run at a time, and none may miss anything itself: it reads Held. nil: nothing
	// that is missing can be had.
	Fetch func(ctx context.Context, hashes []store.Hash) error
}

const (
	defaultBytes = 64 << 20
	leastBytes   = 1 << 20
)

// A Store is the objects that are here and, through Fetch, those that are
// elsewhere. It is store.Objects, store.Receiver and store.Packed. Safe
// for concurrent use.
type Store struct {
	here   place
	ahead  ahead
	misses misses
}

// A place keeps objects.
type place interface {
	store.Objects
	store.Packed
	put(ctx context.Context, objs []object.Object) error
	receive(ctx context.Context, r io.Reader, base baseFunc, lim store.Limits) (Quarantine, error)
}

type baseFunc = func(context.Context, store.Hash) (object.Object, error)

var (
	_ store.Objects  = (*Store)(nil)
	_ store.Receiver = (*Store)(nil)
	_ store.Packed   = (*Store)(nil)
)

// New returns a Store. The caller closes it.
func New(o Options) *Store {
	if o.Bytes == 0 {
		o.Bytes = defaultBytes
	}
	o.Bytes = max(o.Bytes, leastBytes)
	s := &Store{}
	s.misses.start(s, o.Fetch)
	s.ahead.init(o.Bytes, func() place { return s.here }, o.Folder != nil)
	if o.Folder != nil {
		s.here = &folder{Folder: o.Folder, max: o.FolderBytes, lossy: o.Fetch != nil}
	} else {
		s.here = newMemory(o.Bytes-s.ahead.bytes(), o.Bytes, o.Fetch != nil, s.misses.arrived)
	}
	return s
}

// Used is how many bytes of memory the Store takes, of those that Options.Bytes allows.
func (s *Store) Used() int64 {
	used := s.ahead.bytes()
	if m, ok := s.here.(*memory); ok {
		m.mu.RLock()
		defer m.mu.RUnlock()
		m.plain.mu.Lock()
		defer m.plain.mu.Unlock()
		used += m.used + m.tableBytes() + m.plain.used
	}
	return used
}

// Close ends the requests under way and waits for them. What is missed from then on
// is fs.ErrClosed.
func (s *Store) Close() error {
	s.misses.close()
	return nil
}

// Object implements store.Objects.
func (s *Store) Object(ctx context.Context, h store.Hash) (o object.Object, err error) {
	err = s.look(ctx, h, func(objs store.Objects) error {
		o, err = objs.Object(ctx, h)
		return err
	})
	if err == nil && o.Type == object.TypeTree {
		s.ahead.note(h, o.Data)
	}
	return o, err
}

// Stat implements store.Objects.
func (s *Store) Stat(ctx context.Context, h store.Hash) (t object.Type, size int64, err error) {
	err = s.look(ctx, h, func(objs store.Objects) error {
		t, size, err = objs.Stat(ctx, h)
		return err
	})
	return t, size, err
}

// Open implements store.Objects.
func (s *Store) Open(ctx context.Context, h store.Hash) (r io.ReadCloser, err error) {
	err = s.look(ctx, h, func(objs store.Objects) error {
		r, err = objs.Open(ctx, h)
		return err
	})
	return r, err
}

// Entry implements store.Packed.
func (s *Store) Entry(ctx context.Context, h store.Hash) (e store.Entry, ok bool, err error) {
	err = s.look(ctx, h, func(objs store.Objects) error {
		e, ok, err = objs.(store.Packed).Entry(ctx, h)
		return err
	})
	return e, ok, err
}

// maxLooks is how often an object is brought that is gone again when it is to be read.
const maxLooks = 3

// look reads an object here or, when it is not, where it has arrived.
func (s *Store) look(ctx context.Context, h store.Hash, read func(store.Objects) error) error {
	err := read(s.here)
	for range maxLooks {
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		found, missed := s.misses.bring(ctx, h)
		if missed != nil {
			return fmt.Errorf("object %v: %w", h, missed)
		}
		err = read(found)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("object %v is dropped as soon as it arrives: %w", h, store.ErrTemporary)
	}
	return err
}

// Held returns the objects that are here. It never asks for others: what is
// not here is fs.ErrNotExist.
func (s *Store) Held() store.Objects { return s.here }

// Put keeps objects that were made here and are elsewhere by now; their names are believed. It
// does not share their bytes.
func (s *Store) Put(ctx context.Context, objs ...object.Object) error {
	return s.here.put(ctx, objs)
}
