package sched

import (
	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// Incoming reads a scheduling message that came from outside by mail (iMIP, RFC 6047) to
// the person whose addresses own knows. from is the address that the mail has been proved to come from.
// Who says what is not theirs to say, and what is no such message, is a *Refusal: requests and
// cancellations come from the organizer, replies from who was invited, or from who is named as
// writing for them (SENT-BY).
//
// What the sender has no say in is taken out: alarms, and when it is delivered whether the receiver
// has accepted.
func Incoming(c *ical.Calendar, from string, own Own) (*Message, error) {
	invalid := func(reason string) error { return &Refusal{"valid-scheduling-message", reason} }
	m := &Message{Method: c.Root.Value("METHOD"), From: "mailto:" + from, Root: c.Root.Clone()}
	plain := ical.New(c.Root.Clone())
	plain.Root.Del("METHOD")
	if err := plain.CheckObject(); err != nil {
		return nil, invalid(err.Error())
	}
	if TooLarge(c) {
		return nil, invalid("the meeting is too large")
	}
	m.UID = plain.UID
	msg := setOf(ical.New(m.Root))
	organizer := msg.organizer()
	if organizer == nil || len(msg.all()) == 0 {
		return nil, invalid("there is no meeting in it, or nobody's")
	}
	switch m.Method {
	case Request, Cancel:
		if !speaksFor(organizer, m.From) {
			return nil, &Refusal{"organizer-allowed", "the meeting is not the sender's"}
		}
		if m.Method == Request && msg.invited(own) == nil {
			return nil, invalid("the receiver is not invited")
		}
		m.From = organizer.Value
	case Reply:
		if !own(organizer.Value) {
			return nil, &Refusal{"organizer-allowed", "the meeting is not the receiver's"}
		}
		who, err := msg.answeredBy(m.From)
		if err != nil {
			return nil, err
		}
		m.From = who
	default:
		return nil, invalid("messages of the kind " + m.Method + " are not understood")
	}
	m.To = organizer.Value
	if a := msg.invited(own); a != nil && m.Method != Reply {
		m.To = a.Value
	}
	msg.clean()
	m.Foreign = true
	return m, nil
}

// speaksFor says whether an address is that of a line, or of who writes for it.
func speaksFor(l *line.Line, address string) bool {
	by, _ := l.Param("SENT-BY")
	return Address(l.Value) == Address(address) || by != "" && Address(by) == Address(address)
}

// invited is the line of the first component that invites a person.
func (s *set) invited(own Own) *line.Line {
	for _, c := range s.all() {
		if a := attendee(c, own); a != nil {
			return a
		}
	}
	return nil
}

// answeredBy returns whose answer a reply is, which must be the sender's in each component.
func (s *set) answeredBy(from string) (who string, err error) {
	for _, c := range s.all() {
		a := c.First("ATTENDEE")
		if a == nil || !speaksFor(a, from) || who != "" && Address(who) != Address(a.Value) {
			return "", &Refusal{"valid-scheduling-message", "the reply is somebody else's answer"}
		}
		who = a.Value
	}
	return who, nil
}

// clean takes out what is not the sender's to say, and puts in what others count on.
func (s *set) clean() {
	for _, c := range s.all() {
		keep(&line.Component{}, c) // alarms
		for i := range c.Lines {
			strip(&c.Lines[i])
		}
		if c.First("SEQUENCE") == nil {
			c.Set(line.Line{Name: "SEQUENCE", Value: "0"})
		}
	}
}

// ownAnswers makes the answers of a person what they have answered, as long as they are not asked
// anew: it is not for an organizer elsewhere to say.
func (msg *set) ownAnswers(was *set, own Own) {
	for _, c := range msg.all() {
		a := attendee(c, own)
		if a == nil {
			continue
		}
		key, answer := "", needsAction
		if l := c.First("RECURRENCE-ID"); l != nil {
			key = msg.key(l)
		}
		if before := was.like(key); before != nil && sequence(before) >= sequence(c) {
			if b := attendee(before, own); b != nil {
				answer = status(b)
			}
		}
		a.SetParam("PARTSTAT", answer)
	}
}
