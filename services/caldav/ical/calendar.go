package ical

import (
	"errors"
	"fmt"
	"iter"
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
// none changes Root.
type Calendar struct {
	Root *line.Component // VCALENDAR
	Kind string          // VEVENT, VTODO, VJOURNAL or VFREEBUSY: that of the first component that is none of VTIMEZONE's
	UID  string          // of that component
}

// Parse reads a text that holds one VCALENDAR. Its errors are of type *Error. It
// does not look into properties; CheckObject does.
func Parse(data []byte) (*Calendar, error) {
	roots, err := line.Parse(data)
	if bad, ok := errors.AsType[*line.Error](err); ok {
		return nil, &Error{ValidData, bad.Line, bad.Reason}
	}
	return &Calendar{Root: roots[0]}, nil
}

// Split reads a text as programs export it, of any number of objects, and yields
// each object, with the time zones it names, as a Calendar of its own; where an
// object fails CheckObject, the error goes with it and the next one follows.
// METHOD is left out. A text that cannot be read at all yields (nil, error).
func Split(data []byte) iter.Seq2[*Calendar, error] { return nil }

// CheckObject reports whether c may be stored as a calendar object resource (RFC
// 4791 §4.1) and can be understood. Its errors are of type *Error.
func (c *Calendar) CheckObject() error { return nil }

// Encode writes the calendar.
func (c *Calendar) Encode() []byte { return c.Root.Encode() }

// A TimeRange is half open; a zero Start or End leaves that side without bound.
type TimeRange struct{ Start, End time.Time }

// An Instance is one occurrence of a component.
type Instance struct {
	Start, End   time.Time
	AllDay       bool            // Start and End are midnights in the floating zone
	Floating     bool            // and so, of times without a zone
	Recurring    bool            // one of a recurrence set
	RecurrenceID time.Time       // where the set puts it; zero if not Recurring
	Component    *line.Component // the override where there is one, else the master; not to be changed
}

// Instances yields what overlaps r, in order of Start, at most limit of them; when
// there are more the last pair is an error that is ErrTooMany. floating is the zone
// of times that have none.
func (c *Calendar) Instances(r TimeRange, floating *time.Location, limit int) iter.Seq2[Instance, error] {
	return nil
}

// ErrTooMany says that a set has more instances than were asked for.
var ErrTooMany = errors.New("more instances than can be shown")

// Zone returns the time zone called tzid, as Go's tzdata, Windows or the path of an
// Olson name after a vendor's prefix has it.
func Zone(tzid string) (*time.Location, bool) { return nil, false }

// ParseZone reads a VCALENDAR that holds one VTIMEZONE, as the property
// calendar-timezone does (RFC 4791 §5.2.2). Its errors are of type *Error.
func ParseZone(data []byte) (*time.Location, error) { return nil, nil }
