package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"

	"golang.org/x/sync/errgroup"
)

// A stage holds files that are written under names of our own until they get
// the names under which they count.
type stage struct {
	d     *Dir
	files []staged
	sum   store.Hash // of the pack, which is files[0] with its index files[1]; or Zero
}

type staged struct {
	temp string
	file file // nil once synced and closed
}

// create adds an empty file.
func (s *stage) create() (file, error) {
	temp := s.d.owner.temp()
	f, err := s.d.disk.create(temp)
	if err != nil {
		return nil, temporary(err)
	}
	s.files = append(s.files, staged{temp, f})
	return f, nil
}

// addFile adds a file with this content and returns its name.
func (s *stage) addFile(data []byte) (temp string, err error) {
	f, err := s.create()
	if err != nil {
		return "", err
	}
	temp = s.files[len(s.files)-1].temp
	if _, err := f.Write(data); err != nil {
		return "", temporary(err)
	}
	return temp, nil
}

// addPack adds a pack of the objects and its index. It comes first. Contents
// are stored rather than compressed: merging does that later, and with deltas.
func (s *stage) addPack(objs []object.Object) error {
	f, err := s.create()
	if err != nil {
		return err
	}
	objs = unique(objs)
	w := pack.NewWriter(f, uint32(len(objs)), pack.Stored)
	for _, o := range objs {
		if _, err := w.Object(o); err != nil {
			return fmt.Errorf("write pack: %w", temporary(err))
		}
	}
	sum, entries, err := w.Close()
	if err != nil {
		return fmt.Errorf("write pack: %w", temporary(err))
	}
	s.sum = sum
	_, err = s.addFile(pack.AppendIndex(nil, entries, sum))
	return err
}

// unique drops objects that are given twice: a pack holds each once, and its
// header comes first and counts them.
func unique(objs []object.Object) []object.Object {
	seen := make(map[store.Hash]bool, len(objs))
	once := make([]object.Object, 0, len(objs))
	for _, o := range objs {
		if h := o.Hash(); !seen[h] {
			seen[h] = true
			once = append(once, o)
		}
	}
	return once
}

// sync makes the content of all files durable, all at once, and closes them.
func (s *stage) sync() error {
	var group errgroup.Group
	for i := range s.files[:max(len(s.files)-1, 0)] {
		group.Go(func() error { return s.files[i].finish() })
	}
	var err error
	if len(s.files) > 0 {
		err = s.files[len(s.files)-1].finish()
	}
	return temporary(errors.Join(group.Wait(), err))
}

func (f *staged) finish() error {
	if f.file == nil {
		return nil
	}
	err := errors.Join(f.file.Sync(), f.file.Close())
	f.file = nil
	return err
}

// discard removes the files that have not been given other names.
func (s *stage) discard() {
	for _, f := range s.files {
		if f.file != nil {
			f.file.Close()
		}
		if f.temp != "" {
			s.d.disk.remove(f.temp)
		}
	}
	s.files = nil
}

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
// The .keep is also a lock: two who write the very same pack do so one after the other.
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
	return p, nil
}

// takeKeep makes a .keep file. It reports false when somebody has put one there for good.
func (d *Dir) takeKeep(ctx context.Context, name string) (bool, error) {
	err := d.lock(ctx, name+".keep")
	if errors.Is(err, store.ErrTemporary) {
		if _, err := os.Stat(d.root.path(name + ".idx")); err == nil {
			return false, nil
		}
	}
	return err == nil, err
}

func (s *stage) place(name string) error {
	for i, ext := range []string{".pack", ".idx"} {
		if err := s.d.disk.rename(s.files[i].temp, name+ext); err != nil {
			return err
		}
		s.files[i].temp = ""
	}
	return s.d.disk.syncDir(packFolder)
}

// settle ends the protection: a ref has moved, or will not.
func (p *publication) settle() {
	if p.keep {
		p.d.disk.remove(p.name + ".keep")
		p.keep = false
	}
}

// retract removes a pack that no ref needs after all, unless git has taken an object in
// it for one of its own, which it notes by touching the pack.
func (p *publication) retract() {
	if !p.fresh {
		return
	}
	st, err := os.Stat(p.d.root.path(p.name + ".pack"))
	if err != nil || !p.mtime.IsZero() && !st.ModTime().Equal(p.mtime) {
		return
	}
	p.d.removePack(p.name)
	p.d.packs.change(nil, func(q *packFile) bool { return q.name == p.name })
}

// removePack removes a pack's files, the index first: without it nobody looks
// for the pack.
func (d *Dir) removePack(name string) {
	for _, ext := range []string{".idx", ".rev", ".bitmap", ".mtimes", ".pack"} {
		d.disk.remove(name + ext)
	}
}
