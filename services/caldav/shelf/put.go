package shelf

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// A UIDError says that an object cannot be put where it was to go, because its UID
// belongs to another resource of the collection, or because the resource that it
// would replace has another UID (no-uid-conflict of RFC 4791 §5.3.2.1 and RFC 6352
// §6.3.2.1).
type UIDError struct {
	UID  string
	Name string // of the resource that is in the way
}

func (e *UIDError) Error() string { return fmt.Sprintf("UID %q: %q is in the way", e.UID, e.Name) }

// Put makes a resource of an object, in the place of the one of that name if there is
// one. Errors: fs.ErrNotExist (no such collection), fs.ErrPermission (a birthday calendar), *UIDError,
// *NameError.
func (e *Edit) Put(p Path, o *Object) (Resource, error) {
	c, err := e.draft(p.Kind, p.Collection)
	if err != nil {
		return Resource{}, err
	}
	return e.put(c, p.Name, o, func(at string) error { return e.tx.Put(at, o.Data) })
}

// put puts an object into a draft; write writes its file.
func (e *Edit) put(c *Collection, name string, o *Object, write func(at string) error) (Resource, error) {
	if (c.Kind == Contacts) != (o.Kind == Contacts) {
		return Resource{}, fmt.Errorf("put %s into %s: %w", o.Kind, c.Path(), fs.ErrInvalid)
	}
	if c.born != nil {
		return Resource{}, fmt.Errorf("put into %s: %w", c.Path(), fs.ErrPermission)
	}
	var before *Resource
	uidBefore := ""
	now := Resource{Name: name, ETag: o.Hash, Size: int64(len(o.Data)), data: o.Data}
	switch was, err := c.Resource(name); {
	case err == nil:
		x, err := c.record(was)
		if err != nil {
			return Resource{}, err
		}
		before, uidBefore = &was, x.uid
		now.in, now.file = was.in, was.file
	case !errors.Is(err, fs.ErrNotExist):
		return Resource{}, err
	case strings.HasPrefix(name, handmade) && o.file != "":
		now.in, now.file = o.in, o.file
	default:
		if now.in, now.file, err = c.place(name); err != nil {
			return Resource{}, err
		}
	}
	if err := c.checkUID(name, uidBefore, o.UID); err != nil {
		return Resource{}, err
	}
	err := write(c.File(now))
	if isClash(err) && now.in != "" && before == nil { // somebody has put a file where the fan-out would be
		now.in = ""
		err = write(c.File(now))
	}
	if isClash(err) {
		err = &NameError{name, "is taken by a folder"}
	}
	if err != nil {
		return Resource{}, err
	}
	c.over.set(name, before, uidBefore, &now, o.UID)
	return now, nil
}

// checkUID says whether name may have a UID now where it had before. An inbox may
// hold several messages about one event (RFC 6638 §4.1).
func (c *Collection) checkUID(name, before, uid string) error {
	if uid == before || uid == "" || c.Kind == Inbox {
		return nil
	}
	if before != "" {
		return &UIDError{uid, name}
	}
	other, err := c.ByUID(uid)
	if errors.Is(err, fs.ErrNotExist) || err == nil && other.Name == name {
		return nil
	}
	if err != nil {
		return err
	}
	return &UIDError{uid, other.Name}
}

// place returns the folder below the collection, and the file, for a new resource.
func (c *Collection) place(name string) (in, file string, err error) {
	if strings.HasPrefix(name, handmade) {
		return "", "", &NameError{name, "begins with ~"}
	}
	what, err := c.content()
	if err != nil {
		return "", "", err
	}
	form := escape
	if c.confusedBy(what, name) {
		form = escapeAll
	}
	if file, err = fileName(name, c.Kind.ext(), form); err != nil {
		return "", "", err
	}
	if what.inFans()+c.over.fanned > 0 {
		in = fanOf(name) + "/"
	}
	return in, file, nil
}

// confusedBy says that some file system takes name for that of another resource.
func (c *Collection) confusedBy(what *content, name string) bool {
	if other, ok := what.confused(name); ok && !c.over.hides(other) {
		return true
	}
	other, ok := c.over.folded[fold(name)]
	return ok && other != name
}
