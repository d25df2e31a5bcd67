package gitdir

import (
	"errors"
	"fmt"

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

	sum     store.Hash // of the pack, which is files[0] with its index files[1]; or Zero
	objects int        // in a merged pack
}

type staged struct {
	temp string
	file file  // nil once synced and closed
	err  error // of that: what a disk has failed to keep once, it does not keep later
}

// create adds an empty file.
func (s *stage) create() (file, error) {
	f, err := s.d.create()
	if err != nil {
		return nil, err
	}
	s.files = append(s.files, f)
	return f.file, nil
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
	if f.file != nil {
		f.err = errors.Join(f.file.Sync(), f.file.Close())
		f.file = nil
	}
	return f.err
}

// discard removes the files that have not been given other names.
func (s *stage) discard() {
	for _, f := range s.files {
		s.d.discard(f)
	}
	s.files = nil
}
