package shelf

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// maxPushed is how many files one push may change: a hostile tree names one folder
// many times.
const maxPushed = 1 << 18

// Check says what is wrong with a push to a person's branch that makes new of old
// (nil: the branch is made): an object that cannot be read, is too large or has the UID
// of another in its collection, two files that are the same resource, properties or
// locks that cannot be read. The error is in words for the pusher and names the file. It looks
// only at what has changed.
func (s *Shelf) Check(ctx context.Context, user string, old, new *store.Tree) error {
	p := pushed{shelf: s, snap: s.View(user, new)}
	n := 0
	for d, err := range old.Diff(ctx, new) {
		if err != nil {
			return fmt.Errorf("compare with what is there: %w", err)
		}
		if n++; n > maxPushed {
			return fmt.Errorf("%d files at once are too many", n)
		}
		if d.New.Mode == 0 {
			continue
		}
		if err := p.file(d.Path, d.New); err != nil {
			return fmt.Errorf("%s: %w", d.Path, err)
		}
	}
	for _, f := range p.resources {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.alone(f); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
	return p.room(user, old)
}

// A pushed is what a push brings.
type pushed struct {
	shelf     *Shelf
	snap      *Snapshot
	resources []pushedFile
	colls     map[string]*Collection // by folder
}

type pushedFile struct {
	path, uid string
	kind      Kind
}

// file judges one file by itself.
func (p *pushed) file(at string, e object.Entry) error {
	dir, name := path.Split(at)
	first, _, below := strings.Cut(at, "/")
	switch {
	case strings.Contains(dir, propsFile+"/") || below && first == locksFile:
		return errors.New("a folder is where properties or locks would be")
	case !below && isKind(first):
		return errors.New("this has to be a folder")
	case name == propsFile, path.Base(dir) == propsFolder:
		return p.record(at, e, func(data []byte) error { _, err := decodeProps(data, true); return err })
	case at == locksFile:
		return p.record(at, e, func(data []byte) error { _, err := decodeLocks(data, true); return err })
	}
	kind, rest, _ := strings.Cut(at, "/")
	switch k := Kind(kind); k {
	case Calendars, Contacts:
		return p.resource(k, rest, at, e)
	case Inbox:
		return p.resource(k, "inbox/"+rest, at, e)
	}
	return nil
}

// isKind says that in a folder of this name right on the branch are collections, or
// messages.
func isKind(name string) bool { return slices.Contains(Kinds[:], Kind(name)) }

// record judges a record.
func (p *pushed) record(at string, e object.Entry, check func([]byte) error) error {
	if e.Mode != object.ModeFile && e.Mode != object.ModeExecutable {
		return errors.New("this has to be a file")
	}
	data, _, err := p.snap.tree.Blob(at)
	if err != nil {
		return err
	}
	return check(data)
}

// resource judges a file in the folder of a kind; rest is its path in there.
func (p *pushed) resource(kind Kind, rest, at string, e object.Entry) error {
	name := path.Base(rest)
	if !strings.HasSuffix(name, kind.ext()) || strings.HasPrefix(rest, ".") || strings.Contains(rest, "/.") {
		return nil // not a resource
	}
	switch {
	case e.Mode != object.ModeFile && e.Mode != object.ModeExecutable:
		return errors.New("this has to be a file")
	case !strings.Contains(rest, "/"):
		return fmt.Errorf("it has to lie in a folder, such as %s/%s", path.Join(path.Dir(at), defaults[kind].name), name)
	case strings.Count(rest, "/") > maxDepth:
		return errors.New("it lies too deep")
	}
	size, err := p.snap.tree.BlobSize(e.Hash)
	if err != nil {
		return err
	}
	if size > p.shelf.o.MaxResource {
		return fmt.Errorf("%d bytes, %d at most: %w", size, p.shelf.o.MaxResource, store.ErrTooLarge)
	}
	data, _, err := p.snap.tree.Blob(at)
	if err != nil {
		return err
	}
	o, err := p.shelf.Parse(kind, data)
	if err != nil {
		return err
	}
	p.resources = append(p.resources, pushedFile{at, o.UID, kind})
	return nil
}

// alone says whether another file is the same resource, or has the same UID.
func (p *pushed) alone(f pushedFile) error {
	c, err := p.collection(f)
	if err != nil {
		return err
	}
	what, err := c.content()
	if err != nil {
		return err
	}
	rel := strings.TrimPrefix(f.path, c.dir+"/")
	i := strings.LastIndexByte(rel, '/') + 1
	l := what.leafAt(rel[:i])
	this, ok := l.find(rel[i:])
	if !ok {
		return errors.New("it lies too deep")
	}
	if this.name != "" {
		if in, first := what.lookup(this.name, f.kind.ext()); first != this {
			return fmt.Errorf("%s/%s%s is the same resource already", c.dir, in.dir, first.file)
		}
	}
	if f.kind == Inbox {
		return nil
	}
	twin := ""
	err = what.byUID(c, f.uid, func(r Resource) bool {
		if r.in+r.file != rel {
			twin = r.in + r.file
		}
		return twin == ""
	})
	if err == nil && twin != "" {
		err = fmt.Errorf("its UID %q is that of %s/%s too", f.uid, c.dir, twin)
	}
	return err
}

// collection returns the collection that a file lies in.
func (p *pushed) collection(f pushedFile) (*Collection, error) {
	dir := string(Inbox)
	if f.kind != Inbox {
		dir = strings.Join(strings.SplitN(f.path, "/", 3)[:2], "/")
	}
	if c, ok := p.colls[dir]; ok {
		return c, nil
	}
	e, err := p.snap.tree.Lookup(dir)
	if err != nil {
		return nil, err
	}
	c, err := p.snap.collection(f.kind, path.Base(dir), dir, e.Hash)
	if err != nil {
		return nil, err
	}
	if p.colls == nil {
		p.colls = map[string]*Collection{}
	}
	p.colls[dir] = c
	return c, nil
}

// room says whether what there is has become more than the quota.
func (p *pushed) room(user string, old *store.Tree) error {
	if p.shelf.o.Quota == 0 {
		return nil
	}
	after, err := p.snap.Usage()
	if err != nil || after.Bytes <= p.shelf.o.Quota {
		return err
	}
	before, err := p.shelf.View(user, old).Usage()
	if err == nil && after.Bytes > before.Bytes {
		err = fmt.Errorf("%d bytes, %d at most: %w", after.Bytes, p.shelf.o.Quota, ErrQuota)
	}
	return err
}
