package caldav

import (
	"strings"
	"testing"
)

func TestPrincipalPropertySearch(t *testing.T) {
	h := open(t)
	h.addUser("carol")
	search := func(attr, inner string) string {
		return `<D:principal-property-search` + attr + `>` + inner + `<D:prop><D:displayname/></D:prop></D:principal-property-search>`
	}
	prop := func(name, match string) string {
		return `<D:property-search><D:prop><` + name + `/></D:prop><D:match>` + match + `</D:match></D:property-search>`
	}
	everywhere := `<D:apply-to-principal-collection-set/>`
	for _, c := range []struct {
		path, body string
		want       []string
	}{
		{"/principals/", search("", prop("D:displayname", "B")), []string{"bob/"}},
		{"/principals/", search("", prop("D:displayname", "o")), []string{"bob/", "carol/"}},
		{"/", search("", prop("D:displayname", "o")), []string{"bob/", "carol/"}},
		{"/principals/", search("", prop("D:displayname", "o")+prop("S:email-address-set", "CAROL@")), []string{"carol/"}},
		{"/principals/", search(` test="anyof"`, prop("D:displayname", "bob")+prop("S:email-address-set", "carol@")), []string{"bob/", "carol/"}},
		{"/principals/", search(` test="allof"`, prop("D:displayname", "bob")+prop("S:email-address-set", "carol@")), nil},
		{"/principals/", search("", prop("C:calendar-user-address-set", "mailto:bob@example.org")), []string{"bob/"}},
		{"/principals/", search("", `<D:property-search><D:prop><D:displayname/></D:prop><D:match match-type="equals">bo</D:match></D:property-search>`), nil},
		{"/principals/", search("", `<D:property-search><D:prop><D:displayname/></D:prop><D:match match-type="starts-with">bo</D:match></D:property-search>`), []string{"bob/"}},
		{"/principals/", search("", `<D:property-search><D:prop><D:displayname/><D:getetag/></D:prop><D:match>bob</D:match></D:property-search>`), nil},
		{"/principals/", search("", prop("D:owner", "bob")), nil},
		{"/calendars/alice/", search("", prop("D:displayname", "bob")), nil},
		{"/calendars/alice/", search("", prop("D:displayname", "bob")+everywhere), []string{"bob/"}},
	} {
		h.report("alice", c.path, c.body).want(207).wantNames(c.want...)
	}
	h.report("alice", "/principals/", search("", prop("D:displayname", "bob"))).want(207, "<d:displayname>bob</d:displayname>")
	h.report("alice", "/principals/", strings.Replace(search("", prop("D:displayname", "o")), "<D:prop><D:displayname/></D:prop></D:principal", limit(1)+"</D:principal", 1)).
		want(207, "507", "number-of-matches-within-limits")
	h.report("alice", "/principals/", search("", "")).want(400)
	h.report("alice", "/principals/", search("", `<D:property-search><D:match>x</D:match></D:property-search>`)).want(400)
	h.report("alice", "/principals/", search("", prop("D:displayname", "bob")), "Depth: 1").want(400)
	h.report("", "/principals/", search("", prop("D:displayname", "bob"))).want(401)
}

func TestPrincipalSearchPropertySet(t *testing.T) {
	h := open(t)
	h.report("alice", "/principals/", `<D:principal-search-property-set/>`).
		want(200, "<d:principal-search-property-set", "<d:prop><d:displayname/></d:prop>", `<d:description xml:lang="en">`)
	h.report("alice", "/principals/", `<D:principal-search-property-set/>`, "Depth: 1").want(400)
}

func TestPrincipalMatch(t *testing.T) {
	h := open(t)
	self := `<D:principal-match><D:self/><D:prop><D:displayname/></D:prop></D:principal-match>`
	for _, path := range []string{"/", "/principals/"} {
		h.report("alice", path, self).want(207, "<d:displayname>alice</d:displayname>").wantNames("alice/")
	}
	h.report("alice", "/calendars/alice/", self).want(207).wantNames()
	owner := `<D:principal-match><D:principal-property><D:owner/></D:principal-property></D:principal-match>`
	h.do("bob", "POST", "/calendars/bob/home/", `<CS:share xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/"><CS:set><D:href>mailto:alice@example.org</D:href><CS:read/></CS:set></CS:share>`,
		"Content-Type: application/xml").want(200)
	h.report("alice", "/calendars/alice/", owner).want(207, "/calendars/alice/home/").without("~bob~home")
	h.report("alice", "/calendars/alice/", `<D:principal-match/>`).want(400)
	h.report("alice", "/calendars/alice/home/", owner).want(403, "supported-report")
}

func TestACLPrincipals(t *testing.T) {
	h := open(t)
	h.do("alice", "POST", "/calendars/alice/home/", `<CS:share xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/"><CS:set><D:href>mailto:bob@example.org</D:href><CS:read/></CS:set></CS:share>`,
		"Content-Type: application/xml").want(200)
	q := `<D:acl-principal-prop-set><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>`
	h.report("alice", "/calendars/alice/home/", q).want(207, "<d:displayname>bob</d:displayname>").wantNames("alice/", "bob/")
	h.report("bob", "/calendars/bob/~alice~home/", q).want(403, "<d:need-privileges", "<d:read-acl/>")
}

// TestExpandProperty is what Apple's programs send when they set up an account.
func TestExpandProperty(t *testing.T) {
	h := open(t)
	q := `<D:expand-property><D:property name="current-user-principal"><D:property name="displayname"/><D:property name="calendar-home-set" namespace="urn:ietf:params:xml:ns:caldav">` +
		`<D:property name="resourcetype"/><D:property name="nothing"/></D:property></D:property><D:property name="calendar-user-address-set" namespace="urn:ietf:params:xml:ns:caldav"><D:property name="displayname"/></D:property>` +
		`<D:property name="nothing" namespace="urn:x"><D:property name="displayname"/></D:property></D:expand-property>`
	h.report("alice", "/principals/alice/", q).want(207,
		`<d:current-user-principal><d:response><d:href>/principals/alice/</d:href><d:propstat><d:prop><d:displayname>alice</d:displayname>`+
			`<cal:calendar-home-set><d:response><d:href>/calendars/alice/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop>`+
			`<d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><d:nothing/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response></cal:calendar-home-set>`,
		`<cal:calendar-user-address-set><d:href>mailto:alice@example.org</d:href><d:response><d:href>/principals/alice/</d:href>`,
		`<d:propstat><d:prop><x:nothing xmlns:x="urn:x"/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>`)
	h.report("alice", "/calendars/alice/", `<D:expand-property><D:property name="owner"><D:property name="displayname"/></D:property></D:expand-property>`, "Depth: 1").
		want(207, "/calendars/alice/home/", "<d:owner><d:response>")
	h.report("alice", "/calendars/alice/", `<D:expand-property/>`, "Depth: infinity").want(403)
	h.report("alice", "/", `<D:expand-property><D:property name="a&gt;&lt;b"/></D:expand-property>`).want(400)
	// Many hrefs that lead in circles.
	deep := `<D:property name="displayname"/>`
	for range 20 {
		deep = `<D:property name="current-user-principal">` + deep + deep + `</D:property>`
		if len(deep) > 500_000 {
			break
		}
	}
	h.report("alice", "/", `<D:expand-property>`+deep+`</D:expand-property>`).want(207)
}
