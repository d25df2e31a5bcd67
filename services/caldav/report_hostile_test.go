package caldav

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/shelf"
	"cairn/store"
)

// TestEndlessEvents asks about events that never end, for all time.
func TestEndlessEvents(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	h.put(home+"a.ics", eventOf("a", "DTSTART:20260101T000000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY;INTERVAL=2"))
	h.put(home+"b.ics", eventOf("b", "DTSTART:20260101T000000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"))
	const always = `start="00010101T000000Z" end="99991231T235959Z"`
	h.report("alice", home, query("00010101T000000Z", "99991231T235959Z")).want(207, "a.ics")
	h.report("alice", home, query("99980101T000000Z", "99991231T235959Z")).want(207)
	if a := h.report("alice", home, `<C:free-busy-query><C:time-range `+always+`/></C:free-busy-query>`); len(a.body) > 64<<20 {
		t.Errorf("free-busy: got %d bytes", len(a.body))
	}
	a := h.report("alice", home, `<C:calendar-query><D:prop><C:calendar-data><C:expand `+always+`/></C:calendar-data></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`).
		want(207, "number-of-matches-within-limits")
	if len(a.body) > 64<<20 {
		t.Errorf("expand: got %d bytes", len(a.body))
	}
}

// TestDamagedObjects: what came onto the branch past all checks is no reason to fail for the rest.
func TestDamagedObjects(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	h.put(home+"good.ics", anEvent("good", "Good"))
	book := h.addressbook(map[string]string{"good.vcf": aCard("good", "Good")})
	h.plant("alice", "calendars/home/bad.ics", "BEGIN:VCALENDAR\r\nthis is <none>\r\n")
	h.plant("alice", strings.TrimPrefix(strings.Replace(book, "/alice", "", 1), "/")+"bad.vcf", "nothing\x00")
	everything := `<C:calendar-query><D:prop><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`
	h.report("alice", home, everything).want(207).wantNames("good.ics")
	h.report("alice", home, query("20260101T000000Z", "20270101T000000Z")).want(207).wantNames("good.ics")
	get := func(data string) *answer {
		return h.report("alice", home, `<C:calendar-multiget><D:prop><D:getetag/>`+data+`</D:prop><D:href>`+home+`bad.ics</D:href><D:href>`+home+`good.ics</D:href></C:calendar-multiget>`)
	}
	get(`<C:calendar-data/>`).want(207, "this is &lt;none&gt;", "UID:good")
	get(`<C:calendar-data><C:expand start="20260101T000000Z" end="20270101T000000Z"/></C:calendar-data>`).
		want(207, "<cal:calendar-data/></d:prop><d:status>HTTP/1.1 409 Conflict</d:status>", "UID:good").without("this is")
	h.report("alice", home, `<C:free-busy-query><C:time-range start="20260101T000000Z" end="20270101T000000Z"/></C:free-busy-query>`).want(200, "FREEBUSY")
	h.report("alice", book, `<A:addressbook-query><D:prop><A:address-data/></D:prop><A:filter><A:prop-filter name="FN"/></A:filter></A:addressbook-query>`).want(207).wantNames("good.vcf")
	h.report("alice", book, `<A:addressbook-multiget><D:prop><A:address-data/></D:prop><D:href>`+book+`bad.vcf</D:href><D:href>`+book+`good.vcf</D:href></A:addressbook-multiget>`).
		want(207, "409 Conflict", "UID:good").without("nothing")
	h.sync("alice", home, "", "").want(207).wantNames("bad.ics", "good.ics")
}

// plant writes a file on somebody's branch, as stock git could.
func (h *house) plant(user, path, data string) {
	h.t.Helper()
	check(h.t, h.repo.Branch("dav/"+user).Update(context.Background(), store.Change{Message: "by hand\n"}, func(tx *store.Tx) error {
		return tx.Put(path, []byte(data))
	}))
}

// TestExpansions: the events of one answer are not expanded without end.
func TestExpansions(t *testing.T) {
	h := open(t)
	h.put("/calendars/alice/home/a.ics", eventOf("a", "DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY"))
	s, err := h.service.Shelf.Snapshot(t.Context(), "alice")
	check(t, err)
	col, err := s.Collection(shelf.Calendars, "home")
	check(t, err)
	res, err := col.Resource("a.ics")
	check(t, err)
	d := &ical.Data{Expand: &ical.TimeRange{Start: time.Unix(1767225600, 0), End: time.Unix(1798761600, 0)}}
	x := &exchange{Service: h.service}
	for range 2 {
		e := eventNode{node: &node{col: col, res: res}}
		data, err := x.show(&e, d, nil)
		if over := x.expanded > maxExpansions; (err != nil) != over || err == nil && len(data) == 0 {
			t.Errorf("%d bytes before: got %d bytes and %v", x.expanded, len(data), err)
		}
		x.expanded = maxExpansions + 1
	}
}

// TestNobodyWaits: a query ends when the connection does.
func TestNobodyWaits(t *testing.T) {
	h := open(t)
	h.put("/calendars/alice/home/a.ics", anEvent("a", "A"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u, err := h.service.Accounts.User(t.Context(), "alice")
	check(t, err)
	x := &exchange{Service: h.service, user: u, r: httptest.NewRequest("REPORT", "/calendars/alice/home/", nil)}
	p, err := parsePath("/calendars/alice/home/")
	check(t, err)
	n, err := x.resolve(p)
	check(t, err)
	x.r = x.r.WithContext(ctx)
	if err := x.eachBelow(n, dav.DepthOne, func(*node) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
