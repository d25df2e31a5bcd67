package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"cairn/store"
	"cairn/store/pack"
)

// looseLimit is how many loose objects there may be. Stock git makes them when a
// push is small; we do not.
const looseLimit = 1000

// packLoose puts loose objects into a pack when there are many.
func (d *Dir) packLoose(ctx context.Context) error {
	loose, err := d.listLoose()
	if err != nil || len(loose) <= looseLimit {
		return err
	}
	s := stage{d: d}
	defer s.discard()
	packed, err := s.addLoose(ctx, loose)
	if err != nil {
		return err
	}
	if err := s.sync(); err != nil {
		return err
	}
	p, err := s.publish(ctx)
	if err != nil {
		return err
	}
	p.settle()
	for _, h := range packed {
		d.disk.remove(looseName(h))
	}
	return nil
}

// listLoose lists loose objects, and removes what a git that has died was writing.
func (d *Dir) listLoose() (loose []store.Hash, err error) {
	for fanout := range 256 {
		dir := fmt.Sprintf("objects/%02x", fanout)
		entries, err := os.ReadDir(d.root.path(dir))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, temporary(err)
		}
		for _, e := range entries {
			if h, ok := parseHash([]byte(dir[len("objects/"):] + e.Name())); ok {
				loose = append(loose, h)
			} else {
				d.sweepGit(dir, e)
			}
		}
	}
	return loose, nil
}

// sweepGit removes an unfinished file of git's that is past the grace, as git prune does.
func (d *Dir) sweepGit(dir string, e fs.DirEntry) {
	st, err := e.Info()
	if err == nil && strings.HasPrefix(e.Name(), "tmp_") && time.Since(st.ModTime()) > d.grace {
		d.disk.remove(path.Join(dir, e.Name()))
	}
}

// addLoose adds a pack of loose objects and its index. Damaged ones are left out.
func (s *stage) addLoose(ctx context.Context, loose []store.Hash) (packed []store.Hash, err error) {
	for _, h := range loose {
		if r, err := s.d.openLoose(h); err == nil {
			packed = append(packed, h)
			r.Close()
		} else {
			s.d.log.Warn("a loose object is left out", "err", err)
		}
	}
	f, err := s.create()
	if err != nil {
		return nil, err
	}
	w := pack.NewWriter(f, uint32(len(packed)), pack.Default)
	for _, h := range packed {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := s.d.openLoose(h)
		if err != nil {
			return nil, err
		}
		err = w.Stream(h, r.typ, r.size, r)
		r.Close()
		if err != nil {
			return nil, temporary(err)
		}
	}
	sum, entries, err := w.Close()
	if err != nil {
		return nil, temporary(err)
	}
	s.sum = sum
	_, err = s.addFile(pack.AppendIndex(nil, entries, sum))
	return packed, err
}
