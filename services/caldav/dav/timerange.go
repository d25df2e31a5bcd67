package dav

import (
	"net/http"
	"time"

	"cairn/services/caldav/ical"
)

// utcForm is how the time ranges of reports are written (RFC 4791 §9.9): UTC and nothing else.
const utcForm = "20060102T150405Z"

// timeRange reads CALDAV:time-range (RFC 4791 §9.9), nil if e is.
func timeRange(e *Element) (*ical.TimeRange, error) {
	if e == nil {
		return nil, nil
	}
	var r ical.TimeRange
	var err error
	if r.Start, err = utc(e.Attr("start")); err != nil {
		return nil, err
	}
	if r.End, err = utc(e.Attr("end")); err != nil {
		return nil, err
	}
	if e.Attr("start") == "" && e.Attr("end") == "" {
		return nil, invalidFilter("a %s has neither start nor end", e.Name.Local)
	}
	if e.Attr("end") != "" && !r.End.After(r.Start) {
		return nil, invalidFilter("a %s ends before it starts", e.Name.Local)
	}
	return &r, nil
}

// wholeRange is timeRange for elements that need both ends (RFC 4791 §§9.6.5 to 9.6.7, 9.11).
func wholeRange(e *Element) (*ical.TimeRange, error) {
	r, err := timeRange(e)
	if err == nil && r != nil && (e.Attr("start") == "" || e.Attr("end") == "") {
		return nil, invalidFilter("%s needs start and end", e.Name.Local)
	}
	return r, err
}

// minDateTime is the first time that reports may name (RFC 4791 §5.2.6). It is also how a TimeRange says that it
// has no start. The last one, 99991231T235959Z, is the last that can be written.
const minDateTime = "00010101T000000Z"

// utc reads a time; none is zero.
func utc(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(utcForm, s)
	if err != nil || len(s) != len(utcForm) {
		return time.Time{}, invalidFilter("%.40q is not a time in UTC, as 20060102T150405Z", s)
	}
	if s < minDateTime {
		return time.Time{}, Violated(http.StatusForbidden, Cal("min-date-time"), "%s is before all time", s)
	}
	return t, nil
}
