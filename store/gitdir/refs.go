package gitdir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// Refs, as git lays them out (gitrepository-layout(5), git-pack-refs(1)): a ref
// is a file of its own, "loose", or else a line of packed-refs. A loose one wins.
//
// Order is what makes reading without locks right. Whoever packs writes
// packed-refs first and removes the loose file then; so a reader that finds no
// loose file and reads packed-refs afterwards finds every ref that there is.

// SeenAfter is at the latest how long after it a change by another process is seen.
const SeenAfter = 20 * time.Millisecond

// refTTL is how long a value that was read is taken for current.
const refTTL = SeenAfter

// A cachedRef is what was last known of one ref. A commit of our own that
// has moved it stores the new value before it returns; mu keeps a reader that was slow
// from overwriting that with an older one.
type cachedRef struct {
	mu   sync.Mutex
	ref  store.Ref
	err  error
	read time.Time
}

// Ref implements store.Backend.
func (d *Dir) Ref(ctx context.Context, name string) (store.Ref, error) {
	if err := ctx.Err(); err != nil {
		return store.Ref{}, err
	}
	if !readable(name) {
		return store.Ref{}, fmt.Errorf("ref %q: %w", name, fs.ErrNotExist)
	}
	c := d.cached(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.read) > refTTL {
		c.ref, c.err = d.readRef(name)
		if c.read = now; c.ref.Target != "" {
			c.read = time.Time{} // it moves with its target, of which it is not told
		}
	}
	return c.ref, c.err
}

// readable reports whether a name cannot lead out of the places for refs.
func readable(name string) bool {
	return name == "HEAD" || strings.HasPrefix(name, "refs/") && object.ValidRefName(name)
}

// maxCachedRefs bounds the cache of single refs; beyond it starts anew.
const maxCachedRefs = 10_000

func (d *Dir) cached(name string) *cachedRef {
	d.refsMu.RLock()
	c := d.refs[name]
	d.refsMu.RUnlock()
	if c != nil {
		return c
	}
	d.refsMu.Lock()
	defer d.refsMu.Unlock()
	if c = d.refs[name]; c == nil {
		if len(d.refs) >= maxCachedRefs {
			clear(d.refs)
		}
		c = &cachedRef{}
		d.refs[name] = c
	}
	return c
}

// forget makes the next read of a ref, and of the list, a fresh one.
func (d *Dir) forget(name string) {
	c := d.cached(name)
	c.mu.Lock()
	c.read = time.Time{}
	c.mu.Unlock()
}

// readRef reads a ref and what it leads to if it is symbolic.
func (d *Dir) readRef(name string) (store.Ref, error) {
	ref, err := d.readRaw(name)
	if err != nil || ref.Target == "" {
		return ref, err
	}
	at := ref
	for range 5 { // as many as git follows (SYMREF_MAXDEPTH)
		at, err = d.readRaw(at.Target)
		if errors.Is(err, fs.ErrNotExist) {
			return ref, nil // unborn
		}
		if err != nil || at.Target == "" {
			ref.Hash = at.Hash
			return ref, err
		}
	}
	return store.Ref{}, fmt.Errorf("ref %s: symbolic refs lead in a circle", name)
}

// readRaw reads a ref without following it.
func (d *Dir) readRaw(name string) (store.Ref, error) {
	ref, err := d.readLoose(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return ref, err
	}
	packed, err := d.packed()
	if err != nil {
		return store.Ref{}, err
	}
	if p, ok := packed.find(name); ok {
		return store.Ref{Name: name, Hash: p.hash}, nil
	}
	return store.Ref{}, fmt.Errorf("ref %s: %w", name, fs.ErrNotExist)
}

// readLoose reads a ref's own file; fs.ErrNotExist if it has none.
func (d *Dir) readLoose(name string) (store.Ref, error) {
	f, err := os.Open(d.root.path(name))
	if err != nil {
		return store.Ref{}, looseError(name, err)
	}
	defer f.Close()
	var buf [256]byte
	data := buf[:0]
	for len(data) < maxRefLine {
		if len(data) == cap(data) {
			data = append(data, make([]byte, len(data))...)[:len(data)]
		}
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return store.Ref{}, looseError(name, err)
		}
	}
	return parseLoose(name, data)
}

func looseError(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) {
		return fmt.Errorf("ref %s: %w", name, fs.ErrNotExist)
	}
	return fmt.Errorf("ref %s: %w", name, temporary(err))
}

// parseLoose reads "<hash>\n" or "ref: <name>\n". Git ignores what follows white space.
func parseLoose(name string, data []byte) (store.Ref, error) {
	if target, ok := bytes.CutPrefix(data, []byte("ref:")); ok {
		t := string(bytes.TrimSpace(target))
		if !readable(t) {
			return store.Ref{}, fmt.Errorf("ref %s: it is symbolic and leads to %.60q, which is no ref", name, t)
		}
		return store.Ref{Name: name, Target: t}, nil
	}
	if len(data) >= 40 && (len(data) == 40 || bytes.ContainsRune([]byte(" \t\r\n"), rune(data[40]))) {
		if h, ok := parseHash(data[:40]); ok {
			return store.Ref{Name: name, Hash: h}, nil
		}
	}
	return store.Ref{}, fmt.Errorf("ref %s: its file is damaged (%.60q); write the hash it should have into it", name, data)
}
