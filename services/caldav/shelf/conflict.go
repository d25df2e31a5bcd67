package shelf

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
	"cairn/services/caldav/vcard"
)

// An Outcome is what has become of an object that PutFrom was given.
type Outcome struct {
	Resource Resource // what is at the path now
	Merged   bool     // it is neither what was there nor what was given

	// Conflict is, when the object could not be merged, where it is now: a
	// resource of the collection Conflicts. Otherwise it is "".
	Conflict string
}

// PutFrom puts an object that somebody made of base, the bytes that they saw
// at that path (nil: nothing), although something else may be there by now. Where
// somebody else has made another change meanwhile, both are merged if that is
// safe; if not, what is there stays, and the object goes to the collection
// Conflicts. Errors are those of Put.
func (e *Edit) PutFrom(p Path, base []byte, o *Object) (Outcome, error) {
	c, err := e.Collection(p.Kind, p.Collection)
	if err != nil {
		return Outcome{}, err
	}
	now, err := c.Resource(p.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r, err := e.Put(p, o)
		return Outcome{Resource: r}, err
	case err != nil:
		return Outcome{}, err
	case now.ETag == o.Hash:
		return Outcome{Resource: now}, nil
	}
	ours, err := c.Read(now)
	if err != nil {
		return Outcome{}, err
	}
	if base != nil && bytes.Equal(ours, base) || p.Kind == Inbox {
		r, err := e.Put(p, o)
		return Outcome{Resource: r}, err
	}
	merged, err := e.shelf.mergeObjects(p.Kind, base, ours, o.Data)
	if isConflict(err) {
		name, err := e.toConflicts(p.Kind, p.Name, o)
		return Outcome{Resource: now, Conflict: name}, err
	}
	if err != nil {
		return Outcome{}, err
	}
	r, err := e.Put(p, merged)
	return Outcome{Resource: r, Merged: true}, err
}

func isConflict(err error) bool {
	return errors.Is(err, ical.ErrConflict) || errors.Is(err, vcard.ErrConflict)
}

// maxMerge is the size of the largest object, in bytes, that is merged. To compare two
// of hundreds of thousands of lines takes long.
const maxMerge = 1 << 20

// mergeObjects merges two changes of an object.
func (s *Shelf) mergeObjects(kind Kind, base, ours, theirs []byte) (*Object, error) {
	if len(ours) > maxMerge || len(theirs) > maxMerge {
		return nil, ical.ErrConflict
	}
	var data []byte
	var err error
	if kind == Contacts {
		data, err = vcard.Merge(base, ours, theirs)
	} else {
		data, err = ical.Merge(base, ours, theirs)
	}
	if err != nil {
		return nil, err
	}
	return s.Parse(kind, data)
}

// toConflicts puts an object into the collection of conflicts of its kind, under a
// name made of that it had and of its hash: doing it twice is doing it once. One
// whose UID is there already gets another.
func (e *Edit) toConflicts(kind Kind, name string, o *Object) (string, error) {
	in := Path{Kind: kind, Collection: Conflicts}
	if _, err := e.Collection(kind, Conflicts); errors.Is(err, fs.ErrNotExist) {
		if err := e.Make(in, &Props{DisplayName: "Conflicts", Transparent: true}); err != nil {
			return "", err
		}
	} else if err != nil {
		return "", err
	}
	mark := o.Hash.String()[:8]
	in.Name = shorten(strings.TrimLeft(strings.TrimSuffix(name, kind.ext()), handmade), 60) + "-" + mark + kind.ext()
	_, err := e.Put(in, o)
	if taken, ok := errors.AsType[*UIDError](err); ok && taken.Name != in.Name {
		if o, err = e.shelf.renamed(kind, o, o.UID+"-"+mark); err == nil {
			_, err = e.Put(in, o)
		}
	}
	if err != nil {
		return "", fmt.Errorf("keep %s, which could not be merged: %w", name, err)
	}
	return in.Name, nil
}

// shorten cuts a name after at most n bytes, not within a character.
func shorten(name string, n int) string {
	if len(name) <= n {
		return name
	}
	return strings.ToValidUTF8(name[:n], "")
}

// renamed returns an object with another UID.
func (s *Shelf) renamed(kind Kind, o *Object, uid string) (*Object, error) {
	list, err := line.Parse(o.Data)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, c := range list {
		for _, part := range append([]*line.Component{c}, c.Children...) {
			if l := part.First("UID"); l != nil {
				l.Value = line.Escape(uid)
			}
		}
		out = c.Append(out)
	}
	return s.Parse(kind, out)
}
