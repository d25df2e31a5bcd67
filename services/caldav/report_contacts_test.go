package caldav

import (
	"strings"
	"testing"
)

// addressbook fills alice's default address book and returns its path.
func (h *house) addressbook(cards map[string]string) string {
	h.t.Helper()
	book := homeBook(h)
	for name, card := range cards {
		h.put(book+name, card)
	}
	return book
}

func TestAddressbookQuery(t *testing.T) {
	h := open(t)
	book := h.addressbook(map[string]string{
		"a.vcf": "BEGIN:VCARD\nVERSION:3.0\nUID:a\nFN:Alice Müller\nN:Müller;Alice;;;\nEMAIL;TYPE=work:alice@example.org\nEND:VCARD\n",
		"b.vcf": "BEGIN:VCARD\nVERSION:3.0\nUID:b\nFN:Bob\nN:Bob;;;;\nEMAIL;TYPE=home:bob@example.com\nEND:VCARD\n",
		"c.vcf": "BEGIN:VCARD\nVERSION:4.0\nUID:c\nFN:Carol\nTEL:+1\nEND:VCARD\n",
	})
	filter := func(test, inner string) string {
		return `<A:addressbook-query><D:prop><D:getetag/></D:prop><A:filter test="` + test + `">` + inner + `</A:filter></A:addressbook-query>`
	}
	for _, c := range []struct {
		body string
		want []string
	}{
		{filter("anyof", ""), []string{"a.vcf", "b.vcf", "c.vcf"}},
		{filter("anyof", `<A:prop-filter name="FN"><A:text-match>müller</A:text-match></A:prop-filter>`), []string{"a.vcf"}},
		{filter("anyof", `<A:prop-filter name="FN"><A:text-match match-type="starts-with">B</A:text-match></A:prop-filter><A:prop-filter name="TEL"/>`), []string{"b.vcf", "c.vcf"}},
		{filter("allof", `<A:prop-filter name="EMAIL"/><A:prop-filter name="FN"><A:text-match match-type="equals" negate-condition="yes">Bob</A:text-match></A:prop-filter>`), []string{"a.vcf"}},
		{filter("anyof", `<A:prop-filter name="EMAIL"><A:is-not-defined/></A:prop-filter>`), []string{"c.vcf"}},
		{filter("anyof", `<A:prop-filter name="EMAIL"><A:param-filter name="TYPE"><A:text-match>home</A:text-match></A:param-filter></A:prop-filter>`), []string{"b.vcf"}},
		{filter("anyof", `<A:prop-filter name="EMAIL" test="allof"><A:text-match match-type="ends-with">.org</A:text-match><A:text-match>alice</A:text-match></A:prop-filter>`), []string{"a.vcf"}},
	} {
		h.report("alice", book, c.body, "Depth: 1").want(207).wantNames(c.want...)
	}
	h.report("alice", "/contacts/alice/", filter("anyof", ""), "Depth: infinity").want(207).wantNames("a.vcf", "b.vcf", "c.vcf")
	h.report("alice", book+"b.vcf", filter("anyof", `<A:prop-filter name="TEL"/>`)).want(207).wantNames()
	h.report("bob", book, filter("anyof", "")).want(404)
	for _, c := range []struct {
		body         string
		status       int
		precondition string
	}{
		{filter("none", ""), 400, ""},
		{filter("anyof", `<A:prop-filter/>`), 400, ""},
		{filter("anyof", `<A:prop-filter name="FN"><A:text-match match-type="like">x</A:text-match></A:prop-filter>`), 400, ""},
		{filter("anyof", `<A:prop-filter name="FN"><A:text-match collation="x">x</A:text-match></A:prop-filter>`), 403, "<card:supported-collation"},
		{filter("anyof", `<A:prop-filter name="FN"><A:time-range/></A:prop-filter>`), 403, "<card:supported-filter"},
		{filter("anyof", `<A:prop-filter name="FN">`+strings.Repeat(`<A:text-match>x</A:text-match>`, 300)+`</A:prop-filter>`), 403, "<card:supported-filter"},
		{`<A:addressbook-query><D:prop/></A:addressbook-query>`, 400, ""},
		{strings.Replace(filter("anyof", ""), "<D:getetag/>", `<A:address-data version="2.1"/>`, 1), 403, "<card:supported-address-data"},
		{strings.Replace(filter("anyof", ""), "<D:getetag/>", `<A:address-data content-type="application/vcard+json"/>`, 1), 403, "<card:supported-address-data"},
	} {
		h.report("alice", book, c.body, "Depth: 1").want(c.status, c.precondition)
	}
}

// TestAddressbookLimit is RFC 6352 §8.6.5.
func TestAddressbookLimit(t *testing.T) {
	h := open(t)
	book := h.addressbook(map[string]string{"a.vcf": aCard("a", "A"), "b.vcf": aCard("b", "B"), "c.vcf": aCard("c", "C")})
	q := func(n string) *answer {
		return h.report("alice", book, `<A:addressbook-query><D:prop><D:getetag/></D:prop><A:filter/><A:limit><A:nresults>`+n+`</A:nresults></A:limit></A:addressbook-query>`, "Depth: 1")
	}
	a := q("2").want(207, "<d:href>"+book+"</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status><d:error><d:number-of-matches-within-limits")
	if got := len(a.names()); got != 3 {
		t.Errorf("got %d responses, want two cards and one that says there are more", got)
	}
	q("3").want(207).without("507").wantNames("a.vcf", "b.vcf", "c.vcf")
	q("0").want(400)
	q("-1").want(400)
	q("many").want(400)
}

func TestAddressbookMultiget(t *testing.T) {
	h := open(t)
	v4 := "BEGIN:VCARD\nVERSION:4.0\nUID:b\nFN:Bob\nEND:VCARD\n"
	book := h.addressbook(map[string]string{"a.vcf": aCard("a", "A"), "b.vcf": v4})
	get := func(attrs, inner string) *answer {
		return h.report("alice", book, `<A:addressbook-multiget><D:prop><D:getetag/><A:address-data`+attrs+`>`+inner+`</A:address-data></D:prop><D:href>`+book+`a.vcf</D:href><D:href>`+book+`b.vcf</D:href><D:href>`+book+`absent.vcf</D:href></A:addressbook-multiget>`).
			want(207, "404 Not Found").wantNames("a.vcf", "absent.vcf", "b.vcf")
	}
	get("", "").want(207, "VERSION:3.0", "FN:Bob").without("VERSION:4.0")
	get(` content-type="text/vcard" version="3.0"`, "").without("VERSION:4.0")
	get(` content-type="text/vcard" version="4.0"`, "").want(207, "VERSION:4.0", `<card:address-data content-type="text/vcard" version="4.0">`).without("VERSION:3.0")
	get("", `<A:prop name="UID"/>`).want(207, "UID:a").without("FN:A")
	get("", `<A:allprop/>`).want(207, "FN:A")
}
