package past

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"cairn/services/caldav/line"
	"cairn/services/caldav/shelf"
)

// Words is what was done as a sentence, without a full stop; "" for nothing.
func Words(deeds []Deed) string {
	var parts []string
	for _, d := range deeds {
		parts = append(parts, d.String())
	}
	text := strings.Join(parts, "; ")
	first, n := utf8.DecodeRuneInString(text)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + text[n:]
}

// String is the deed in words, such as: added “Lunch” (2026-12-02) to Home.
func (d Deed) String() string {
	switch d.Verb {
	case Made:
		return "made the " + d.kind() + " " + d.Called
	case Dropped:
		text := "deleted the " + d.kind() + " " + d.Called
		if d.Count > 0 {
			text += " with " + d.count()
		}
		return text
	case Set:
		if len(d.What) > 0 {
			return strings.Join(d.What, "; ")
		}
		return "changed the settings of " + d.Called
	case Added:
		return "added " + d.list() + " to " + d.Called
	case Deleted:
		return "deleted " + d.list() + " from " + d.Called
	case Moved:
		return "moved " + d.list() + " from " + d.From + " to " + d.Called
	}
	return "changed " + d.list() + " in " + d.Called
}

// Future is the deed as what is going to be done, such as: add “Lunch” (2026-12-02)
// to Home.
func (d Deed) Future() string {
	parts := []string{d.String()}
	if len(d.What) > 0 {
		parts = slices.Clone(d.What)
	}
	for i, part := range parts {
		verb, rest, _ := strings.Cut(part, " ")
		parts[i] = futures[verb] + " " + rest
	}
	return strings.Join(parts, "; ")
}

var futures = map[string]string{"added": "add", "changed": "change", "deleted": "delete", "moved": "move", "made": "make",
	"renamed": "rename", "shared": "share", "stopped": "stop", "switched": "switch"}

func (d Deed) kind() string {
	if d.Kind == shelf.Contacts {
		return "address book"
	}
	return "calendar"
}

func (d Deed) count() string {
	switch {
	case d.Kind == shelf.Contacts && d.Count == 1:
		return "1 contact"
	case d.Kind == shelf.Contacts:
		return fmt.Sprint(d.Count, " contacts")
	case d.Count == 1:
		return "1 entry"
	}
	return fmt.Sprint(d.Count, " entries")
}

// list names the first resources and counts the others.
func (d Deed) list() string {
	text := strings.Join(d.Titles, ", ")
	if more := d.Count - len(d.Titles); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// called is what people call a collection.
func called(c side) string {
	switch name := clean(c.Props().DisplayName); {
	case c.Kind == shelf.Inbox:
		return "the inbox"
	case name != "":
		return name
	}
	return clean(c.Name)
}

// title is what people call a resource: what it is about and, of an event, the
// day.
func title(c side, r shelf.Resource) string {
	data, err := c.Read(r)
	if err != nil {
		return clean(r.Name)
	}
	text, day := headline(data)
	if text == "" {
		text = clean(r.Name)
	} else {
		text = "“" + text + "”"
	}
	if day != "" {
		text += " (" + day + ")"
	}
	return text
}

// headline finds the summary and the first day of a calendar object, or the name on
// a card; "" where there is none.
func headline(data []byte) (text, day string) {
	parsed, err := line.Parse(data)
	if err != nil || len(parsed) == 0 {
		return "", ""
	}
	top := parsed[0]
	if top.Name == "VCARD" {
		return clean(line.Unescape(top.Value("FN"))), ""
	}
	for _, c := range top.Children {
		if c.Name == "VTIMEZONE" {
			continue
		}
		start := c.Value("DTSTART")
		if start == "" {
			start = c.Value("DUE")
		}
		if len(start) >= 8 && strings.Trim(start[:8], "0123456789") == "" {
			day = start[:4] + "-" + start[4:6] + "-" + start[6:8]
		}
		return clean(line.Unescape(c.Value("SUMMARY"))), day
	}
	return "", ""
}

// maxTitle bounds a title, in characters.
const maxTitle = 60

// clean makes one line of a text from outside that is safe to print.
func clean(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if utf8.RuneCountInString(s) > maxTitle {
		s = string([]rune(s)[:maxTitle-1]) + "…"
	}
	return s
}
