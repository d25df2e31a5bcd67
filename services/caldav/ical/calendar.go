package ical

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"cairn/services/caldav/line"
)

// Preconditions of RFC 4791 §5.3.2.1 and RFC 7529 §7 that an Error names.
const (
	SupportedData   = "supported-calendar-data"        // not iCalendar 2.0
	ValidData       = "valid-calendar-data"            // not iCalendar
	ValidObject     = "valid-calendar-object-resource" // not one calendar object (§4.1)
	SupportedRScale = "supported-rscale"               // a recurrence in another calendar than the Gregorian
)

// An Error says which precondition a calendar fails, and where.
type Error struct {
	Precondition string // its element's name in the namespace of CalDAV
	Line         int    // counted from 1, 0 where no one line is to blame
	Reason       string
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	}
	return e.Reason
}

// A Calendar is one VCALENDAR. It may be used by several goroutines as long as
// none changes Root; what changes Root does so before any other use.
type Calendar struct {
	Root *line.Component // VCALENDAR
	Kind string          // VEVENT, VTODO, …: what its first component is, VTIMEZONE aside; "" if there is none
	UID  string          // of that component

	once  sync.Once
	times *compiled
}

// Parse reads a text that holds one VCALENDAR. Its errors are of type *Error. It
// does not look into properties; CheckObject does.
func Parse(data []byte) (*Calendar, error) {
	roots, err := line.Parse(data)
	if bad, ok := errors.AsType[*line.Error](err); ok {
		return nil, &Error{ValidData, bad.Line, bad.Reason}
	}
	if len(roots) > 1 || roots[0].Name != "VCALENDAR" {
		return nil, invalid("not one VCALENDAR")
	}
	return New(roots[0]), nil
}

// New returns the calendar that a VCALENDAR is.
func New(root *line.Component) *Calendar {
	c := &Calendar{Root: root}
	for _, child := range root.Children {
		if child.Name != "VTIMEZONE" && !strings.HasPrefix(child.Name, "X-") {
			c.Kind, c.UID = child.Name, child.Value("UID")
			break
		}
	}
	return c
}

// Encode writes the calendar.
func (c *Calendar) Encode() []byte { return c.Root.Encode() }

// Time reads a property of one of c's components that is a DATE or DATE-TIME. Its
// errors are of type *Error.
func (c *Calendar) Time(l *line.Line) (Time, error) {
	t, err := c.compiled().time(l, l.Value)
	if err != nil {
		return t, err
	}
	return t, nil
}

func (c *Calendar) compiled() *compiled {
	c.once.Do(func() { c.times = compile(c.Root) })
	return c.times
}

// A TimeRange is half open; a zero Start or End leaves that side without bound.
type TimeRange struct{ Start, End time.Time }

// ParseZone reads a VCALENDAR that holds one VTIMEZONE, as the property
// calendar-timezone does (RFC 4791 §5.2.2). Its errors are of type *Error.
func ParseZone(data []byte) (*time.Location, error) {
	c, err := Parse(data)
	if err != nil {
		return nil, err
	}
	var found *time.Location
	for z := range c.Root.Sub("VTIMEZONE") {
		loc, bad := location(z)
		if known, ok := Zone(z.Value("TZID")); bad != nil && ok {
			loc, bad = known, nil
		}
		if bad != nil {
			return nil, bad
		}
		if found != nil {
			return nil, invalid("more than one VTIMEZONE")
		}
		found = loc
	}
	if found == nil {
		return nil, invalid("no VTIMEZONE")
	}
	return found, nil
}
