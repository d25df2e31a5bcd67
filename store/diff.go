package store

import (
	"context"
	"errors"
	"iter"

	"cairn/store/object"
)

// A Difference is a file (or symlink or submodule, never a folder) that is not
// the same in two trees. Old or New is the zero Entry where it is absent.
type Difference struct {
	Path     string
	Old, New object.Entry
}

// maxDepth is how many folders inside one another are followed. Git itself
// stops at 2048.
const maxDepth = 2048

var errDepth = errors.New("folders nest too deep")

// Diff yields what has to change to make to of t, in the order of the paths'
// bytes. It reads only folders that differ. A hostile tree can name one folder
// many times and have a great many paths: the caller stops when it has seen
// enough.
func (t *Tree) Diff(ctx context.Context, to *Tree) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		d := differ{ctx: ctx, yield: yield}
		if t != nil {
			d.old = t.read
		}
		if to != nil {
			d.new = to.read
		}
		d.folders("", t.node(), to.node(), 0)
	}
}

type differ struct {
	ctx      context.Context // of the one Diff that the differ lives for
	old, new *reader
	yield    func(Difference, error) bool
}

// folders compares two folders; false means stop.
func (d *differ) folders(prefix string, a, b *node, depth int) bool {
	if err := d.ctx.Err(); err != nil {
		return d.fail(err)
	}
	if depth > maxDepth {
		return d.fail(errDepth)
	}
	from, aEnd, bEnd := differing(a, b)
	for i, j := from, from; i < aEnd || j < bEnd; {
		var x, y object.Entry
		switch c := compareAt(a, i, aEnd, b, j, bEnd); {
		case c < 0:
			x = a.entry(i)
			i++
		case c > 0:
			y = b.entry(j)
			j++
		default:
			x, y = a.entry(i), b.entry(j)
			i++
			j++
		}
		if x != y && !d.entries(prefix, x, y, depth) {
			return false
		}
	}
	return true
}

// compareAt orders the next entries of two nodes; one that has come to its end
// is last.
func compareAt(a *node, i, aEnd int, b *node, j, bEnd int) int {
	switch {
	case i == aEnd:
		return 1
	case j == bEnd:
		return -1
	}
	r, s := a.refs[i], b.refs[j]
	return a.compare(r, b.nameAt(s), s.dir())
}

// entries compares two entries that differ, both folders or neither, or one of
// them absent.
func (d *differ) entries(prefix string, x, y object.Entry, depth int) bool {
	name := x.Name
	if name == "" {
		name = y.Name
	}
	if x.Mode != object.ModeDir && y.Mode != object.ModeDir {
		return d.yield(Difference{prefix + name, x, y}, nil)
	}
	a, err := subfolder(d.old, x)
	if err != nil {
		return d.fail(err)
	}
	b, err := subfolder(d.new, y)
	if err != nil {
		return d.fail(err)
	}
	return d.folders(prefix+name+"/", a, b, depth+1)
}

// subfolder reads the folder that an entry names; none for the zero Entry.
func subfolder(read *reader, e object.Entry) (*node, error) {
	if e.Mode != object.ModeDir {
		return nil, nil
	}
	return read.node(e.Hash)
}

func (d *differ) fail(err error) bool {
	d.yield(Difference{}, err)
	return false
}
