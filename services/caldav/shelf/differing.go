package shelf

import (
	"context"
	"strings"

	"cairn/store"
)

// differing returns the names of the resources that are not the same in two states
// of a collection. It looks only at folders that differ; files that were only moved
// between folders, into a fan-out or out of it, are the same.
func differing(ctx context.Context, a, b *Collection) (names []string, err error) {
	d := differ{was: map[string]store.Hash{}, is: map[string]store.Hash{}}
	if d.old, err = a.content(); err != nil {
		return nil, err
	}
	if d.new, err = b.content(); err != nil {
		return nil, err
	}
	for l := range d.old.leaves() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d.leaf(l, d.new.leafAt(l.dir))
	}
	for l := range d.new.leaves() {
		if d.old.leafAt(l.dir) == nil {
			d.leaf(nil, l)
		}
	}
	for name, etag := range d.was {
		if d.is[name] != etag {
			names = append(names, name)
		}
	}
	for name := range d.is {
		if _, ok := d.was[name]; !ok {
			names = append(names, name)
		}
	}
	return names, nil
}

// A differ collects, by name, the resources whose files are not the same.
type differ struct {
	old, new *content
	was, is  map[string]store.Hash
}

// leaf walks two states of one folder side by side.
func (d *differ) leaf(a, b *leaf) {
	if a == nil {
		a = &leaf{}
	}
	if b == nil {
		b = &leaf{}
	}
	if a.hash == b.hash {
		return
	}
	for i, j := 0, 0; i < len(a.files) || j < len(b.files); {
		order := 0
		switch {
		case i == len(a.files):
			order = 1
		case j == len(b.files):
			order = -1
		default:
			order = strings.Compare(a.files[i].file, b.files[j].file)
		}
		same := order == 0 && a.files[i].hash == b.files[j].hash
		if order <= 0 {
			if !same {
				d.seen(a, &a.files[i])
				note(d.was, d.old, a, &a.files[i])
			}
			i++
		}
		if order >= 0 {
			if !same {
				d.seen(b, &b.files[j])
				note(d.is, d.new, b, &b.files[j])
			}
			j++
		}
	}
}

func note(into map[string]store.Hash, c *content, l *leaf, f *file) {
	r := c.resource(l, f)
	into[r.Name] = r.ETag
}

// seen notes what a file right in the collection's folder has to do with one of the
// same name in a fan-out, which bears the name where the other does not.
func (d *differ) seen(l *leaf, f *file) {
	if l.dir != "" || f.name == "" {
		return
	}
	old, new := d.old.fanned(f.name), d.new.fanned(f.name)
	if o, ok := old.find(f.file); ok {
		note(d.was, d.old, old, o)
	}
	if o, ok := new.find(f.file); ok {
		note(d.is, d.new, new, o)
	}
}
