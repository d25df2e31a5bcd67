package sched

import (
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// A BusyRequest asks when people are busy (RFC 6638 §5, RFC 5546 §3.3.2).
type BusyRequest struct {
	Range ical.TimeRange // bounded
	From  string         // the organizer's address
	To    []string       // whom it is about, each once

	uid string
}

// MaxBusy is the longest time that may be asked for.
const MaxBusy = 400 * 24 * time.Hour

// MaxAsked is how many people may be asked about at once.
const MaxAsked = 200

// ReadBusy reads what is POSTed to an outbox; its error is a *Refusal.
func ReadBusy(c *ical.Calendar, own Own) (*BusyRequest, error) {
	invalid := func(reason string) error { return &Refusal{"valid-scheduling-message", reason} }
	if c.Kind != "VFREEBUSY" || c.Root.Value("METHOD") != Request {
		return nil, invalid("only requests for free and busy times can be posted; meetings are put into a calendar")
	}
	var body *line.Component
	for f := range c.Root.Sub("VFREEBUSY") {
		if body != nil {
			return nil, invalid("there is more than one VFREEBUSY")
		}
		body = f
	}
	start, end, organizer := body.First("DTSTART"), body.First("DTEND"), body.First("ORGANIZER")
	if start == nil || end == nil || organizer == nil {
		return nil, invalid("DTSTART, DTEND and ORGANIZER are needed")
	}
	b := &BusyRequest{From: organizer.Value, uid: c.UID}
	if !own(b.From) {
		return nil, &Refusal{"organizer-allowed", "the organizer is somebody else"}
	}
	from, err := c.Time(start)
	if err != nil {
		return nil, invalid(err.Error())
	}
	to, err := c.Time(end)
	if err != nil {
		return nil, invalid(err.Error())
	}
	b.Range = ical.TimeRange{Start: from.In(nil), End: to.In(nil)}
	if d := b.Range.End.Sub(b.Range.Start); d <= 0 || d > MaxBusy {
		return nil, invalid("the time asked for is empty or longer than 400 days")
	}
	seen := map[string]bool{}
	for a := range body.All("ATTENDEE") {
		if key := Address(a.Value); !seen[key] {
			seen[key] = true
			b.To = append(b.To, a.Value)
		}
	}
	if len(b.To) == 0 || len(b.To) > MaxAsked {
		return nil, invalid("one to 200 attendees can be asked about")
	}
	return b, nil
}

// Reply makes the answer about one of those asked for of their VFREEBUSY, which it takes over.
func (b *BusyRequest) Reply(about string, busy *line.Component) *line.Component {
	busy.Set(line.Line{Name: "UID", Value: b.uid})
	busy.Set(line.Line{Name: "ORGANIZER", Value: b.From})
	busy.Set(line.Line{Name: "ATTENDEE", Value: about})
	root := &line.Component{Name: "VCALENDAR", Children: []*line.Component{busy}}
	root.Add(line.Line{Name: "VERSION", Value: "2.0"}, line.Line{Name: "PRODID", Value: prodID},
		line.Line{Name: "METHOD", Value: Reply})
	return root
}
