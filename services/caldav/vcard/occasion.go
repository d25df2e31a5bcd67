package vcard

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/line"
)

// An Occasion is a day that a card asks to remember every year.
type Occasion struct {
	Kind OccasionKind
	Name string // whose it is
	Date Date   // when it was; Year is 0 when that is not known
	UID  string // of its event: derived from the card's UID, so always the same
	rev  string // when the card was changed, as DTSTAMP has it
}

// An OccasionKind says what there is to remember.
type OccasionKind string

const (
	Birthday    OccasionKind = "birthday"
	Anniversary OccasionKind = "anniversary"
	Death       OccasionKind = "death"
)

// signs stand before the name in an event's summary: no words, so no language.
var signs = map[OccasionKind]string{Birthday: "🎂", Anniversary: "💍", Death: "🕯️"}

// occasionProps are the properties that occasions are read from, as 4.0 calls them
// (BDAY, ANNIVERSARY: RFC 6350 §6.2; DEATHDATE: RFC 6474 §2.3).
var occasionProps = map[string]OccasionKind{"BDAY": Birthday, "ANNIVERSARY": Anniversary, "DEATHDATE": Death}

// Occasions returns the card's birthday, anniversary and day of death, as far as
// they name a day. Each comes once.
func (c *Card) Occasions() []Occasion {
	part := &Card{Version: c.Version} // what there is to convert, without pictures
	for _, l := range c.Lines {
		if _, ok := occasionProps[l.Name]; ok || slices.Contains([]string{"X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY", "X-ABDATE", "X-ABLABEL"}, l.Name) {
			part.Lines = append(part.Lines, l)
		}
	}
	part = part.Convert(V4)
	var all []Occasion
	for _, name := range []string{"BDAY", "ANNIVERSARY", "DEATHDATE"} {
		l := part.preferred(name)
		if l == nil {
			continue
		}
		if m, ok := parseMoment(l); ok {
			kind := occasionProps[name]
			all = append(all, Occasion{Kind: kind, Name: c.Name(), Date: m.Date, UID: c.occasionUID(kind), rev: c.stamp()})
		}
	}
	return all
}

func (c *Card) occasionUID(kind OccasionKind) string {
	id := c.UID()
	if id == "" {
		id = c.Name()
	}
	sum := sha256.Sum256([]byte(string(kind) + "\x00" + id))
	return fmt.Sprintf("%s-%x", kind, sum[:16])
}

// stamp is REV as a DTSTAMP, or the epoch: it changes only when the card does.
func (c *Card) stamp() string {
	if t, err := time.Parse("20060102T150405Z", timestamp4(c.text("REV"))); err == nil {
		return t.Format("20060102T150405Z")
	}
	return "19700101T000000Z"
}

// Events returns the occasion as a yearly all-day event (RFC 5545 §3.6.1), followed,
// where the year is known, by its instances in the years from to to with the age, as
// overrides: "🎂 Alice (40)". Who was born on 29 February has the last day of that
// month in other years. A card without a year begins in 1972.
func (o *Occasion) Events(from, to int) []*line.Component {
	start := o.Date
	if start.Year == 0 {
		start.Year = leapYear
	}
	rule := "FREQ=YEARLY"
	if start.Month == 2 && start.Day == 29 {
		rule = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"
	}
	all := []*line.Component{o.event(start, 0, line.Line{Name: "RRULE", Value: rule})}
	if o.Date.Year == 0 {
		return all
	}
	for year := max(from, start.Year+1); year <= to; year++ {
		on := start.in(year)
		id := dateLine("RECURRENCE-ID", on)
		all = append(all, o.event(on, year-start.Year, id))
	}
	return all
}

// event is one VEVENT on a day, with an age unless that is 0.
func (o *Occasion) event(on Date, age int, more line.Line) *line.Component {
	summary := strings.TrimSpace(signs[o.Kind] + " " + o.Name)
	if age > 0 {
		summary += fmt.Sprintf(" (%d)", age)
	}
	return &line.Component{Name: "VEVENT", Lines: []line.Line{
		{Name: "UID", Value: o.UID},
		{Name: "DTSTAMP", Value: o.rev},
		dateLine("DTSTART", on),
		more,
		{Name: "SUMMARY", Value: line.Escape(summary)},
		{Name: "TRANSP", Value: "TRANSPARENT"},
	}}
}

func dateLine(name string, d Date) line.Line {
	return line.Line{Name: name, Params: []line.Param{{Name: "VALUE", Values: []string{"DATE"}}}, Value: fmt.Sprintf("%04d%02d%02d", d.Year, d.Month, d.Day)}
}

// in is the same day of another year: 29 February is the 28th where there is none.
func (d Date) in(year int) Date {
	day := Date{year, d.Month, d.Day}
	if !day.valid() {
		day.Day--
	}
	return day
}
