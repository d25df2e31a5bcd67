package shelf

import (
	"iter"
	"slices"
	"strings"
)

// What the caches count: a file in a leaf, with its name and its uidEntry; a leaf,
// and its places in a content. A content also counts one leaf that nobody else may
// hold any more.
const (
	fileBytes = 72 + 32 + 16
	leafBytes = 256
)

func (l *leaf) cost() int64 {
	n := int64(leafBytes + len(l.dir))
	for i := range l.files {
		n += fileBytes + int64(len(l.files[i].file))
	}
	return n
}

func (c *content) cost() int64 {
	n := c.flat.cost()
	for l := range c.leaves() {
		n = max(n, l.cost())
	}
	return n + int64(len(c.fans))*8 + int64(len(c.hand))*96 + int64(len(c.births))*256 + leafBytes
}

// leaves yields all leaves.
func (c *content) leaves() iter.Seq[*leaf] {
	return func(yield func(*leaf) bool) {
		if !yield(c.flat) {
			return
		}
		for _, list := range [...][]*leaf{c.fans[:], c.hand} {
			for _, l := range list {
				if l != nil && !yield(l) {
					return
				}
			}
		}
	}
}

// find returns the file of this name.
func (l *leaf) find(name string) (*file, bool) {
	if l == nil {
		return nil, false
	}
	i, ok := slices.BinarySearchFunc(l.files, name, func(f file, name string) int { return strings.Compare(f.file, name) })
	if !ok {
		return nil, false
	}
	return &l.files[i], true
}

// resources yields every file as the resource that it is.
func (c *content) resources() iter.Seq[Resource] {
	return func(yield func(Resource) bool) {
		for l := range c.leaves() {
			for i := range l.files {
				if !yield(c.resource(l, &l.files[i])) {
					return
				}
			}
		}
	}
}

// resource names a file. Where two files could have the same name, one has it (see
// find) and the other is shown as made by hand.
func (c *content) resource(l *leaf, f *file) Resource {
	r := Resource{Name: f.name, ETag: f.hash, Size: f.size, in: l.dir, file: f.file}
	if f.name == "" || c.shadowed(l, f) {
		r.Name = handmadeName(l.dir + f.file)
	}
	return r
}

// shadowed says that another file has the name that a client could have given to
// f. Mostly there is nothing to look for: all files lie in a fan-out or none
// does, and are called as the preferred form has it.
func (c *content) shadowed(l *leaf, f *file) bool {
	if (l.dir == "" || len(c.flat.files) == 0) && f.name == f.file {
		return false
	}
	_, first := c.lookup(f.name, extOf(f))
	return first != f
}

// extOf is the ext of the kind that a file is of.
func extOf(f *file) string { return f.file[len(f.file)-len(".ics"):] }

// lookup returns the file that has a name that a client may choose, and its leaf.
func (c *content) lookup(name, ext string) (*leaf, *file) {
	fan := c.fanned(name)
	for _, form := range forms {
		file, err := fileName(name, ext, form)
		if err != nil {
			continue
		}
		for _, l := range [...]*leaf{c.flat, fan} {
			if f, ok := l.find(file); ok && f.name == name {
				return l, f
			}
		}
	}
	return nil, nil
}

// find returns the resource of this name.
func (c *content) find(name, ext string) (Resource, bool) {
	if rel, ok := handmadePath(name); ok {
		i := strings.LastIndexByte(rel, '/') + 1
		l := c.leafAt(rel[:i])
		f, ok := l.find(rel[i:])
		if !ok {
			return Resource{}, false
		}
		r := c.resource(l, f)
		return r, r.Name == name
	}
	l, f := c.lookup(name, ext)
	if f == nil {
		return Resource{}, false
	}
	return c.resource(l, f), true
}

// leafAt returns the leaf of a folder, nil if there is none.
func (c *content) leafAt(dir string) *leaf {
	if dir == "" {
		return c.flat
	}
	if fan := strings.TrimSuffix(dir, "/"); isFan(fan) {
		return c.fans[unhexLow(fan[0])<<4|unhexLow(fan[1])]
	}
	return c.byDir[dir]
}

// fanned returns the leaf of the fan-out in which a resource would be, nil if there
// is none.
func (c *content) fanned(name string) *leaf { return c.fans[fanByte(name)] }

// confused returns a name that is there and that some file system takes for this one.
func (c *content) confused(name string) (other string, is bool) {
	for _, l := range [...]*leaf{c.flat, c.fanned(name)} {
		if l == nil {
			continue
		}
		for i := range l.files {
			if n := l.files[i].name; n != "" && n != name && confusable(n, name) {
				return n, true
			}
		}
	}
	return "", false
}

func (c *content) usage() (u Usage) {
	for l := range c.leaves() {
		u.Bytes += l.bytes
		u.Count += len(l.files)
	}
	return u
}

// inFans is how many files lie in a fan-out.
func (c *content) inFans() (n int) {
	for _, l := range c.fans {
		if l != nil {
			n += len(l.files)
		}
	}
	return n
}
