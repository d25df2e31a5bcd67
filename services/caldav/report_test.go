package caldav

import (
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// spaces declares the prefixes that reports in tests use.
const spaces = ` xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav" xmlns:S="http://calendarserver.org/ns/"`

// report sends a report, written with the prefixes of spaces.
func (h *house) report(user, path, body string, header ...string) *answer {
	h.t.Helper()
	name := body[1:strings.IndexAny(body, " />")]
	return h.do(user, "REPORT", path, "<"+name+spaces+body[1+len(name):], header...).wellFormed()
}

// wellFormed makes sure that somebody else's parser reads what is said to be XML.
func (a *answer) wellFormed() *answer {
	a.t.Helper()
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/xml") {
		return a
	}
	d := xml.NewDecoder(strings.NewReader(a.body))
	for {
		if _, err := d.Token(); err == io.EOF {
			return a
		} else if err != nil {
			a.t.Fatalf("%s: %v in %s", a.what, err, a.body)
		}
	}
}

// put stores an object.
func (h *house) put(path, data string) {
	h.t.Helper()
	kind := "text/calendar"
	if strings.HasSuffix(path, ".vcf") {
		kind = "text/vcard"
	}
	h.do("alice", "PUT", path, crlf(strings.ReplaceAll(data, "\r", "")), "Content-Type: "+kind).want(201)
}

// calendarOf wraps components.
func calendarOf(components string) string {
	return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n" + components + "END:VCALENDAR\n"
}

// eventOf is an event with some more lines.
func eventOf(uid string, lines ...string) string {
	return calendarOf("BEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20260101T000000Z\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\n")
}

var responseHref = regexp.MustCompile(`<d:response><d:href>([^<]*)</d:href>`)

// names are the last names of the hrefs in an answer, in order.
func (a *answer) names() []string {
	var names []string
	for _, m := range responseHref.FindAllStringSubmatch(a.body, -1) {
		names = append(names, m[1][strings.LastIndexByte(strings.TrimSuffix(m[1], "/"), '/')+1:])
	}
	slices.Sort(names)
	return names
}

func (a *answer) wantNames(names ...string) *answer {
	a.t.Helper()
	slices.Sort(names)
	if got := a.names(); !slices.Equal(got, names) {
		a.t.Errorf("%s: got %q, want %q: %s", a.what, got, names, a.body)
	}
	return a
}

// query is a calendar-query for data of VEVENTs in a time range.
func query(start, end string) string {
	return `<C:calendar-query><D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">` +
		`<C:time-range start="` + start + `" end="` + end + `"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`
}

func TestCalendarQueryTimeRange(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	h.put(home+"single.ics", eventOf("single", "DTSTART:20261124T100000Z", "DTEND:20261124T110000Z"))
	h.put(home+"weekly.ics", eventOf("weekly", "DTSTART:20260105T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY"))
	h.put(home+"ended.ics", eventOf("ended", "DTSTART:20260105T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=3"))
	h.put(home+"allday.ics", eventOf("allday", "DTSTART;VALUE=DATE:20261124"))
	h.put(home+"todo.ics", calendarOf("BEGIN:VTODO\nUID:todo\nDTSTAMP:20260101T000000Z\nDTSTART:20261124T100000Z\nEND:VTODO\n"))
	h.report("alice", home, query("20261124T000000Z", "20261125T000000Z"), "Depth: 1").
		want(207, "BEGIN:VCALENDAR&#13;\n", "UID:single").wantNames("single.ics", "allday.ics")
	h.report("alice", home, query("20261123T000000Z", "20261124T000000Z"), "Depth: 1").wantNames("weekly.ics")
	h.report("alice", home, query("20300101T000000Z", "20300201T000000Z"), "Depth: infinity").wantNames("weekly.ics")
	h.report("alice", home, query("20260119T000000Z", "20260120T000000Z")).wantNames("weekly.ics", "ended.ics")
	h.report("alice", home, query("20261124T000000Z", "20261125T000000Z"), "Depth: 0").want(207).wantNames()
	h.report("alice", home+"single.ics", query("20261124T000000Z", "20261125T000000Z"), "Depth: 0").want(207).wantNames("single.ics")
	h.report("alice", home+"ended.ics", query("20261124T000000Z", "20261125T000000Z")).want(207).wantNames()
	h.report("alice", home, query("20261124T000000Z", "20261125T000000Z"), "Depth: 2").want(400)
}

// TestCalendarQueryHome asks all calendars at once, and those that others share.
func TestCalendarQueryHome(t *testing.T) {
	h := open(t)
	h.do("alice", "MKCALENDAR", "/calendars/alice/work/", "").want(201)
	h.put("/calendars/alice/home/a.ics", anEvent("a", "A"))
	h.put("/calendars/alice/work/b.ics", anEvent("b", "B"))
	q := query("20261124T000000Z", "20261125T000000Z")
	h.report("alice", "/calendars/alice/", q, "Depth: infinity").want(207).wantNames("a.ics", "b.ics")
	h.report("alice", "/calendars/alice/", q, "Depth: 1").want(207).wantNames()
	h.do("alice", "POST", "/calendars/alice/work/", `<CS:share xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/"><CS:set><D:href>mailto:bob@example.org</D:href><CS:read/></CS:set></CS:share>`,
		"Content-Type: application/xml").want(200)
	h.report("bob", "/calendars/bob/", q, "Depth: infinity").want(207, "/calendars/bob/~alice~work/b.ics").wantNames("b.ics")
	h.report("bob", "/calendars/alice/", q, "Depth: infinity").want(404)
}

func TestCalendarQueryFilters(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	h.put(home+"lunch.ics", eventOf("lunch", "DTSTART:20261124T120000Z", "SUMMARY:Lunch with Bob", "LOCATION:Café", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.org"))
	h.put(home+"talk.ics", eventOf("talk", "DTSTART:20261125T120000Z", "SUMMARY:Talk", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@example.org"))
	h.put(home+"todo.ics", calendarOf("BEGIN:VTODO\nUID:todo\nDTSTAMP:20260101T000000Z\nSUMMARY:Lunch box\nEND:VTODO\n"))
	comp := func(name, inner string) string {
		return `<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="` + name + `">` + inner +
			`</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`
	}
	for _, c := range []struct {
		body string
		want []string
	}{
		{comp("VEVENT", ""), []string{"lunch.ics", "talk.ics"}},
		{comp("vtodo", ""), []string{"todo.ics"}},
		{comp("VEVENT", "<C:is-not-defined/>"), []string{"todo.ics"}},
		{comp("VEVENT", `<C:prop-filter name="SUMMARY"><C:text-match>lunch</C:text-match></C:prop-filter>`), []string{"lunch.ics"}},
		{comp("VEVENT", `<C:prop-filter name="SUMMARY"><C:text-match collation="i;octet">lunch</C:text-match></C:prop-filter>`), nil},
		{comp("VEVENT", `<C:prop-filter name="SUMMARY"><C:text-match negate-condition="yes">lunch</C:text-match></C:prop-filter>`), []string{"talk.ics"}},
		{comp("VEVENT", `<C:prop-filter name="LOCATION"><C:text-match collation="i;unicode-casemap">CAFÉ</C:text-match></C:prop-filter>`), []string{"lunch.ics"}},
		{comp("VEVENT", `<C:prop-filter name="LOCATION"><C:is-not-defined/></C:prop-filter>`), []string{"talk.ics"}},
		{comp("VEVENT", `<C:prop-filter name="UID"><C:text-match collation="i;octet">talk</C:text-match></C:prop-filter>`), []string{"talk.ics"}},
		{comp("VEVENT", `<C:prop-filter name="ATTENDEE"><C:text-match>bob@example.org</C:text-match><C:param-filter name="PARTSTAT"><C:text-match>NEEDS-ACTION</C:text-match></C:param-filter></C:prop-filter>`), []string{"talk.ics"}},
		{comp("VEVENT", `<C:prop-filter name="SUMMARY"/><C:time-range start="20261125T000000Z"/>`), []string{"talk.ics"}},
	} {
		h.report("alice", home, c.body, "Depth: 1").want(207).wantNames(c.want...)
	}
	whole := `<C:calendar-query><D:prop/><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`
	h.report("alice", home, whole, "Depth: 1").want(207).wantNames("lunch.ics", "talk.ics", "todo.ics")
}

// TestCalendarQueryPreconditions: what RFC 4791 §7.8 asks for by name reaches the client. Package dav's tests have the others.
func TestCalendarQueryPreconditions(t *testing.T) {
	h := open(t)
	h.put("/calendars/alice/home/a.ics", anEvent("a", "A"))
	filter := func(inner string) string {
		return `<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR">` + inner + `</C:comp-filter></C:filter></C:calendar-query>`
	}
	for body, precondition := range map[string]string{
		`<C:calendar-query><D:prop/></C:calendar-query>`:                                                "cal:valid-filter",
		filter(`<C:comp-filter name="VEVENT"><C:time-range start="20261124"/></C:comp-filter>`):         "cal:valid-filter",
		filter(`<C:comp-filter name="VEVENT"><C:time-range start="00000101T000000Z"/></C:comp-filter>`): "cal:min-date-time",
		filter(`<C:nonsense/>`): "cal:supported-filter",
		`<D:nonsense/>`:         "d:supported-report",
		`<A:addressbook-query><D:prop/><A:filter/></A:addressbook-query>`: "d:supported-report",
	} {
		h.report("alice", "/calendars/alice/home/", body, "Depth: 1").want(403, "<d:error", "<"+precondition)
	}
	h.do("alice", "REPORT", "/calendars/alice/home/", "").want(400)
	h.do("alice", "REPORT", "/calendars/alice/home/", "<").want(400)
	h.do("alice", "REPORT", "/calendars/alice/home/", `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`).want(403)
	h.do("alice", "REPORT", "/calendars/alice/home/", strings.Repeat("<a>", 2_000_000)).want(413)
	h.do("alice", "REPORT", "/calendars/alice/nowhere/", "").want(404)
	h.report("bob", "/calendars/alice/home/", filter("")).want(404)
}

func TestPartialData(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	h.put(home+"a.ics", eventOf("a", "DTSTART:20261124T100000Z", "DURATION:PT1H", "SUMMARY:A", "LOCATION:Here", "RRULE:FREQ=DAILY;COUNT=5"))
	get := func(data string) *answer {
		return h.report("alice", home, `<C:calendar-multiget><D:prop><C:calendar-data>`+data+`</C:calendar-data></D:prop><D:href>`+home+`a.ics</D:href></C:calendar-multiget>`).want(207)
	}
	get(`<C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="SUMMARY"/></C:comp></C:comp>`).
		want(207, "SUMMARY:A").without("LOCATION", "RRULE")
	a := get(`<C:expand start="20261125T000000Z" end="20261127T000000Z"/>`).want(207, "RECURRENCE-ID").without("RRULE")
	if got := strings.Count(a.body, "BEGIN:VEVENT"); got != 2 {
		t.Errorf("got %d instances, want 2: %s", got, a.body)
	}
	get(`<C:limit-recurrence-set start="20261125T000000Z" end="20261127T000000Z"/>`).want(207, "RRULE")
}

// TestFloatingZone: times without a zone are in that of the request, else of the calendar, else UTC (RFC 4791 §7.3).
func TestFloatingZone(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	h.put(home+"a.ics", eventOf("a", "DTSTART:20261124T230000", "DURATION:PT30M")) // in Vienna 22:00Z, in New York 04:00Z of the next day
	q := query("20261124T220000Z", "20261124T223000Z")
	zone := func(z string) string { return strings.Replace(q, "</C:filter>", "</C:filter>"+z, 1) }
	vienna := calendarOf("BEGIN:VTIMEZONE\nTZID:Vienna\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n")
	h.report("alice", home, q).wantNames()
	h.report("alice", home, query("20261124T230000Z", "20261124T233000Z")).wantNames("a.ics")
	h.report("alice", home, zone("<C:timezone-id>Europe/Vienna</C:timezone-id>")).wantNames("a.ics")
	h.report("alice", home, zone("<C:timezone>"+vienna+"</C:timezone>")).wantNames("a.ics")
	h.do("alice", "PROPPATCH", home, `<D:propertyupdate`+spaces+`><D:set><D:prop><C:calendar-timezone>`+vienna+`</C:calendar-timezone></D:prop></D:set></D:propertyupdate>`).want(207, "200 OK")
	h.report("alice", home, q).wantNames("a.ics")
	h.report("alice", home, zone("<C:timezone-id>America/New_York</C:timezone-id>")).wantNames()
}

func TestCalendarMultiget(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	for i := range 3 {
		h.put(fmt.Sprintf("%sa%%20%d.ics", home, i), anEvent(fmt.Sprint(i), "A & B"))
	}
	h.do("alice", "MKCALENDAR", "/calendars/alice/work/", "").want(201)
	h.put("/calendars/alice/work/w.ics", anEvent("w", "W"))
	get := func(path string, hrefs ...string) *answer {
		return h.report("alice", path, `<C:calendar-multiget><D:prop><D:getetag/><D:displayname/><C:calendar-data/></D:prop><D:href>`+strings.Join(hrefs, `</D:href><D:href>`)+`</D:href></C:calendar-multiget>`)
	}
	a := get(home, home+"a%200.ics", home+"a%200.ics", "\n"+h.server.URL+home+"a%202.ics ", home+"absent.ics").want(207, "SUMMARY:A &amp; B", "404 Not Found")
	a.wantNames("a%200.ics", "a%202.ics", "absent.ics")
	if got := strings.Count(a.body, "UID:"); got != 2 {
		t.Errorf("got %d objects, want 2", got)
	}
	// The same calendar by another spelling of its owner.
	get(home, "/calendars/alice%40example.org/home/a%201.ics").want(207, "UID:1").wantNames("a%201.ics")
	// Not below the calendar, and not anybody's own, and nothing at all.
	for _, href := range []string{
		"/calendars/alice/work/w.ics", "/calendars/bob/home/a.ics", "/calendars/nobody/home/a.ics", home, "/calendars/alice/", "/", home + "../work/w.ics",
		home + "a%2F..%2Fb", "/calendars/alice/home/x/y.ics",
	} {
		get(home, href).want(207, "404 Not Found").without("UID:", "200 OK")
	}
	get(home, "http://elsewhere.example/x.ics").want(207, "403 Forbidden")
	get(home, "a.ics", "%zz", ":").want(207, "400 Bad Request").without("200 OK")
	get("/calendars/alice/", home+"a%200.ics", "/calendars/alice/work/w.ics").want(207).wantNames("a%200.ics", "w.ics")
	get(home+"a%200.ics", home+"a%200.ics", home+"a%201.ics").want(207, "404 Not Found", "UID:0").without("UID:1")
	h.report("alice", home, `<C:calendar-multiget><D:prop/></C:calendar-multiget>`).want(400)
	if got := strings.Count(h.report("alice", home, `<C:calendar-multiget><D:prop><D:displayname/></D:prop><D:href>`+home+`a%200.ics</D:href></C:calendar-multiget>`, "Prefer: return=minimal").body, "404"); got != 0 {
		t.Error("return=minimal tells of properties that are not there")
	}
}

func TestFreeBusyQuery(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	h.put(home+"a.ics", eventOf("a", "DTSTART:20261124T100000Z", "DTEND:20261124T110000Z", "SUMMARY:secret"))
	h.put(home+"b.ics", eventOf("b", "DTSTART:20261124T103000Z", "DTEND:20261124T120000Z", "STATUS:TENTATIVE"))
	h.put(home+"c.ics", eventOf("c", "DTSTART:20261124T130000Z", "DTEND:20261124T140000Z", "TRANSP:TRANSPARENT"))
	h.put(home+"d.ics", eventOf("d", "DTSTART:20260101T150000Z", "DURATION:PT15M", "RRULE:FREQ=DAILY"))
	h.do("alice", "MKCALENDAR", "/calendars/alice/free/", `<C:mkcalendar`+spaces+`><D:set><D:prop><C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp></D:prop></D:set></C:mkcalendar>`).want(201)
	h.put("/calendars/alice/free/e.ics", eventOf("e", "DTSTART:20261124T200000Z", "DTEND:20261124T210000Z"))
	q := `<C:free-busy-query><C:time-range start="20261124T000000Z" end="20261125T000000Z"/></C:free-busy-query>`
	for _, depth := range []string{"Depth: 0", "Depth: 1", "Depth: infinity"} {
		a := h.report("alice", home, q, depth).want(200, "BEGIN:VFREEBUSY", "20261124T100000Z/", "20261124T150000Z/20261124T151500Z", "FBTYPE=BUSY-TENTATIVE").without("secret", "T130000Z")
		if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, "text/calendar") {
			t.Errorf("got %q, want text/calendar", got)
		}
	}
	h.report("alice", "/calendars/alice/free/", q, "Depth: 1").want(200, "20261124T200000Z/")
	h.do("bob", "PUT", "/calendars/bob/home/f.ics", crlf(eventOf("f", "DTSTART:20261124T220000Z", "DTEND:20261124T230000Z")), "Content-Type: text/calendar").want(201)
	h.do("bob", "POST", "/calendars/bob/home/", `<CS:share xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/"><CS:set><D:href>mailto:alice@example.org</D:href><CS:read/></CS:set></CS:share>`,
		"Content-Type: application/xml").want(200)
	h.report("alice", "/calendars/alice/~bob~home/", q, "Depth: 1").want(200, "20261124T220000Z/")
	h.report("alice", "/calendars/alice/", q, "Depth: infinity").want(200, "20261124T100000Z/").without("20261124T200000Z/", "20261124T220000Z/")
	for _, r := range []string{``, `<C:time-range start="20261124T000000Z"/>`, `<C:time-range start="x" end="y"/>`} {
		if a := h.report("alice", home, `<C:free-busy-query>`+r+`</C:free-busy-query>`); a.status/100 != 4 {
			t.Errorf("%q: got %d, want 4xx", r, a.status)
		}
	}
	h.report("bob", home, q).want(404)
}
