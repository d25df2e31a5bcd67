package sched

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// Tag is the Schedule-Tag of a meeting in the calendar of who has these addresses (RFC 6638
// §3.2.10). It follows from what the meeting says: it stays when only others have
// answered, or a delivery was noted, and changes with everything else.
func Tag(c *ical.Calendar, own Own) string {
	root := c.Root.Clone()
	role := RoleOf(c, own)
	var texts []string
	for _, comp := range meetings(root) {
		comp.Lines = slices.DeleteFunc(comp.Lines, func(l line.Line) bool {
			return l.Name == "DTSTAMP" || l.Name == "LAST-MODIFIED" || l.Name == "REQUEST-STATUS"
		})
		for i := range comp.Lines {
			l := &comp.Lines[i]
			if l.Name != "ATTENDEE" && l.Name != "ORGANIZER" {
				continue
			}
			l.DelParam("SCHEDULE-STATUS")
			if role == Organizer || !own(l.Value) {
				l.DelParam("PARTSTAT")
				l.DelParam("RSVP")
			}
		}
		texts = append(texts, string(comp.Encode()))
	}
	slices.Sort(texts)
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	return hex.EncodeToString(sum[:16])
}
