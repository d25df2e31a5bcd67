// Package page shows a public calendar to people who have nothing but a browser: a
// month, and an agenda of what comes next. It is plain HTML, without scripts.
//
//	p := &page.Page{Name: "Club", Path: "/public/alice/club/", Zone: vienna,
//		Feed: "https://dav.example.org/public/alice/club.ics", Tag: tree.String(),
//		Now: time.Now, Events: everything}
//	p.ServeHTTP(w, r)
//
// The view is in the query: "?month=2026-11" is a month, "?view=agenda" what comes
// next and "?view=agenda&from=2026-11-21" what comes after a day. All else is 404.
//
// # What is not shown
//
// Events that their owner marked CLASS:PRIVATE; of CLASS:CONFIDENTIAL ones only that
// there is something (RFC 5545 §3.8.1.3). Attendees, alarms and attachments.
// Tasks and journals.
package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"cairn/services/caldav/ical"
)

// A Page is a public calendar. Nobody changes it while it is served.
type Page struct {
	Name        string // of the calendar
	Description string // of it; may be empty
	Colour      string // "#rrggbb", also "#rrggbbaa"; anything else is ours
	Owner       string // whose it is; may be empty
	Path        string // of this page, as in "/public/alice/club/"
	// Feed is the absolute URL, http or https, of the calendar as a file to
	// subscribe to; empty when there is none.
	Feed string
	Zone *time.Location // in which times are shown; nil is UTC
	// Tag is something that changes when the calendar or anything above does,
	// such as the hash of its tree. Empty keeps browsers from caching.
	Tag string
	Now func() time.Time
	// Events yields the instances that overlap r, in any order, at most limit of
	// each object. Floating times and days are those of Zone. An error concerns
	// one object and is logged; the others are shown.
	Events func(r ical.TimeRange, limit int) iter.Seq2[ical.Instance, error]
	Log    *slog.Logger // nil logs nothing
}

// maxEntries is how many events a page shows at most.
const maxEntries = 1000

// ServeHTTP answers GET and HEAD.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "This page can only be read.", http.StatusMethodNotAllowed)
		return
	}
	v, err := p.view(r)
	if err != nil {
		http.Error(w, "There is no such page of this calendar.", http.StatusNotFound)
		return
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+v.styleSource+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	if p.Tag != "" {
		h.Set("ETag", v.tag())
		if matches(r.Header.Values("If-None-Match"), v.tag()) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	p.fill(v)
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, "page.html", v); err != nil {
		p.log().Error("show calendar", "path", p.Path, "err", err)
		http.Error(w, "This calendar cannot be shown now.", http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", fmt.Sprint(b.Len()))
	if r.Method == http.MethodGet {
		w.Write(b.Bytes()) // nobody is left to tell of an error
	}
}

func (p *Page) log() *slog.Logger {
	if p.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return p.Log
}

// A view is what one request asks for, and then what the template shows.
type view struct {
	*Page
	Agenda bool
	from   day // the first day that is asked for
	until  day // the first day that is not
	today  day
	zone   *time.Location

	styleSource string
	Style       any // the style sheet's element
	Days        []dayList
	Weeks       []week
	Cut         bool // there are more events than are shown
}

var errNoView = errors.New("no such view")

// The years that can be asked for; calendars do not go on for ever.
const firstYear, lastYear = 1900, 2199

// agendaDays is how much an agenda shows.
const agendaDays = 91

// view reads the query.
func (p *Page) view(r *http.Request) (*view, error) {
	zone := p.Zone
	if zone == nil {
		zone = time.UTC
	}
	v := &view{Page: p, zone: zone, today: dayOf(p.Now().In(zone))}
	q := r.URL.Query()
	month, from, kind := q.Get("month"), q.Get("from"), q.Get("view")
	switch {
	case kind == "agenda" && month == "":
		v.Agenda = true
		start := v.today
		if from != "" {
			t, err := time.Parse("2006-01-02", from)
			if err != nil {
				return nil, err
			}
			start = dayOf(t)
		}
		v.from, v.until = start, start.add(agendaDays)
	case kind == "" && from == "":
		start := v.today.month()
		if month != "" {
			t, err := time.Parse("2006-01", month)
			if err != nil {
				return nil, err
			}
			start = dayOf(t)
		}
		v.from, v.until = start, start.addMonths(1)
	default:
		return nil, errNoView
	}
	if y := v.from.time().Year(); y < firstYear || y > lastYear {
		return nil, errNoView
	}
	v.Style, v.styleSource = style(p.Colour)
	return v, nil
}

// tag is the entity tag: what the page is made of is the calendar, the question, and
// what day it is.
func (v *view) tag() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%v %v %v %v\n%s\n%s\n%s", v.Tag, v.Agenda, v.from, v.until, v.today, v.zone, v.Feed, v.styleSource))
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// matches says whether If-None-Match names a tag (RFC 9110 §13.1.2).
func matches(fields []string, tag string) bool {
	for _, field := range fields {
		for one := range strings.SplitSeq(field, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}
