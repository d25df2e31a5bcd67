package shelf

import (
	"maps"
	"slices"
	"strings"
)

// An overlay is what an Edit has changed in a collection, over the collection's
// content. A nil overlay changes nothing.
type overlay struct {
	changed map[string]*Resource // by name; nil: removed
	uids    map[string]string    // UID → name, of those in changed
	folded  map[string]string    // folded name → name, of those in changed that are there
	props   map[string][]Dead    // by name: dead properties that were set

	// What becomes more, or less, by it.
	bytes        int64
	count        int
	flat, fanned int // files right in the folder, and in a fan-out
}

func newOverlay() *overlay {
	return &overlay{changed: map[string]*Resource{}, uids: map[string]string{}, folded: map[string]string{}, props: map[string][]Dead{}}
}

func (o *overlay) clone() *overlay {
	if o == nil {
		return newOverlay()
	}
	n := *o
	n.changed, n.uids, n.folded, n.props = maps.Clone(o.changed), maps.Clone(o.uids), maps.Clone(o.folded), maps.Clone(o.props)
	return &n
}

// get returns what a name has become, if it has.
func (o *overlay) get(name string) (*Resource, bool) {
	if o == nil {
		return nil, false
	}
	r, ok := o.changed[name]
	return r, ok
}

// hides says that the content's resource of this name does not count.
func (o *overlay) hides(name string) bool {
	_, ok := o.get(name)
	return ok
}

// each yields what is new.
func (o *overlay) each(yield func(Resource, error) bool) {
	if o == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(o.changed)) {
		if r := o.changed[name]; r != nil && !yield(*r, nil) {
			return
		}
	}
}

func (o *overlay) byUID(uid string) *Resource {
	if o == nil {
		return nil
	}
	return o.changed[o.uids[uid]]
}

// set records that a name has become now, nil for removed, where before is what it
// was, with the UIDs of both.
func (o *overlay) set(name string, before *Resource, uidBefore string, now *Resource, uid string) {
	if before != nil {
		o.add(before, -1)
		if o.uids[uidBefore] == name {
			delete(o.uids, uidBefore)
		}
	}
	o.changed[name] = now
	f := fold(name)
	if o.folded[f] == name {
		delete(o.folded, f)
	}
	if now != nil {
		o.folded[f] = name
		o.add(now, 1)
		if uid != "" {
			o.uids[uid] = name
		}
	}
}

func (o *overlay) add(r *Resource, sign int) {
	o.bytes += int64(sign) * r.Size
	o.count += sign
	switch {
	case r.in == "":
		o.flat += sign
	case isFan(strings.TrimSuffix(r.in, "/")):
		o.fanned += sign
	}
}
