package page

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// An entry is an event as it is shown.
type entry struct {
	ID         string // within the page
	Title      string
	Place      string
	Text       []segment // the description
	Link       string    // http or https
	AllDay     bool
	Cancelled  bool
	Tentative  bool
	start, end time.Time // in the zone of the page
	first      day
	last       day
}

// A segment is a piece of text, and where it leads to.
type segment struct{ Text, Link string }

// fill asks for the events and arranges them.
func (p *Page) fill(v *view) {
	from, until := v.from, v.until
	if !v.Agenda { // whole weeks
		from, until = from.add(-from.weekday()), until.add((7-until.weekday())%7)
	}
	var entries []*entry
	for in, err := range p.Events(ical.TimeRange{Start: from.in(v.zone), End: until.in(v.zone)}, maxEntries) {
		if err != nil {
			p.log().Warn("show calendar", "path", p.Path, "err", err)
			continue
		}
		if e := newEntry(in, v.zone); e != nil && e.first < until && e.last >= from {
			entries = append(entries, e)
		}
		if len(entries) > 4*maxEntries { // enough to sort and cut
			break
		}
	}
	slices.SortStableFunc(entries, compare)
	if len(entries) > maxEntries {
		entries, v.Cut = entries[:maxEntries], true
	}
	for i, e := range entries {
		e.ID = fmt.Sprintf("e%d", i+1)
	}
	v.Days = dayLists(entries, v.from, v.until, v.today)
	if !v.Agenda {
		v.Weeks = v.weeks(entries)
	}
}

// compare puts earlier days first, on a day what takes all of it, and of those what
// takes longest.
func compare(a, b *entry) int {
	return cmp.Or(cmp.Compare(a.first, b.first), -compareBool(a.AllDay, b.AllDay), -compareBool(a.last > a.first, b.last > b.first),
		a.start.Compare(b.start), -cmp.Compare(a.last, b.last), cmp.Compare(a.Title, b.Title))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// newEntry is what is shown of an instance, nil for nothing.
func newEntry(in ical.Instance, zone *time.Location) *entry {
	c := in.Component
	class := strings.ToUpper(strings.TrimSpace(c.Value("CLASS")))
	if c.Name != "VEVENT" || class == "PRIVATE" {
		return nil
	}
	e := &entry{AllDay: in.AllDay, start: in.Start.In(zone), end: in.End.In(zone)}
	e.first, e.last = dayOf(e.start), dayOf(e.start)
	if e.end.After(e.start) && !e.isNight() {
		e.last = dayOf(e.end.Add(-1)) // what ends at midnight does not take the next day
	}
	if class == "CONFIDENTIAL" {
		e.Title = "Busy"
		return e
	}
	e.Title = clip(text(c, "SUMMARY"), 300)
	if e.Title == "" {
		e.Title = "(no title)"
	}
	e.Place = clip(text(c, "LOCATION"), 300)
	e.Text = segments(clip(text(c, "DESCRIPTION"), 5000))
	e.Link = webLink(strings.TrimSpace(c.Value("URL")))
	e.Cancelled = strings.EqualFold(c.Value("STATUS"), "CANCELLED")
	e.Tentative = strings.EqualFold(c.Value("STATUS"), "TENTATIVE")
	return e
}

// isNight reports whether it begins in the evening and ends early next morning: to
// people that is one day.
func (e *entry) isNight() bool {
	return !e.AllDay && dayOf(e.end) == e.first+1 && e.end.Hour() < 6 && e.end.Sub(e.start) < 12*time.Hour
}

func text(c *line.Component, name string) string {
	return strings.TrimSpace(line.Unescape(c.Value(name)))
}

// clip shortens s to about n bytes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + " …"
}

var address = regexp.MustCompile(`https?://[^\s<>"']+[^\s<>"'.,;:!?()\[\]]`)

// segments finds the addresses in a text, so that they can be followed.
func segments(s string) []segment {
	var all []segment
	at := 0
	for _, found := range address.FindAllStringIndex(s, -1) {
		link := webLink(s[found[0]:found[1]])
		if link == "" {
			continue
		}
		if found[0] > at {
			all = append(all, segment{Text: s[at:found[0]]})
		}
		all = append(all, segment{s[found[0]:found[1]], link})
		at = found[1]
	}
	if at < len(s) {
		all = append(all, segment{Text: s[at:]})
	}
	return all
}

// webLink returns s if it is the address of a web page.
func webLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return u.String()
}

// Status says what else there is to know.
func (e *entry) Status() string {
	switch {
	case e.Cancelled:
		return "Cancelled"
	case e.Tentative:
		return "Not certain yet"
	}
	return ""
}
