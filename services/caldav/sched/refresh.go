package sched

import (
	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// Refresh returns a meeting that a client has changed with the answers of others as
// the server has them in old, or nil if it has those already: a client that was not
// told of an answer does not take it back (RFC 6638 §3.2.10). own are the addresses of
// the person whose copy it is.
func Refresh(old, new *ical.Calendar, own Own) *line.Component {
	was, root := setOf(old), new.Root.Clone()
	is, changed := setOf(ical.New(root)), false
	for _, c := range is.all() {
		key := ""
		if l := c.First("RECURRENCE-ID"); l != nil {
			key = is.key(l)
		}
		before := was.like(key)
		if before == nil {
			continue
		}
		for a := range c.All("ATTENDEE") {
			if b := attendee(before, only(a.Value)); b != nil && !own(a.Value) && status(a) != status(b) {
				a.SetParam("PARTSTAT", status(b))
				changed = true
			}
		}
	}
	if !changed {
		return nil
	}
	return root
}
