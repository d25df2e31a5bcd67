package caldav

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/sched"
	"cairn/services/caldav/shelf"
	"cairn/services/caldav/vcard"
	"cairn/store"
)

// Limits that are announced and held (RFC 4791 §5.2).
const (
	maxInstances = 50_000 // of a recurring event that does end
	maxAttendees = 1000   // of one instance
)

// parse makes an object of the bytes of a PUT or refuses them with the precondition that
// they miss (RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1).
func (x *exchange) parse(to *node, data []byte) (*shelf.Object, error) {
	o, err := x.Shelf.Parse(to.path.Kind, data)
	if err != nil {
		return nil, x.objectError(to, err)
	}
	if o.Calendar == nil {
		return o, nil
	}
	if err := takes(to, o.Calendar.Kind); err != nil {
		return nil, err
	}
	return o, bounded(o.Calendar)
}

// bounded holds what max-attendees-per-instance and max-instances announce. A
// recurrence without an end has any number of instances and is not counted; one that
// ends when nobody of today is alive is no other.
func bounded(c *ical.Calendar) error {
	counted, endless := false, false
	for _, comp := range c.Root.Children {
		attendees := 0
		for i := range comp.Lines {
			switch l := &comp.Lines[i]; l.Name {
			case "ATTENDEE":
				attendees++
			case "RRULE":
				counted, endless = true, endless || !ends(l.Value)
			case "RDATE":
				counted = true
			}
		}
		if attendees > maxAttendees {
			return dav.Violated(http.StatusForbidden, dav.Cal("max-attendees-per-instance"), "there may be %d attendees", maxAttendees)
		}
	}
	if sched.TooLarge(c) {
		return dav.Violated(http.StatusForbidden, dav.Cal("max-attendees-per-instance"), "these are too many attendees for so much text")
	}
	if !counted || endless {
		return nil
	}
	for _, err := range c.Instances(ical.TimeRange{}, nil, maxInstances) {
		if errors.Is(err, ical.ErrTooMany) {
			return dav.Violated(http.StatusForbidden, dav.Cal("max-instances"), "it may take place %d times", maxInstances)
		}
	}
	return nil
}

// noEnd is the year from which the end of a recurrence is none.
const noEnd = "2200"

// ends reports whether a recurrence rule has an end.
func ends(rule string) bool {
	for part := range strings.SplitSeq(strings.ToUpper(rule), ";") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "COUNT":
			return true
		case "UNTIL":
			return value < noEnd
		}
	}
	return false
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
