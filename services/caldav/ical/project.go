package ical

import (
	"time"

	"cairn/services/caldav/line"
)

// Data says what of a calendar a report shall show (RFC 4791 §9.6). The zero value
// is all of it. At most one of Expand and LimitRecurrence is set; both need a Start
// and an End.
type Data struct {
	Comp            *CompData  // VCALENDAR's; nil is everything
	Expand          *TimeRange // every instance by itself, in UTC (§9.6.5)
	LimitRecurrence *TimeRange // limit-recurrence-set: overrides that matter there (§9.6.6)
	LimitFreeBusy   *TimeRange // limit-freebusy-set (§9.6.7)
}

// CompData says what of a component is shown (RFC 4791 §9.6.1).
type CompData struct {
	Name     string // in upper case
	AllProps bool
	Props    []PropData
	AllComps bool
	Comps    []CompData
}

// PropData is a property that is shown, with NoValue only its name (RFC 4791
// §9.6.4).
type PropData struct {
	Name    string // in upper case
	NoValue bool
}

// Whole reports whether everything is shown: then the bytes as they are stored
// are the answer.
func (d *Data) Whole() bool {
	return d.Comp == nil && d.Expand == nil && d.LimitRecurrence == nil && d.LimitFreeBusy == nil
}

// Project writes what d shows of c. floating is the zone of times that have none,
// nil for UTC; they stay as they are also where others are turned into UTC. Its only
// error is ErrTooMany, where there is more to expand than can be shown.
func (d *Data) Project(c *Calendar, floating *time.Location) ([]byte, error) {
	root := c.Root
	switch {
	case d.Expand != nil:
		var err error
		if root, err = c.expand(*d.Expand, floating); err != nil {
			return nil, err
		}
	case d.LimitRecurrence != nil:
		root = c.limit(*d.LimitRecurrence, floating)
	}
	if d.LimitFreeBusy != nil {
		root = c.limitFreeBusy(root, *d.LimitFreeBusy, floating)
	}
	if d.Comp != nil {
		root = d.Comp.of(root)
	}
	return root.Encode(), nil
}

// of returns what is shown of a component.
func (d *CompData) of(c *line.Component) *line.Component {
	out := &line.Component{Name: c.Name}
	props, comps := map[string]PropData{}, map[string]*CompData{}
	for _, p := range d.Props {
		props[p.Name] = p
	}
	for i := range d.Comps {
		comps[d.Comps[i].Name] = &d.Comps[i]
	}
	for _, l := range c.Lines {
		p, named := props[l.Name]
		if p.NoValue {
			l.Value = ""
		}
		if named || d.AllProps {
			out.Lines = append(out.Lines, l)
		}
	}
	for _, child := range c.Children {
		switch sub := comps[child.Name]; {
		case sub != nil:
			out.Children = append(out.Children, sub.of(child))
		case d.AllComps:
			out.Children = append(out.Children, child)
		}
	}
	return out
}
