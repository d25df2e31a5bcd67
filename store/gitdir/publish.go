package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"cairn/store/object"
)

// A publication is a pack that has got its name while no ref may need it yet.
type publication struct {
	d     *Dir
	name  string // "" when there was no pack
	keep  bool   // we hold its .keep file
	fresh bool   // the pack was not there before
	mtime time.Time
}

// publish gives the pack its name, durably, under the protection of a .keep
// file: whoever repacks now does not see the ref that is going to need it.
func (s *stage) publish(ctx context.Context) (p publication, err error) {
	if s.sum == object.Zero {
		return publication{}, nil
	}
	d := s.d
	p = publication{d: d, name: packFolder + "/pack-" + s.sum.String()}
	if p.keep, err = d.takeKeep(ctx, p.name); err != nil {
		return publication{}, err
	}
	_, err = os.Lstat(d.root.path(p.name + ".pack"))
	p.fresh = p.keep && errors.Is(err, fs.ErrNotExist)
	if err := s.place(p.name); err != nil {
		p.retract()
		p.settle()
		return publication{}, fmt.Errorf("write %s: %w", p.name, temporary(err))
	}
	opened, err := d.openPack(p.name)
	if err != nil {
		p.settle()
		return publication{}, err
	}
	p.mtime = opened.mtime
	d.packs.change(opened, nil)
	d.committed()
	return p, nil
}

func (s *stage) place(name string) error {
	if s.d.partial {
		if err := s.d.markPromised(name); err != nil {
			return err
		}
	}
	for i, ext := range []string{".pack", ".idx"} {
		if err := s.d.disk.rename(s.files[i].temp, name+ext); err != nil {
			return err
		}
		s.files[i].temp = ""
	}
	return s.d.disk.syncDir(packFolder)
}

// takeKeep takes a pack's .keep file, which several in this process may hold
// together. It reports false when somebody has put one there for good.
func (d *Dir) takeKeep(ctx context.Context, name string) (held bool, err error) {
	err = patiently(ctx, func() error { return d.tryKeep(name) })
	var other *heldError
	if errors.As(err, &other) {
		if _, err := os.Stat(d.root.path(name + ".idx")); err == nil {
			return false, nil
		}
	}
	return err == nil, err
}

func (d *Dir) tryKeep(name string) error {
	d.keepMu.Lock()
	defer d.keepMu.Unlock()
	if d.keeps[name] == 0 {
		if err := d.lock(name + ".keep"); err != nil {
			return err
		}
	}
	d.keeps[name]++
	return nil
}

// settle ends the protection: a ref has moved, or will not.
func (p *publication) settle() {
	if !p.keep {
		return
	}
	p.keep = false
	p.d.keepMu.Lock()
	defer p.d.keepMu.Unlock()
	if p.d.keeps[p.name]--; p.d.keeps[p.name] == 0 {
		delete(p.d.keeps, p.name)
		p.d.disk.remove(p.name + ".keep")
	}
}

// retract removes a pack that no ref needs after all, unless somebody else is
// publishing the very same one, or git has taken an object in it for one of
// its own, which it notes by touching the pack.
func (p *publication) retract() {
	if !p.fresh {
		return
	}
	p.d.keepMu.Lock()
	defer p.d.keepMu.Unlock()
	st, err := os.Stat(p.d.root.path(p.name + ".pack"))
	if err != nil || p.d.keeps[p.name] > 1 || !p.mtime.IsZero() && !st.ModTime().Equal(p.mtime) {
		return
	}
	p.d.removePack(p.name)
	p.d.packs.change(nil, func(q *packFile) bool { return q.name == p.name })
}

// removePack removes a pack's files, the index first: without it nobody looks
// for the pack.
func (d *Dir) removePack(name string) {
	for _, ext := range []string{".idx", ".rev", ".bitmap", ".mtimes", ".promisor", ".pack"} {
		d.disk.remove(name + ext)
	}
}
