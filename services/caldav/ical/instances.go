package ical

import (
	"errors"
	"iter"
	"slices"
	"time"

	"cairn/services/caldav/line"
)

// An Instance is one occurrence of a component.
type Instance struct {
	Start, End   time.Time
	AllDay       bool            // Start and End are midnights in the floating zone
	Floating     bool            // Start and End are by a clock in the floating zone
	Recurring    bool            // one of a recurrence set
	RecurrenceID time.Time       // where the set puts it; zero if not Recurring
	Component    *line.Component // the override where there is one, else the master; not to be changed
}

// ErrTooMany says that a set has more instances than were asked for.
var ErrTooMany = errors.New("more instances than can be shown")

// Instances yields what overlaps r by the tables of RFC 4791 §9.9, in order of
// Start, at most limit instances; where there are more, or something cannot be
// understood, the last pair is an error (ErrTooMany, *Error). floating is the zone
// of times that have none.
func (c *Calendar) Instances(r TimeRange, floating *time.Location, limit int) iter.Seq2[Instance, error] {
	return func(yield func(Instance, error) bool) {
		found, err := c.instances(r, floating, limit)
		for _, o := range found {
			if !yield(o, nil) {
				return
			}
		}
		if err != nil {
			yield(Instance{}, err)
		}
	}
}

func (c *Calendar) instances(r TimeRange, floating *time.Location, limit int) (found []Instance, err error) {
	k := c.compiled()
	if k.err != nil {
		err = k.err
	}
	for i := range k.series {
		s := &k.series[i]
		s.each(r.scope(floating), func(o occurrence) bool {
			if len(found) == limit {
				err = ErrTooMany
				return false
			}
			found = append(found, s.instance(o, c.Root, floating))
			return true
		})
	}
	slices.SortStableFunc(found, func(a, b Instance) int { return a.Start.Compare(b.Start) })
	return found, err
}

// instance gives an occurrence its names.
func (s *series) instance(o occurrence, root *line.Component, floating *time.Location) Instance {
	loc := o.start.zone(floating)
	in := Instance{
		Start:     time.Unix(o.begin, 0).In(loc),
		End:       time.Unix(o.end, 0).In(loc),
		AllDay:    o.start.form == dateForm,
		Floating:  o.start.form == floatForm,
		Recurring: s.recurring,
		Component: root.Children[o.p.comp],
	}
	if s.recurring {
		in.RecurrenceID = s.anchor.with(o.key).In(floating)
	}
	return in
}
