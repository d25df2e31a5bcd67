package ical

import (
	"time"

	"cairn/services/caldav/line"
)

// A Filter is what a calendar-query asks for (RFC 4791 §9.7). Comp is that of
// VCALENDAR.
type Filter struct{ Comp CompFilter }

// A CompFilter is met by a component called Name that meets all conditions (RFC
// 4791 §9.7.1).
type CompFilter struct {
	Name       string // in upper case
	NotDefined bool   // there is no such component; nothing else counts
	Range      *TimeRange
	Props      []PropFilter
	Comps      []CompFilter
}

// A PropFilter is met by a property called Name (RFC 4791 §9.7.2).
type PropFilter struct {
	Name       string // in upper case
	NotDefined bool
	Range      *TimeRange
	Text       *line.TextMatch
	Params     []ParamFilter
}

// A ParamFilter is met by a parameter called Name (RFC 4791 §9.7.3).
type ParamFilter struct {
	Name       string // in upper case
	NotDefined bool
	Text       *line.TextMatch
}

// TextMatch is a condition on text; its Type stays Contains here.
type TextMatch = line.TextMatch

// Match reports whether c meets the filter. floating is the zone of times that
// have none.
func (f *Filter) Match(c *Calendar, floating *time.Location) bool { return false }

// MatchIndex says the same of a calendar that is only known by its Index: Maybe
// where the Calendar must be asked.
func (f *Filter) MatchIndex(x *Index, floating *time.Location) Answer { return Maybe }
