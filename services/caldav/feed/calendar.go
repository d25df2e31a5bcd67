package feed

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strings"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
	"cairn/services/caldav/shelf"
)

// refresh is how often those who subscribe shall ask again (RFC 7986 §5.7).
const refresh = "PT1H"

// calendarPieces yields a calendar as one VCALENDAR (RFC 5545 §3.4, with
// METHOD:PUBLISH): the head, each object after the time zones that it is the first to
// need, the end. A piece is good until the next one.
func calendarPieces(c *shelf.Collection, public bool) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if !yield(calendarHead(c), nil) {
			return
		}
		z := zones{}
		var buf []byte
		for data, err := range contents(c) {
			if err != nil {
				yield(nil, err)
				return
			}
			cal, err := ical.Parse(data)
			if err != nil {
				continue // somebody has put it there past all checks
			}
			root := cal.Root
			if public {
				root = root.Clone()
				reduce(root)
			}
			buf = buf[:0]
			for _, child := range z.settle(root) {
				buf = child.Append(buf)
			}
			if !yield(buf, nil) {
				return
			}
		}
		yield([]byte(end), nil)
	}
}

// cardPieces yields an address book's cards one after the other (RFC 6350 §3.3).
func cardPieces(c *shelf.Collection) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var buf []byte
		for data, err := range contents(c) {
			buf = append(append(buf[:0], bytes.TrimRight(data, "\r\n")...), "\r\n"...)
			if !yield(buf, err) || err != nil {
				return
			}
		}
	}
}

// contents yields what is in each resource.
func contents(c *shelf.Collection) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for r, err := range c.Resources() {
			var data []byte
			if err == nil {
				data, err = c.Read(r)
			}
			if err != nil {
				err = fmt.Errorf("read %s of %q: %w", c.Path(), c.User(), err)
			}
			if !yield(data, err) || err != nil {
				return
			}
		}
	}
}

const end = "END:VCALENDAR\r\n"

// calendarHead writes what comes before the first object. NAME and the like are RFC
// 7986's; those that begin with X- are what programs knew before.
func calendarHead(c *shelf.Collection) []byte {
	p := c.Props()
	name := p.DisplayName
	if name == "" {
		name = c.Name
	}
	head := &line.Component{Name: "VCALENDAR"}
	add := func(name, value string, params ...line.Param) {
		if value != "" {
			head.Add(line.Line{Name: name, Params: params, Value: value})
		}
	}
	add("VERSION", "2.0")
	add("PRODID", "-//Cairn//Calendar//EN")
	add("METHOD", "PUBLISH")
	add("NAME", line.Escape(name))
	add("X-WR-CALNAME", line.Escape(name))
	add("DESCRIPTION", line.Escape(p.Description))
	add("X-WR-CALDESC", line.Escape(p.Description))
	add("X-WR-TIMEZONE", line.Escape(p.TimezoneID))
	add("X-APPLE-CALENDAR-COLOR", line.Escape(p.Color))
	add("REFRESH-INTERVAL", refresh, line.Param{Name: "VALUE", Values: []string{"DURATION"}})
	add("X-PUBLISHED-TTL", refresh)
	return bytes.TrimSuffix(head.Encode(), []byte(end))
}

// what everybody may see of a confidential event: when it is.
var times = []string{"UID", "DTSTAMP", "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "TRANSP", "SEQUENCE", "STATUS", "CLASS"}

// what nobody else shall see of any.
var personal = []string{"ATTENDEE", "ORGANIZER", "CONTACT", "ATTACH", "REQUEST-STATUS", "COMMENT"}

// reduce takes from an object what is not for everybody. Its class is that of the
// whole series, the strictest of all its parts; one that is not known counts as
// private.
func reduce(root *line.Component) {
	class := ""
	for _, part := range root.Children {
		switch c := strings.ToUpper(part.Value("CLASS")); c {
		case "", "PUBLIC":
		case "CONFIDENTIAL":
			class = c
		default:
			root.Children = nil
			return
		}
	}
	for _, part := range root.Children {
		if part.Name == "VTIMEZONE" {
			continue
		}
		part.Children = nil // alarms
		part.Del(personal...)
		part.Lines = slices.DeleteFunc(part.Lines, func(l line.Line) bool {
			return strings.HasPrefix(l.Name, "X-") || class != "" && !slices.Contains(times, l.Name)
		})
		if class != "" {
			part.Add(line.Line{Name: "SUMMARY", Value: "Busy"})
		}
	}
}
