package ical

// A shape says which row of the tables of RFC 4791 §9.9 a component follows. In the
// terms below it lasts from begin to end.
type shape uint8

const (
	never        shape = iota // VJOURNAL without DTSTART
	always                    // VTODO without any time
	lasting                   // VEVENT, and VJOURNAL of a day
	instant                   // VEVENT without length; VTODO and VJOURNAL with DTSTART alone
	task                      // VTODO with DTSTART and DURATION
	dueTask                   // VTODO with DTSTART and DUE
	due                       // VTODO with DUE alone
	madeAndDone               // VTODO with CREATED and COMPLETED alone
	done                      // VTODO with COMPLETED alone
	sinceCreated              // VTODO with CREATED alone
	closed                    // VFREEBUSY with DTSTART and DTEND
	hidden                    // a period of such a VFREEBUSY: counts for free-busy, not here
)

// overlaps reports whether what lasts from begin to end overlaps the range from
// start to stop.
func (s shape) overlaps(begin, end, start, stop int64) bool {
	switch s {
	case always:
		return true
	case lasting:
		return start < end && stop > begin
	case instant:
		return start <= begin && stop > begin
	case task:
		return start <= end && (stop > begin || stop >= end)
	case dueTask:
		return (start < end || start <= begin) && (stop > begin || stop >= end)
	case due:
		return start < end && stop >= end
	case madeAndDone:
		return (start <= begin || start <= end) && (stop >= begin || stop >= end)
	case done:
		return start <= begin && stop >= begin
	case sinceCreated:
		return stop > begin
	case closed:
		return start <= end && stop > begin
	}
	return false
}
