package store

import "cairn/store/object"

// objects returns what of the Tx's blobs and trees its final state needs and
// the state that it started from does not have. Each gets the object that stood
// at its path before as its Base.
func (tx *Tx) objects() (objs []newObject, root *node, h Hash, err error) {
	root, h, err = tx.flush(tx.root)
	if err != nil {
		return nil, nil, h, err
	}
	c := collector{tx: tx, seen: map[Hash]bool{}}
	before := object.Entry{Mode: object.ModeDir, Hash: tx.start.Hash()}
	if tx.start.root == nil {
		before = object.Entry{} // the empty tree need not be stored
	}
	err = c.entry(before, object.Entry{Mode: object.ModeDir, Hash: h})
	return c.objs, root, h, err
}

type collector struct {
	tx   *Tx
	seen map[Hash]bool
	objs []newObject
}

// entry takes the object that y names, and those below it, if the Tx has made
// them.
func (c *collector) entry(x, y object.Entry) error {
	o, ok := c.tx.made[y.Hash]
	if !ok || x.Hash == y.Hash || c.seen[y.Hash] {
		return nil
	}
	c.seen[y.Hash] = true
	if o.Type == object.TypeTree {
		before, err := subfolder(c.tx.read, x)
		if err != nil {
			return err
		}
		if err := c.folder(before, o.node); err != nil {
			return err
		}
	}
	if x.Mode != 0 && x.Mode != object.ModeSubmodule && (x.Mode == object.ModeDir) == (y.Mode == object.ModeDir) {
		o.Base = x.Hash
	}
	c.objs = append(c.objs, o)
	return nil
}

func (c *collector) folder(a, b *node) error {
	from, aEnd, bEnd := differing(a, b)
	for i, j := from, from; j < bEnd; {
		order := compareAt(a, i, aEnd, b, j, bEnd)
		if order < 0 {
			i++
			continue
		}
		var x object.Entry
		if order == 0 {
			x = a.entry(i)
			i++
		}
		y := b.entry(j)
		j++
		if x.Hash == y.Hash {
			continue
		}
		if err := c.entry(x, y); err != nil {
			return err
		}
	}
	return nil
}
