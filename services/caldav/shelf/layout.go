package shelf

import (
	"errors"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// A collection of more than maxFlat files lies in a fan-out; one that has shrunk
// to minFan no longer does. Between the two it stays as it is.
const (
	maxFlat = 1000
	minFan  = 500
)

// layOut moves the files of a collection into a fan-out, or out of it.
func (e *Edit) layOut(c *Collection) error {
	if c.born != nil {
		return nil
	}
	what, err := c.content()
	if err != nil {
		return err
	}
	flat := len(what.flat.files) + c.over.flat
	fanned := what.inFans() + c.over.fanned
	switch {
	case flat > e.shelf.maxFlat:
		return e.fanOut(c)
	case fanned > 0 && flat+fanned <= e.shelf.minFan:
		return e.fanIn(c)
	}
	return nil
}

func (e *Edit) fanOut(c *Collection) error {
	files, err := e.entries(c.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if !isResource(f, c.Kind) {
			continue
		}
		if name := nameIn("", f.Name, c.Kind); name != "" {
			if err := e.rename(f, c.dir, fanOf(name)+"/"+f.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Edit) fanIn(c *Collection) error {
	folders, err := e.entries(c.dir)
	if err != nil {
		return err
	}
	for _, d := range folders {
		if d.Mode != object.ModeDir || !isFan(d.Name) {
			continue
		}
		files, err := e.entries(c.dir + "/" + d.Name)
		if err != nil {
			return err
		}
		for _, f := range files {
			if isResource(f, c.Kind) && nameIn(d.Name+"/", f.Name, c.Kind) != "" {
				f.Name = d.Name + "/" + f.Name
				if err := e.rename(f, c.dir, f.Name[3:]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// entries lists a folder, so that it can be changed meanwhile.
func (e *Edit) entries(dir string) (list []object.Entry, err error) {
	for f, err := range e.tx.Entries(dir) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// isClash says that a file is where a folder would be, or the other way round.
func isClash(err error) bool {
	_, clash := errors.AsType[*store.ClashError](err)
	return clash
}

// rename moves a file within a collection's folder, unless there is something in
// its place, in which case both stay.
func (e *Edit) rename(f object.Entry, dir, to string) error {
	if _, err := e.tx.Lookup(dir + "/" + to); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := e.tx.Link(dir+"/"+to, f)
	if isClash(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return e.tx.Remove(dir + "/" + f.Name)
}
