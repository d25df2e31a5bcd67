package dav

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
	"cairn/services/caldav/vcard"
)

const both = ` xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav"`

// reportBody declares both's prefixes at the root.
func reportBody(s string) string {
	i := strings.IndexAny(s, " />")
	return s[:i] + both + s[i:]
}

func day(month, d int) time.Time { return time.Date(2006, time.Month(month), d, 0, 0, 0, 0, time.UTC) }

// reportBodies are reports as the RFCs have them, and what they mean.
var reportBodies = []struct {
	body string
	want Report
}{
	{`<C:calendar-query><D:prop><D:getetag/><C:calendar-data><C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="SUMMARY"/><C:prop name="dtstart" novalue="yes"/></C:comp>
		<C:comp name="VTIMEZONE"><C:allprop/><C:allcomp/></C:comp><C:comp name="VTODO"/></C:comp></C:calendar-data></D:prop>
		<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20060104T000000Z" end="20060105T000000Z"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`,
		&CalendarQuery{
			Want: Want{Props: []Name{GetETag}},
			Data: &ical.Data{Comp: &ical.CompData{Name: "VCALENDAR", Props: []ical.PropData{{Name: "VERSION"}}, Comps: []ical.CompData{
				{Name: "VEVENT", Props: []ical.PropData{{Name: "SUMMARY"}, {Name: "DTSTART", NoValue: true}}},
				{Name: "VTIMEZONE", AllProps: true, AllComps: true},
				{Name: "VTODO", AllProps: true, AllComps: true},
			}}},
			Filter: &ical.Filter{Comp: ical.CompFilter{Name: "VCALENDAR", Comps: []ical.CompFilter{{Name: "VEVENT", Range: &ical.TimeRange{Start: day(1, 4), End: day(1, 5)}}}}},
		}},
	{`<C:calendar-query><D:allprop/><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO">
		<C:prop-filter name="COMPLETED"><C:is-not-defined/></C:prop-filter>
		<C:prop-filter name="STATUS"><C:text-match negate-condition="yes" collation="i;octet">CANCELLED</C:text-match></C:prop-filter>
		<C:prop-filter name="DUE"><C:time-range end="20060105T000000Z"/></C:prop-filter>
		<C:prop-filter name="ATTENDEE"><C:text-match collation="i;ascii-casemap">mailto:x</C:text-match><C:param-filter name="partstat"><C:text-match>NEEDS-ACTION</C:text-match></C:param-filter><C:param-filter name="CN"><C:is-not-defined/></C:param-filter></C:prop-filter>
		<C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter></C:comp-filter></C:comp-filter></C:filter><C:timezone-id>Europe/Vienna</C:timezone-id></C:calendar-query>`,
		&CalendarQuery{
			Want:     Want{AllProp: true},
			Floating: vienna(),
			Filter: &ical.Filter{Comp: ical.CompFilter{Name: "VCALENDAR", Comps: []ical.CompFilter{{
				Name: "VTODO",
				Props: []ical.PropFilter{
					{Name: "COMPLETED", NotDefined: true},
					{Name: "STATUS", Text: &line.TextMatch{Text: "CANCELLED", Collation: line.Octet, Negate: true}},
					{Name: "DUE", Range: &ical.TimeRange{End: day(1, 5)}},
					{Name: "ATTENDEE", Text: &line.TextMatch{Text: "mailto:x", Collation: line.ASCIICasemap}, Params: []ical.ParamFilter{
						{Name: "PARTSTAT", Text: &line.TextMatch{Text: "NEEDS-ACTION", Collation: line.ASCIICasemap}}, {Name: "CN", NotDefined: true},
					}},
				},
				Comps: []ical.CompFilter{{Name: "VALARM", NotDefined: true}},
			}}}},
		}},
	{`<C:calendar-multiget><D:prop><C:calendar-data content-type="text/calendar; charset=utf-8" version="2.0"><C:expand start="20060104T000000Z" end="20060105T000000Z"/><C:limit-freebusy-set start="20060104T000000Z" end="20060105T000000Z"/></C:calendar-data></D:prop>
		<D:href>/a</D:href><D:href> /b
		</D:href></C:calendar-multiget>`,
		&CalendarMultiget{
			Want:  Want{Props: []Name{}},
			Data:  &ical.Data{Expand: &ical.TimeRange{Start: day(1, 4), End: day(1, 5)}, LimitFreeBusy: &ical.TimeRange{Start: day(1, 4), End: day(1, 5)}},
			Hrefs: []string{"/a", "/b"},
		}},
	{`<C:free-busy-query><C:time-range start="20060104T000000Z" end="20060105T000000Z"/></C:free-busy-query>`,
		&FreeBusyQuery{ical.TimeRange{Start: day(1, 4), End: day(1, 5)}}},
	{`<A:addressbook-query><D:prop><A:address-data version="4.0"><A:prop name="UID"/><A:prop name="fn" novalue="yes"/></A:address-data></D:prop>
		<A:filter test="allof"><A:prop-filter name="FN" test="allof"><A:text-match match-type="starts-with">x</A:text-match><A:text-match match-type="equals" negate-condition="yes" collation="i;octet">y</A:text-match>
		<A:param-filter name="TYPE"><A:text-match match-type="ends-with">z</A:text-match></A:param-filter></A:prop-filter><A:prop-filter name="item1.TEL"><A:is-not-defined/></A:prop-filter></A:filter>
		<A:limit><A:nresults>5</A:nresults></A:limit></A:addressbook-query>`,
		&AddressbookQuery{
			Want:  Want{Props: []Name{}},
			Data:  &vcard.Data{Version: "4.0", Props: []vcard.DataProp{{Name: "UID"}, {Name: "FN", NoValue: true}}},
			Limit: 5,
			Filter: &vcard.Filter{All: true, Props: []vcard.PropFilter{
				{Name: "FN", All: true, Texts: []line.TextMatch{
					{Text: "x", Collation: line.UnicodeCasemap, Type: line.StartsWith}, {Text: "y", Collation: line.Octet, Type: line.Equals, Negate: true},
				}, Params: []vcard.ParamFilter{{Name: "TYPE", Text: &line.TextMatch{Text: "z", Collation: line.UnicodeCasemap, Type: line.EndsWith}}}},
				{Name: "ITEM1.TEL", NotDefined: true},
			}},
		}},
	{`<A:addressbook-multiget><D:prop><A:address-data/></D:prop><D:href>/a</D:href></A:addressbook-multiget>`,
		&AddressbookMultiget{Want: Want{Props: []Name{}}, Data: &vcard.Data{Version: "3.0"}, Hrefs: []string{"/a"}}},
	{`<D:sync-collection><D:sync-token>urn:1</D:sync-token><D:sync-level>infinite</D:sync-level><D:limit><D:nresults>10</D:nresults></D:limit><D:prop><D:getetag/></D:prop></D:sync-collection>`,
		&SyncCollection{Want: Want{Props: []Name{GetETag}}, Token: "urn:1", Level: DepthInfinity, Limit: 10}},
	{`<D:sync-collection><D:sync-token/></D:sync-collection>`, &SyncCollection{}},
	{`<D:principal-match><D:principal-property><D:owner/></D:principal-property><D:prop><D:displayname/></D:prop></D:principal-match>`,
		&PrincipalMatch{Want: Want{Props: []Name{DisplayName}}, Property: D("owner")}},
	{`<D:principal-match><D:self/></D:principal-match>`, &PrincipalMatch{Self: true}},
	{`<D:principal-property-search test="anyof"><D:property-search><D:prop><D:displayname/><D:owner/></D:prop><D:match match-type="starts-with">doE</D:match></D:property-search>
		<D:prop><D:displayname/></D:prop><D:apply-to-principal-collection-set/><C:limit xmlns:C="http://calendarserver.org/ns/"><C:nresults>3</C:nresults></C:limit></D:principal-property-search>`,
		&PrincipalPropertySearch{
			Want: Want{Props: []Name{DisplayName}}, AnyOf: true, Everywhere: true, Limit: 3,
			Searches: []PropertySearch{{[]Name{DisplayName, D("owner")}, line.TextMatch{Text: "doE", Collation: line.UnicodeCasemap, Type: line.StartsWith}}},
		}},
	{`<D:principal-search-property-set/>`, &PrincipalSearchPropertySet{}},
	{`<D:acl-principal-prop-set><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>`, &ACLPrincipalPropSet{Want{Props: []Name{DisplayName}}}},
	{`<D:expand-property><D:property name="version-history"><D:property name="version-set"><D:property name="x" namespace="urn:x"/></D:property></D:property></D:expand-property>`,
		&ExpandProperty{[]ExpandedProperty{{D("version-history"), []ExpandedProperty{{D("version-set"), []ExpandedProperty{{Name{"urn:x", "x"}, nil}}}}}}}},
}

func vienna() *time.Location {
	loc, _ := ical.Zone("Europe/Vienna")
	return loc
}

func TestReadReport(t *testing.T) {
	for _, c := range reportBodies {
		got, err := ReadReport(body(reportBody(c.body)))
		if err != nil {
			t.Errorf("%s: %v", c.want.Name().Local, err)
			continue
		}
		forget(got)
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.want.Name().Local, got, c.want)
		}
	}
}

// forget drops what Want keeps for itself.
func forget(r Report) {
	if w := reflect.ValueOf(r).Elem().FieldByName("Want"); w.IsValid() {
		w.Addr().Interface().(*Want).elements = nil
	}
}

// TestReadReportRefuses: preconditions as RFC 4791 §7.8, RFC 6352 §8.6 and RFC 6578 §3.2 name them.
func TestReadReportRefuses(t *testing.T) {
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	query := func(data string) string {
		return `<C:calendar-query><D:prop>` + data + `</D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`
	}
	filter := func(inner string) string {
		return `<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter>` + inner + `</C:filter></C:calendar-query>`
	}
	events := func(inner string) string {
		return filter(`<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">` + inner + `</C:comp-filter></C:comp-filter>`)
	}
	cards := func(test, inner string) string {
		return `<A:addressbook-query><D:prop><D:getetag/></D:prop><A:filter test="` + test + `">` + inner + `</A:filter></A:addressbook-query>`
	}
	var props strings.Builder
	for i := range 1001 {
		props.WriteString("<D:p" + strings.Repeat("x", i%200) + strings.Repeat("y", i/200) + "/>")
	}
	for _, c := range []struct {
		body         string
		status       int
		precondition string
	}{
		{`<D:version-tree/>`, 403, "supported-report"},
		{`<C:sync-collection/>`, 403, "supported-report"},
		{query(`<C:calendar-data><C:comp/></C:calendar-data>`), 400, ""},
		{query(`<C:calendar-data><C:comp name="VCALENDAR"><C:prop/></C:comp></C:calendar-data>`), 400, ""},
		{query(`<C:calendar-data><C:comp name="VCALENDAR">` + many(501, `<C:prop name="X"/>`) + `</C:comp></C:calendar-data>`), 413, ""},
		{query(`<C:calendar-data><C:expand start="20060104T000000Z" end="20060105T000000Z"/><C:limit-recurrence-set start="20060104T000000Z" end="20060105T000000Z"/></C:calendar-data>`), 400, ""},
		{query(props.String()), 413, ""},
		{`<C:calendar-query><D:prop/></C:calendar-query>`, 403, "valid-filter"},
		{filter(``), 403, "valid-filter"},
		{filter(`<C:comp-filter name="VEVENT"/>`), 403, "valid-filter"},
		{filter(`<C:comp-filter/>`), 403, "valid-filter"},
		{filter(`<C:comp-filter name="VCALENDAR"/><C:comp-filter name="VCALENDAR"/>`), 403, "valid-filter"},
		{events(`<C:time-range/>`), 403, "valid-filter"},
		{events(`<C:time-range start="20261124"/>`), 403, "valid-filter"},
		{events(`<C:time-range start="20261124T000000"/>`), 403, "valid-filter"},
		{events(`<C:time-range start="20261324T000000Z"/>`), 403, "valid-filter"},
		{events(`<C:time-range start="20261124T000000Z" end="20261124T000000Z"/>`), 403, "valid-filter"},
		{events(`<C:time-range start="00000101T000000Z"/>`), 403, "min-date-time"},
		{events(`<C:is-not-defined/><C:prop-filter name="X"/>`), 403, "valid-filter"},
		{events(`<C:nonsense/>`), 403, "supported-filter"},
		{events(`<C:prop-filter name="X"><C:comp-filter name="Y"/></C:prop-filter>`), 403, "supported-filter"},
		{events(strings.Repeat(`<C:prop-filter name="X"/>`, 300)), 403, "supported-filter"},
		{events(`<C:prop-filter name="X"><C:text-match collation="i;klingon">x</C:text-match></C:prop-filter>`), 403, "supported-collation"},
		{query(`<C:calendar-data content-type="application/calendar+json"/>`), 403, "supported-calendar-data"},
		{query(`<C:calendar-data version="3.0"/>`), 403, "supported-calendar-data"},
		{query(`<C:calendar-data><C:expand start="20261124T000000Z"/></C:calendar-data>`), 403, "valid-filter"},
		{strings.Replace(events(``), "</C:filter>", "</C:filter><C:timezone>BEGIN:VCALENDAR</C:timezone>", 1), 403, "valid-calendar-data"},
		{strings.Replace(events(``), "</C:filter>", "</C:filter><C:timezone-id>Mars/Olympus</C:timezone-id>", 1), 403, "valid-timezone"},
		{`<A:addressbook-query><D:prop><A:address-data>` + many(501, `<A:prop name="X"/>`) + `</A:address-data></D:prop><A:filter/></A:addressbook-query>`, 413, ""},
		{cards("none", ""), 400, ""},
		{cards("anyof", `<A:prop-filter/>`), 400, ""},
		{cards("anyof", `<A:prop-filter name="X" test="x"/>`), 400, ""},
		{cards("anyof", `<A:prop-filter name="X"><A:is-not-defined/><A:text-match/></A:prop-filter>`), 400, ""},
		{cards("anyof", `<A:prop-filter name="X"><A:text-match match-type="like">x</A:text-match></A:prop-filter>`), 400, ""},
		{cards("anyof", `<A:prop-filter name="X"><A:text-match negate-condition="maybe">x</A:text-match></A:prop-filter>`), 400, ""},
		{cards("anyof", `<A:prop-filter name="X"><A:param-filter/></A:prop-filter>`), 400, ""},
		{cards("anyof", `<A:prop-filter name="X"><A:param-filter name="Y"><A:text-match collation="x">x</A:text-match></A:param-filter></A:prop-filter>`), 403, "supported-collation"},
		{cards("anyof", many(201, `<A:prop-filter name="X"/>`)), 403, "supported-filter"},
		{cards("anyof", `<A:prop-filter name="X">`+many(201, `<A:text-match/>`)+`</A:prop-filter>`), 403, "supported-filter"},
		{`<A:addressbook-query><D:prop/></A:addressbook-query>`, 400, ""},
		{`<A:addressbook-query><D:prop><A:address-data version="2.1"/></D:prop><A:filter/></A:addressbook-query>`, 403, "supported-address-data"},
		{`<A:addressbook-query><D:prop><A:address-data><A:prop/></A:address-data></D:prop><A:filter/></A:addressbook-query>`, 400, ""},
		{events(`<C:prop-filter name="X"><C:time-range start="20060104T000000Z"/><C:text-match>x</C:text-match></C:prop-filter>`), 403, "valid-filter"},
		{events(`<C:prop-filter name="X"><C:text-match negate-condition="maybe">x</C:text-match></C:prop-filter>`), 403, "valid-filter"},
		{events(`<C:prop-filter name="X"><C:param-filter/></C:prop-filter>`), 403, "valid-filter"},
		{filter(`<C:comp-filter name="VCALENDAR"><C:time-range start="20060104T000000Z"/></C:comp-filter>`), 403, "valid-filter"},
		{`<C:free-busy-query/>`, 400, ""},
		{`<C:free-busy-query><C:time-range end="20060104T000000Z"/></C:free-busy-query>`, 403, "valid-filter"},
		{`<C:calendar-multiget><D:prop/></C:calendar-multiget>`, 400, ""},
		{`<D:principal-property-search/>`, 400, ""},
		{`<D:principal-property-search><D:property-search/></D:principal-property-search>`, 400, ""},
		{`<A:addressbook-multiget><D:prop/></A:addressbook-multiget>`, 400, ""},
		{`<D:sync-collection><D:sync-token/><D:limit/></D:sync-collection>`, 400, ""},
		{`<D:sync-collection><D:sync-token/><D:limit><D:nresults>99999999999</D:nresults></D:limit></D:sync-collection>`, 400, ""},
		{`<D:principal-match><D:principal-property/></D:principal-match>`, 400, ""},
		{`<D:expand-property><D:property/></D:expand-property>`, 400, ""},
		{`<D:expand-property><D:property name="p:x"/></D:expand-property>`, 400, ""},
		{many(100_000, `<C:calendar-multiget>`), 413, ""},
	} {
		_, err := ReadReport(body(reportBody(c.body)))
		e := AsError(err)
		if err == nil || e.Status != c.status || e.Precondition.Local != c.precondition {
			t.Errorf("%.100s: got %v, want %d %s", c.body, err, c.status, c.precondition)
		}
	}
}

// TestLargeMultiget: 10,000 hrefs are what a client sends that begins anew; a hundred thousand are not.
func TestLargeMultiget(t *testing.T) {
	get := func(n int) error {
		_, err := ReadReport(body(reportBody(`<C:calendar-multiget><D:prop><D:getetag/><C:calendar-data/></D:prop>` +
			strings.Repeat("\n  <D:href>/calendars/alice/home/0123456789abcdef0123456789abcdef.ics</D:href>", n) + `</C:calendar-multiget>`)))
		return err
	}
	if err := get(10_000); err != nil {
		t.Error(err)
	}
	if err := get(100_000); status(err) != 413 {
		t.Errorf("got %v, want 413", err)
	}
}

// FuzzReadReport is FuzzBodies with reports to begin with.
func FuzzReadReport(f *testing.F) {
	for _, c := range reportBodies {
		f.Add(reportBody(c.body))
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := ReadReport(body(s)); err != nil && (status(err) < 400 || status(err) > 499) || err == nil && reports[r.Name()] == nil {
			t.Fatalf("%q: %v, %v", s, r, err)
		}
	})
}

func BenchmarkReadMultiget100(b *testing.B) {
	s := reportBody(`<C:calendar-multiget><D:prop><D:getetag/><C:calendar-data/></D:prop>` +
		strings.Repeat("<D:href>/calendars/alice/home/0123456789abcdef0123456789abcdef.ics</D:href>", 100) + `</C:calendar-multiget>`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadReport(body(s)); err != nil {
			b.Fatal(err)
		}
	}
}
