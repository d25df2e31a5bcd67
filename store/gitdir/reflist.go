package gitdir

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"cairn/store"
)

// A refList is the list of all refs below refs/, kept for refTTL.
type refList struct {
	mu    sync.Mutex // held while reading, so that one reads for all who ask
	refs  []store.Ref
	read  time.Time
	loose map[string]looseRef

	// moved counts our own commits. A list read while one took place
	// is not kept.
	moved  atomic.Uint64
	readAt uint64 // moved, before refs was read
}

// A looseRef is the content of a loose ref's file and what the file looked like
// when it was read.
type looseRef struct {
	ref     store.Ref
	err     error
	id      fileID
	settled bool // too old, when read, to have been replaced since with nothing to show for it
}

// settleTime is the coarsest time stamp of a file system in use: a file that
// is younger may change twice within one tick.
const settleTime = 2 * time.Second

// Refs implements store.Backend. The list is one of a moment only for each
// single ref. One whose file is damaged is left out, as git does; Ref says
// what is wrong with it.
func (d *Dir) Refs(ctx context.Context, prefix string) iter.Seq2[store.Ref, error] {
	return func(yield func(store.Ref, error) bool) {
		refs, err := d.allRefs()
		if err != nil {
			yield(store.Ref{}, err)
			return
		}
		from, _ := slices.BinarySearchFunc(refs, prefix, func(r store.Ref, p string) int {
			return strings.Compare(r.Name, p)
		})
		for _, ref := range refs[from:] {
			if !strings.HasPrefix(ref.Name, prefix) {
				return
			}
			if err := ctx.Err(); err != nil {
				yield(store.Ref{}, err)
				return
			}
			if !yield(ref, nil) {
				return
			}
		}
	}
}

// allRefs returns every ref below refs/, sorted. The slice is shared.
func (d *Dir) allRefs() ([]store.Ref, error) {
	l := &d.list
	l.mu.Lock()
	defer l.mu.Unlock()
	now, moved := time.Now(), l.moved.Load()
	if now.Sub(l.read) <= refTTL && moved == l.readAt {
		return l.refs, nil
	}
	refs, err := d.scanRefs(now)
	if err != nil {
		return nil, err
	}
	l.refs, l.read, l.readAt = refs, now, moved
	return refs, nil
}

// damage returns the error of a ref that was left out, if there is one.
func (l *refList) damage() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ref := range l.loose {
		if ref.err != nil {
			return ref.err
		}
	}
	return nil
}

// scanRefs reads the loose refs and then packed-refs, in this order.
func (d *Dir) scanRefs(now time.Time) ([]store.Ref, error) {
	loose := make(map[string]looseRef, len(d.list.loose))
	if err := d.scanLoose("refs", now, loose); err != nil {
		return nil, temporary(err)
	}
	d.list.loose = loose
	packed, err := d.packed()
	if err != nil {
		return nil, err
	}
	refs := make([]store.Ref, 0, len(loose)+len(packed.refs))
	for _, p := range packed.refs {
		if _, ok := loose[p.name]; !ok {
			refs = append(refs, store.Ref{Name: p.name, Hash: p.hash})
		}
	}
	for name, l := range loose {
		if l.err == nil && l.ref.Target != "" {
			l.ref, l.err = d.readRef(name)
		}
		if l.err == nil {
			refs = append(refs, l.ref)
		}
	}
	slices.SortFunc(refs, func(a, b store.Ref) int { return strings.Compare(a.Name, b.Name) })
	return refs, nil
}

// scanLoose collects the loose refs below dir.
func (d *Dir) scanLoose(dir string, now time.Time, into map[string]looseRef) error {
	entries, err := os.ReadDir(d.root.path(dir))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil // removed since its parent was read
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := dir + "/" + e.Name()
		switch {
		case e.IsDir():
			if err := d.scanLoose(name, now, into); err != nil {
				return err
			}
		case readable(name):
			if l, ok := d.statLoose(name, now); ok {
				into[name] = l
			}
		}
	}
	return nil
}

// statLoose reads one loose ref, or takes what is known of it if its file has not
// changed. ok is false when the file has gone.
func (d *Dir) statLoose(name string, now time.Time) (l looseRef, ok bool) {
	st, err := os.Lstat(d.root.path(name))
	if err != nil {
		return l, false
	}
	known, ok := d.list.loose[name]
	if id := idOf(st); ok && known.settled && known.id == id {
		return known, true
	}
	l = looseRef{id: idOf(st), settled: now.Sub(st.ModTime()) > settleTime}
	l.ref, l.err = d.readLoose(name)
	return l, !errors.Is(l.err, fs.ErrNotExist)
}
