package caldav

import (
	"regexp"
	"strings"
	"testing"

	"cairn/services/caldav/shelf"
)

// TestDepth: how far PROPFIND looks (RFC 4918 §9.1).
func TestDepth(t *testing.T) {
	h := open(t)
	h.do("alice", "PUT", "/calendars/alice/home/x.ics", anEvent("u1", "x")).want(201)
	h.do("alice", "MKCOL", "/files/alice/a/", "").want(201)
	h.do("alice", "PUT", "/files/alice/a/b", "x").want(201)
	for _, c := range []struct {
		path, depth string
		hrefs       string
	}{
		{"/", "0", "/"},
		{"/", "1", "/ /principals/ /calendars/ /contacts/ /files/"},
		{"/principals/", "1", "/principals/ /principals/alice/ /principals/bob/"},
		{"/principals/alice/", "1", "/principals/alice/"},
		{"/calendars/", "1", "/calendars/ /calendars/alice/"},
		{"/calendars/alice/", "0", "/calendars/alice/"},
		{"/calendars/alice/", "1", "/calendars/alice/ /calendars/alice/home/ /calendars/alice/inbox/ /calendars/alice/outbox/"},
		{"/calendars/alice", "1", "/calendars/alice/ /calendars/alice/home/ /calendars/alice/inbox/ /calendars/alice/outbox/"},
		{"/calendars/alice/home/", "1", "/calendars/alice/home/ /calendars/alice/home/x.ics"},
		{"/calendars/alice/home/x.ics", "1", "/calendars/alice/home/x.ics"},
		{"/calendars/alice/home/x.ics", "infinity", "/calendars/alice/home/x.ics"},
		{"/calendars/alice/home/", "infinity", "/calendars/alice/home/ /calendars/alice/home/x.ics"},
		{"/principals/alice/", "infinity", "/principals/alice/"},
		{"/contacts/alice/", "1", "/contacts/alice/ /contacts/alice/contacts/"},
		{"/files/alice/", "1", "/files/alice/ /files/alice/a/"},
		{"/files/alice/", "infinity", "/files/alice/ /files/alice/a/ /files/alice/a/b"},
		{"/files/alice/", "", "/files/alice/ /files/alice/a/ /files/alice/a/b"},
	} {
		header := []string{"Depth: " + c.depth}
		if c.depth == "" {
			header = nil
		}
		a := h.do("alice", "PROPFIND", c.path, "", header...).want(207)
		if got := strings.Join(hrefsOf(a.body), " "); got != c.hrefs {
			t.Errorf("%s with Depth %s: got %s, want %s", c.path, c.depth, got, c.hrefs)
		}
	}
	for _, path := range []string{"/", "/calendars/", "/calendars/alice/", "/contacts/alice/"} {
		h.do("alice", "PROPFIND", path, "", "Depth: infinity").want(403, "<d:propfind-finite-depth")
	}
	h.do("alice", "PROPFIND", "/", "", "Depth: 2").want(400)
	h.do("alice", "PROPFIND", "/calendars/alice/none/", "", "Depth: 0").want(404)
	h.do("alice", "PROPFIND", "/calendars/alice/home/none.ics", "", "Depth: 0").want(404)
	for _, path := range []string{"/calendars/alice", "/files/alice/a"} {
		if got := h.do("alice", "PROPFIND", path, "", "Depth: 0").want(207).header.Get("Content-Location"); got != path+"/" {
			t.Errorf("%s: Content-Location %q", path, got)
		}
	}
	a := h.do("alice", "PROPFIND", "/calendars/alice/", "", "Depth: 1", "Prefer: depth-noroot").want(207)
	if got := strings.Join(hrefsOf(a.body), " "); got != "/calendars/alice/home/ /calendars/alice/inbox/ /calendars/alice/outbox/" {
		t.Errorf("without the root: got %s", got)
	}
}

var hrefOfResponse = regexp.MustCompile(`<d:response><d:href>([^<]*)</d:href>`)

// hrefsOf are those of the responses.
func hrefsOf(body string) []string {
	var list []string
	for _, m := range hrefOfResponse.FindAllStringSubmatch(body, -1) {
		list = append(list, m[1])
	}
	return list
}

// TestProperties: every property is where it belongs, with the value it has there.
func TestProperties(t *testing.T) {
	h := open(t)
	h.do("alice", "PUT", "/calendars/alice/home/x.ics", anEvent("u1", "x")).want(201)
	for _, c := range []struct{ path, prop, value string }{
		{"/", "<current-user-principal/>", "<d:current-user-principal><d:href>/principals/alice/</d:href></d:current-user-principal>"},
		{"/", "<C:calendar-home-set/>", "<cal:calendar-home-set><d:href>/calendars/alice/</d:href></cal:calendar-home-set>"},
		{"/", "<resourcetype/>", "<d:resourcetype><d:collection/></d:resourcetype>"},
		{"/principals/alice/", "<displayname/>", "<d:displayname>alice</d:displayname>"},
		{"/principals/alice/", "<resourcetype/>", "<d:collection/><d:principal/>"},
		{"/principals/alice/", "<principal-URL/>", "<d:principal-URL><d:href>/principals/alice/</d:href></d:principal-URL>"},
		{"/principals/alice/", "<alternate-URI-set/>", "<d:href>mailto:alice@example.org</d:href>"},
		{"/principals/alice/", "<group-member-set/>", "<d:group-member-set/>"},
		{"/principals/alice/", "<group-membership/>", "<d:group-membership/>"},
		{"/principals/alice/", "<C:calendar-home-set/>", "<d:href>/calendars/alice/</d:href>"},
		{"/principals/alice/", "<A:addressbook-home-set/>", "<d:href>/contacts/alice/</d:href>"},
		{"/principals/alice/", "<C:calendar-user-address-set/>", "<d:href>mailto:alice@example.org</d:href><d:href>/principals/alice/</d:href>"},
		{"/principals/alice/", "<C:calendar-user-type/>", "INDIVIDUAL"},
		{"/principals/alice/", "<S:email-address-set/>", "<cs:email-address>alice@example.org</cs:email-address>"},
		{"/principals/alice@example.org/", "<displayname/>", "<d:displayname>alice</d:displayname>"},
		{"/", "<acl/>", "need-privileges"},
		{"/principals/alice/", "<acl/>", "<d:all/>"},
		{"/principals/alice/", "<owner/>", "<d:href>/principals/alice/</d:href>"},
		{"/", "<owner/>", "404"},
		{"/principals/bob/", "<displayname/>", "<d:displayname>bob</d:displayname>"},
		{"/principals/bob/", "<C:calendar-home-set/>", "404"},
		{"/principals/bob/", "<current-user-privilege-set/>", "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege><d:privilege><d:read-current-user-privilege-set/></d:privilege></d:current-user-privilege-set>"},
		{"/calendars/alice/", "<owner/>", "<d:owner><d:href>/principals/alice/</d:href></d:owner>"},
		{"/calendars/alice/", "<C:supported-calendar-component-sets/>", `<cal:comp name="VTODO"/>`},
		{"/calendars/alice/", "<quota-used-bytes/>", "<d:quota-used-bytes>"},
		{"/calendars/alice/", "<quota-available-bytes/>", "404"},
		{"/calendars/alice/home/", "<resourcetype/>", "<d:resourcetype><d:collection/><cal:calendar/></d:resourcetype>"},
		{"/calendars/alice/home/", "<displayname/>", "<d:displayname>Calendar</d:displayname>"},
		{"/calendars/alice/home/", "<S:getctag/>", "<cs:getctag>"},
		{"/calendars/alice/home/", "<sync-token/>", "<d:sync-token>data:,"},
		{"/calendars/alice/home/", "<C:supported-calendar-component-set/>", `<cal:comp name="VEVENT"/><cal:comp name="VTODO"/><cal:comp name="VJOURNAL"/>`},
		{"/calendars/alice/home/", "<C:supported-calendar-data/>", `<cal:calendar-data content-type="text/calendar" version="2.0"/>`},
		{"/calendars/alice/home/", "<C:max-resource-size/>", "<cal:max-resource-size>10485760<"},
		{"/calendars/alice/home/", "<C:max-instances/>", "<cal:max-instances>50000<"},
		{"/calendars/alice/home/", "<C:max-attendees-per-instance/>", "1000"},
		{"/calendars/alice/home/", "<C:min-date-time/>", "00010101T000000Z"},
		{"/calendars/alice/home/", "<C:max-date-time/>", "99991231T235959Z"},
		{"/calendars/alice/home/", "<C:supported-collation-set/>", "<cal:supported-collation>i;ascii-casemap</cal:supported-collation>"},
		{"/calendars/alice/home/", "<C:schedule-calendar-transp/>", "<cal:opaque/>"},
		{"/calendars/alice/home/", "<supported-report-set/>", "<d:supported-report><d:report><cal:calendar-query/></d:report></d:supported-report>"},
		{"/calendars/alice/home/", "<supported-report-set/>", "<d:sync-collection/>"},
		{"/calendars/alice/home/", "<supported-method-set/>", `<d:supported-method name="MKCALENDAR"/>`},
		{"/calendars/alice/home/", "<supportedlock/>", "<d:lockentry><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockentry>"},
		{"/calendars/alice/home/", "<lockdiscovery/>", "<d:lockdiscovery></d:lockdiscovery>"},
		{"/calendars/alice/home/", "<current-user-privilege-set/>", "<d:privilege><d:all/></d:privilege>"},
		{"/calendars/alice/home/", "<current-user-privilege-set/>", "<d:privilege><d:write-content/></d:privilege>"},
		{"/calendars/alice/home/", "<supported-privilege-set/>", "<d:supported-privilege><d:privilege><d:all/></d:privilege><d:abstract/>"},
		{"/calendars/alice/home/", "<acl/>", "<d:ace><d:principal><d:href>/principals/alice/</d:href></d:principal><d:grant><d:privilege><d:all/></d:privilege></d:grant><d:protected/></d:ace>"},
		{"/calendars/alice/home/", "<acl-restrictions/>", "<d:grant-only/><d:no-invert/>"},
		{"/calendars/alice/home/", "<inherited-acl-set/>", "<d:inherited-acl-set/>"},
		{"/calendars/alice/home/", "<principal-collection-set/>", "<d:href>/principals/</d:href>"},
		{"/calendars/alice/home/x.ics", "<owner/>", "<d:href>/principals/alice/</d:href>"},
		{"/calendars/alice/home/x.ics", "<resourcetype/>", "<d:resourcetype></d:resourcetype>"},
		{"/calendars/alice/home/x.ics", "<S:getctag/>", "404"},
		{"/contacts/alice/contacts/", "<resourcetype/>", "<d:collection/><card:addressbook/>"},
		{"/contacts/alice/contacts/", "<A:supported-address-data/>", `<card:address-data-type content-type="text/vcard" version="4.0"/>`},
		{"/contacts/alice/contacts/", "<A:max-resource-size/>", "<card:max-resource-size>10485760<"},
		{"/contacts/alice/contacts/", "<A:supported-collation-set/>", "<card:supported-collation>i;unicode-casemap</card:supported-collation>"},
		{"/contacts/alice/contacts/", "<supported-report-set/>", "<card:addressbook-multiget/>"},
		{"/files/alice/", "<resourcetype/>", "<d:resourcetype><d:collection/></d:resourcetype>"},
	} {
		h.propfind("alice", c.path, "0", c.prop).want(207, c.value)
		if t.Failed() {
			t.Fatalf("%s of %s", c.prop, c.path)
		}
	}
}

// TestAllprop: allprop shows what RFC 4918 defines and what was kept, and no more
// than that; include adds to it; propname lists all.
func TestAllprop(t *testing.T) {
	h := open(t)
	h.do("alice", "PROPPATCH", "/calendars/alice/home/", `<propertyupdate xmlns="DAV:"><set><prop><x:mood xmlns:x="urn:x">good</x:mood></prop></set></propertyupdate>`).want(207)
	a := h.do("alice", "PROPFIND", "/calendars/alice/home/", `<propfind xmlns="DAV:"><allprop/></propfind>`, "Depth: 0")
	a.want(207, "<d:displayname>", "<d:resourcetype>", "<d:lockdiscovery>", "good").without("getctag", "sync-token", "acl", "404")
	a = h.do("alice", "PROPFIND", "/calendars/alice/home/", `<propfind xmlns="DAV:"><allprop/><include><sync-token/><displayname/><none/></include></propfind>`, "Depth: 0")
	a.want(207, "<d:sync-token>", "<d:none/>")
	if strings.Count(a.body, "<d:displayname>") != 1 {
		t.Errorf("twice: %s", a.body)
	}
	h.do("alice", "PROPFIND", "/calendars/alice/home/", `<propfind xmlns="DAV:"><propname/></propfind>`, "Depth: 0").
		want(207, "<d:displayname/>", "<cs:getctag/>", "<d:sync-token/>", "mood").without("good", "calendar-description")
	h.do("alice", "PROPFIND", "/calendars/alice/home/", `<propfind xmlns="DAV:"><prop><displayname/><none/></prop></propfind>`, "Depth: 0", "Prefer: return=minimal").
		want(207, "<d:displayname>").without("none", "404")
}

func TestProppatch(t *testing.T) {
	h := open(t)
	h.do("alice", "PUT", "/calendars/alice/home/x.ics", anEvent("u1", "x")).want(201)
	h.do("alice", "PUT", "/files/alice/f", "x").want(201)
	const (
		head = `<propertyupdate xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:I="http://apple.com/ns/ical/" xmlns:A="urn:ietf:params:xml:ns:carddav">`
		tail = `</propertyupdate>`
		zone = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR\n"
	)
	set := func(path, props string) *answer {
		return h.do("alice", "PROPPATCH", path, head+"<set><prop>"+props+"</prop></set>"+tail)
	}
	const cal = "/calendars/alice/home/"
	for _, c := range []struct{ path, set, ask, got string }{
		{cal, "<displayname>Ärger &amp; Co</displayname>", "<displayname/>", "<d:displayname>Ärger &amp; Co</d:displayname>"},
		{cal, "<I:calendar-color>#FF0000FF</I:calendar-color>", "<I:calendar-color/>", "<ic:calendar-color>#FF0000FF<"},
		{cal, "<I:calendar-order>7</I:calendar-order>", "<I:calendar-order/>", "<ic:calendar-order>7<"},
		{cal, "<C:calendar-description>About</C:calendar-description>", "<C:calendar-description/>", ">About<"},
		{cal, "<C:calendar-timezone>" + zone + "</C:calendar-timezone>", "<C:calendar-timezone/>", "TZID:Mine"},
		{cal, "<C:calendar-timezone-id>Europe/Vienna</C:calendar-timezone-id>", "<C:calendar-timezone-id/>", ">Europe/Vienna<"},
		{cal, "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>", "<C:schedule-calendar-transp/>", "<cal:transparent/>"},
		{"/contacts/alice/contacts/", "<A:addressbook-description>About</A:addressbook-description>", "<A:addressbook-description/>", ">About<"},
		{"/contacts/alice/contacts/", "<I:calendar-color>red</I:calendar-color>", "<I:calendar-color/>", ">red<"},
		{cal + "x.ics", `<x:mood xmlns:x="urn:x" xml:lang="de">gut<x:very/></x:mood>`, `<x:mood xmlns:x="urn:x"/>`, `gut<x:very/>`},
		{"/calendars/alice/", `<mood xmlns="urn:x">gut</mood>`, `<mood xmlns="urn:x"/>`, ">gut<"},
		{"/principals/alice/", `<mood xmlns="urn:x">gut</mood>`, `<mood xmlns="urn:x"/>`, ">gut<"},
		{"/files/alice/f", `<mood xmlns="urn:x">gut {{ . . }}` + strings.Repeat("{.}", 200) + `</mood>`, `<mood xmlns="urn:x"/>`, ">gut {{"},
		{"/files/alice/", `<displayname>Mine</displayname>`, `<displayname/>`, ">Mine<"},
	} {
		set(c.path, c.set).want(207, "200 OK").without("403", "424", "409")
		h.propfind("alice", c.path, "0", c.ask).want(207, c.got)
		if t.Failed() {
			t.Fatalf("%s of %s", c.set, c.path)
		}
	}
	for _, c := range []struct{ path, set, why string }{
		{cal, "<getetag>x</getetag>", "cannot-modify-protected-property"},
		{cal, "<resourcetype><collection/></resourcetype>", "cannot-modify-protected-property"},
		{cal, "<sync-token>x</sync-token>", "cannot-modify-protected-property"},
		{cal, "<acl/>", "cannot-modify-protected-property"},
		{cal, "<owner/>", "cannot-modify-protected-property"},
		{cal, "<creationdate>x</creationdate>", "cannot-modify-protected-property"},
		{cal, `<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>`, "cannot-modify-protected-property"},
		{cal + "x.ics", "<getcontentlength>1</getcontentlength>", "cannot-modify-protected-property"},
		{"/principals/alice/", "<displayname>Queen</displayname>", "cannot-modify-protected-property"},
		{"/files/alice/f", "<getcontenttype>text/html</getcontenttype>", "cannot-modify-protected-property"},
		{cal, "<C:calendar-timezone>nonsense</C:calendar-timezone>", "valid-calendar-data"},
		{cal, "<C:calendar-timezone-id>Mars/Olympus</C:calendar-timezone-id>", "valid-timezone"},
	} {
		before := h.propfind("alice", c.path, "0", `<mood xmlns="urn:y"/>`).body
		a := set(c.path, `<mood xmlns="urn:y">changed</mood>`+c.set).want(207, c.why, "403 Forbidden", "424 Failed Dependency").without("200 OK")
		if after := h.propfind("alice", c.path, "0", `<mood xmlns="urn:y"/>`).body; after != before || t.Failed() {
			t.Fatalf("%s of %s was done by half: %s", c.set, c.path, a.body)
		}
	}
	h.do("alice", "PROPPATCH", cal, head+"<remove><prop><displayname/><I:calendar-color/><none/></prop></remove><set><prop><displayname>again</displayname></prop></set><remove><prop><displayname/></prop></remove>"+tail).want(207, "200 OK")
	h.propfind("alice", cal, "0", "<displayname/><I:calendar-color/>").want(207, "404").without("again")
	if a := h.do("alice", "PROPPATCH", cal, head+"<set><prop><displayname>x</displayname></prop></set>"+tail, "Prefer: return=minimal"); a.status != 204 || a.header.Get("Preference-Applied") != "return=minimal" {
		t.Errorf("minimal: got %d %v", a.status, a.header)
	}
	h.do("alice", "PROPPATCH", "/", head+"<set><prop><displayname>x</displayname></prop></set>"+tail).want(405)
	h.do("alice", "PROPPATCH", "/principals/bob/", head+"<set><prop><x xmlns='urn:x'/></prop></set>"+tail).want(403)
	h.do("alice", "PROPPATCH", cal+"none.ics", head+"<set><prop><x xmlns='urn:x'/></prop></set>"+tail).want(404)
	h.do("alice", "PROPPATCH", cal, "").want(400)
	h.do("alice", "PROPPATCH", cal, head+"<set><prop><x xmlns='urn:x'>"+strings.Repeat("x", 70<<10)+"</x></prop></set>"+tail).want(507)
}

// TestFollowed: what is filled from elsewhere can be kept, not written.
func TestFollowed(t *testing.T) {
	h := open(t)
	h.edit("alice", func(e *shelf.Edit) error {
		return e.Make(shelf.Path{Kind: shelf.Calendars, Collection: "away"}, &shelf.Props{Source: &shelf.Source{URL: "https://example.org/x.ics"}})
	})
	const cal = "/calendars/alice/away/"
	h.do("alice", "PUT", cal+"x.ics", anEvent("u1", "x")).want(403, "need-privileges", "<d:bind/>")
	h.propfind("alice", cal, "0", "<current-user-privilege-set/><S:source/>").want(207, "<d:write-properties/>", "https://example.org/x.ics").without("<d:write/>", "<d:bind/>", "<d:all/>")
	h.do("alice", "PROPPATCH", cal, `<propertyupdate xmlns="DAV:"><set><prop><displayname>Away</displayname></prop></set></propertyupdate>`).want(207, "200")
	h.do("alice", "DELETE", cal, "").want(204)
}
