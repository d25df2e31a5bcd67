package ical

import (
	"fmt"
	"strings"

	"cairn/services/caldav/line"
)

// once lists the properties that may stand only once in a component of a calendar
// object (RFC 5545 §3.6.1 to §3.6.4), of those that something here hangs on.
var once = []string{"UID", "DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "DTSTAMP", "COMPLETED", "CREATED",
	"LAST-MODIFIED", "SEQUENCE", "STATUS", "SUMMARY", "TRANSP", "CLASS", "ORGANIZER", "PRIORITY", "PERCENT-COMPLETE"}

// CheckObject reports whether c may be stored as a calendar object resource (RFC
// 4791 §4.1) and can be understood. Its errors are of type *Error.
//
// It is lenient where nothing hangs on it: PRODID, VERSION, DTSTAMP and alarms'
// ACTION may be missing, an end may lie before its beginning (and counts as none),
// and a time zone need not be defined that tzdata or Windows has.
func (c *Calendar) CheckObject() error {
	for _, check := range []func() *Error{c.checkRoot, c.checkKind, c.checkComponents} {
		if err := check(); err != nil {
			return err
		}
	}
	if err := c.compiled().err; err != nil {
		return err
	}
	return nil
}

// notObject returns the error of a calendar that is not one object.
func notObject(format string, args ...any) *Error {
	return &Error{Precondition: ValidObject, Reason: fmt.Sprintf(format, args...)}
}

func (c *Calendar) checkRoot() *Error {
	for i := range c.Root.Lines {
		switch l := &c.Root.Lines[i]; {
		case l.Name == "VERSION" && l.Value != "2.0":
			return &Error{Precondition: SupportedData, Reason: fmt.Sprintf("iCalendar of version %.20q", l.Value)}
		case l.Name == "CALSCALE" && !strings.EqualFold(l.Value, "GREGORIAN"):
			return &Error{Precondition: SupportedData, Reason: fmt.Sprintf("a calendar by the scale %.20q", l.Value)}
		case l.Name == "METHOD":
			return notObject("METHOD is for messages, not for what is stored")
		}
	}
	return nil
}

// checkKind makes sure of one kind, one UID, one master and one override for each
// instance.
func (c *Calendar) checkKind() *Error {
	if c.Kind == "" {
		return notObject("no component but time zones")
	}
	if c.UID == "" {
		return notObject("%s without a UID", c.Kind)
	}
	master := false
	ids := map[string]bool{}
	for _, child := range c.Root.Children {
		switch id := child.First("RECURRENCE-ID"); {
		case child.Name == "VTIMEZONE" || strings.HasPrefix(child.Name, "X-"):
		case child.Name != c.Kind:
			return notObject("both %s and %.40s", c.Kind, child.Name)
		case child.Value("UID") != c.UID:
			return notObject("components of more than one UID")
		case id == nil && master:
			return notObject("two components of one UID without a RECURRENCE-ID")
		case id == nil:
			master = true
		case ids[id.String()]:
			return notObject("two components for the instance %.40s", id.Value)
		default:
			ids[id.String()] = true
		}
	}
	return nil
}

func (c *Calendar) checkComponents() *Error {
	for _, child := range c.Root.Children {
		if err := checkLines(child); err != nil {
			return err
		}
		if !isKind(child.Name) {
			continue
		}
		for _, name := range once {
			n := 0
			for range child.All(name) {
				n++
			}
			if n > 1 {
				return invalid("%s with %s more than once", child.Name, name)
			}
		}
		switch has := func(name string) bool { return child.First(name) != nil }; {
		case child.Name == "VEVENT" && !has("DTSTART"):
			return invalid("VEVENT without DTSTART")
		case child.Name == "VEVENT" && has("DTEND") && has("DURATION"):
			return invalid("VEVENT with both DTEND and DURATION")
		case child.Name == "VTODO" && has("DUE") && has("DURATION"):
			return invalid("VTODO with both DUE and DURATION")
		}
		for a := range child.Sub("VALARM") {
			if _, err := c.compiled().alarm(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkLines makes sure that no line is one of a vCard's.
func checkLines(c *line.Component) *Error {
	for i := range c.Lines {
		if l := &c.Lines[i]; l.Group != "" {
			return invalid("%.40s.%.40s is no name of a property", l.Group, l.Name)
		}
	}
	for _, child := range c.Children {
		if err := checkLines(child); err != nil {
			return err
		}
	}
	return nil
}
