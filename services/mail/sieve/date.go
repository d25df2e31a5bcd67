package sieve

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"cairn/services/mail/message"
)

// dateParts are what can be asked of a date (RFC 5260 §4.2).
var dateParts = map[string]func(time.Time) string{
	"year":    func(t time.Time) string { return fmt.Sprintf("%04d", t.Year()) },
	"month":   func(t time.Time) string { return fmt.Sprintf("%02d", t.Month()) },
	"day":     func(t time.Time) string { return fmt.Sprintf("%02d", t.Day()) },
	"date":    func(t time.Time) string { return t.Format("2006-01-02") },
	"julian":  func(t time.Time) string { return strconv.Itoa(julian(t)) },
	"hour":    func(t time.Time) string { return fmt.Sprintf("%02d", t.Hour()) },
	"minute":  func(t time.Time) string { return fmt.Sprintf("%02d", t.Minute()) },
	"second":  func(t time.Time) string { return fmt.Sprintf("%02d", t.Second()) },
	"time":    func(t time.Time) string { return t.Format("15:04:05") },
	"iso8601": func(t time.Time) string { return t.Format("2006-01-02T15:04:05-07:00") },
	"std11":   func(t time.Time) string { return t.Format("Mon, 02 Jan 2006 15:04:05 -0700") },
	"zone":    func(t time.Time) string { return t.Format("-0700") },
	"weekday": func(t time.Time) string { return strconv.Itoa(int(t.Weekday())) },
}

// julian is the modified Julian day: those since 17 November 1858.
func julian(t time.Time) int {
	const epoch = 40587 // 1 January 1970
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return int(day.Unix()/(24*60*60)) + epoch
}

// buildDate reads date and currentdate.
func buildDate(b *builder, c *call) (test, error) {
	m, err := b.matcher(c)
	if err != nil {
		return nil, err
	}
	zone, err := c.zone()
	if err != nil {
		return nil, err
	}
	i := len(c.args) - 2
	names, err := c.constants(c.args[i], "what is asked of a date")
	if err != nil {
		return nil, err
	}
	part, ok := dateParts[lower(names[0])]
	if !ok {
		return nil, b.errorf(c.args[i].at, "a date has no %q", names[0])
	}
	if c.name == "currentdate" {
		return compared(c, m, c.args[i], c.args[i+1], func(r *run, _ []string) ([]string, error) {
			return []string{part(zone(r.Now.UTC()))}, nil
		})
	}
	p, err := b.picker(c)
	if err != nil {
		return nil, err
	}
	if p.n == 0 {
		p.n = 1
	}
	if err := c.fieldNames(c.args[0]); err != nil {
		return nil, err
	}
	return compared(c, m, c.args[0], c.args[2], func(r *run, names []string) ([]string, error) {
		list, err := r.fields(c.at, names[0], p)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		value := list[0]
		if i := strings.LastIndexByte(value, ';'); i >= 0 { // as in Received
			value = value[i+1:]
		}
		t, ok := message.ParseDate(value)
		if !ok {
			return nil, nil
		}
		return []string{part(zone(t))}, nil
	})
}

// zone returns what brings a time into the zone that is asked for: that of :zone, or the time's own with
// :originalzone, or else UTC.
func (c *call) zone() (func(time.Time) time.Time, error) {
	switch c.given("zone") {
	case "":
		return time.Time.UTC, nil
	case "originalzone":
		if c.name == "currentdate" {
			return nil, c.b.errorf(c.options["zone"].at, "currentdate has no option :originalzone")
		}
		return func(t time.Time) time.Time { return t }, nil
	}
	o := c.options["zone"]
	list, err := c.constants(o.value, "a zone")
	if err != nil {
		return nil, err
	}
	t, err := time.Parse("-0700", list[0])
	if err != nil {
		return nil, c.b.errorf(o.value.at, "%q is no zone: it is written as +0100", list[0])
	}
	_, offset := t.Zone()
	there := time.FixedZone("", offset)
	return func(t time.Time) time.Time { return t.In(there) }, nil
}
