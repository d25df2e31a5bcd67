package caldav

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/shelf"
	"cairn/services/caldav/vcard"
	"cairn/store"
)

// Limits that are announced and held (RFC 4791 §5.2).
const (
	maxInstances = 5000 // of a recurring event that does end
	maxAttendees = 1000 // of one instance
)

// parse makes an object of the bytes of a PUT or refuses them with the precondition that
// they miss (RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1).
func (x *exchange) parse(to *node, data []byte) (*shelf.Object, error) {
	o, err := x.Shelf.Parse(to.path.Kind, data)
	if err != nil {
		return nil, x.objectError(to, err)
	}
	return o, fits(to, o)
}

// fits makes sure that a collection takes such an object.
func fits(to *node, o *shelf.Object) error {
	if o.Calendar == nil {
		return nil
	}
	return takes(to, o.Calendar.Kind)
}

// takes makes sure that a calendar takes a component.
func takes(to *node, component string) error {
	if kinds := to.col.Props().Components; len(kinds) > 0 && !slices.Contains(kinds, component) {
		return dav.Violated(http.StatusForbidden, dav.Cal("supported-calendar-component"), "this calendar takes no %s", component)
	}
	return nil
}

// objectError says what the protocol calls an error of the shelf.
func (x *exchange) objectError(to *node, err error) error {
	var (
		uid  *shelf.UIDError
		name *shelf.NameError
		cal  *ical.Error
		vc   *vcard.Error
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &uid):
		e := dav.Violated(http.StatusForbidden, preconditionOf(to.kind, "no-uid-conflict"), "another one has this UID")
		p := to.place
		p.names = append(slices.Clone(p.names[:1]), uid.Name)
		e.Hrefs = []string{p.href()}
		return e
	case errors.As(err, &cal):
		return dav.Violated(http.StatusForbidden, dav.Cal(cal.Precondition), "%s", cal)
	case errors.As(err, &vc):
		return dav.Violated(http.StatusForbidden, dav.Card(vc.Precondition), "%s", vc)
	case errors.As(err, &name):
		return dav.Errorf(http.StatusForbidden, "%s", name)
	case errors.Is(err, store.ErrTooLarge):
		return dav.Violated(http.StatusForbidden, preconditionOf(to.kind, "max-resource-size"), "it may have %d bytes at most", x.Shelf.MaxResource())
	case errors.Is(err, shelf.ErrQuota):
		return dav.Violated(http.StatusInsufficientStorage, dav.D("quota-not-exceeded"), "there is no room left")
	case errors.Is(err, shelf.ErrTooManyProps):
		return dav.Errorf(http.StatusInsufficientStorage, "too many properties")
	case errors.Is(err, fs.ErrNotExist):
		return dav.Errorf(http.StatusConflict, "the collection does not exist")
	}
	return err
}

// target is where an object is to go: its collection exists and the user may write
// into it. Whether the object exists does not matter.
func (x *exchange) target(p place, of views) (*node, error) {
	col, err := x.find(p.parent(), of)
	if absent(err) {
		return nil, dav.Errorf(http.StatusConflict, "the collection does not exist")
	}
	if err != nil {
		return nil, err
	}
	n := *col
	n.place = p
	n.href = p.href()
	if n.spot, err = x.spot(p); err != nil {
		return nil, err
	}
	return &n, col.require(col.access >= accessWrite, dav.D("bind"))
}
