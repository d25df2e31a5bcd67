package dav

import (
	"io"
	"reflect"
	"strings"
	"testing"
)

func body(s string) io.Reader { return strings.NewReader(s) }

func TestReadPropfind(t *testing.T) {
	x := func(local string) Name { return Name{"http://ns.example.com/boxschema/", local} }
	for _, c := range []struct {
		name, in string
		want     Want
	}{
		{"no body", ``, Want{AllProp: true}},
		{"RFC 4918 §9.1.3", `<?xml version="1.0" encoding="utf-8" ?>
			<D:propfind xmlns:D="DAV:"><D:prop xmlns:R="http://ns.example.com/boxschema/">
			<R:bigbox/><R:author/><R:DingALing/><R:Random/></D:prop></D:propfind>`,
			Want{Props: []Name{x("bigbox"), x("author"), x("DingALing"), x("Random")}}},
		{"RFC 4918 §9.1.4", `<propfind xmlns="DAV:"><propname/></propfind>`, Want{PropName: true}},
		{"RFC 4918 §9.1.5", `<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>`, Want{AllProp: true}},
		{"RFC 4918 §9.1.6", `<D:propfind xmlns:D="DAV:"><D:allprop/><D:include><D:supported-live-property-set/><D:supported-report-set/></D:include></D:propfind>`,
			Want{AllProp: true, Props: []Name{D("supported-live-property-set"), D("supported-report-set")}}},
		{"one property twice", `<propfind xmlns="DAV:"><prop><getetag/><getetag/></prop></propfind>`, Want{Props: []Name{GetETag}}},
		{"an extension beside", `<propfind xmlns="DAV:"><x:y xmlns:x="u"/><prop/></propfind>`, Want{}},
	} {
		got, err := ReadPropfind(body(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got.elements = nil
		if !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, *got, c.want)
		}
	}
	for _, in := range []string{`<propfind xmlns="DAV:"/>`, `<propfind/>`, `<x:propfind xmlns:x="DAV"><x:allprop/></x:propfind>`, `<propertyupdate xmlns="DAV:"/>`} {
		if _, err := ReadPropfind(body(in)); status(err) != 400 {
			t.Errorf("%s: got %v, want 400", in, err)
		}
	}
}

func TestReadProppatch(t *testing.T) {
	edits, err := ReadProppatch(body(`<?xml version="1.0" encoding="utf-8" ?>
		<D:propertyupdate xmlns:D="DAV:" xmlns:Z="http://ns.example.com/standards/z39.50/">
		<D:set><D:prop><Z:Authors><Z:Author>Jim Whitehead</Z:Author><Z:Author>Roy Fielding</Z:Author></Z:Authors></D:prop></D:set>
		<D:remove><D:prop><Z:Copyright-Owner/></D:prop></D:remove>
		<D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set></D:propertyupdate>`))
	if err != nil {
		t.Fatal(err)
	}
	z := func(local string) Name { return Name{"http://ns.example.com/standards/z39.50/", local} }
	var got []Edit
	for _, e := range edits {
		got = append(got, Edit{Name: e.Name, Remove: e.Remove})
		if (e.Value == nil) != e.Remove {
			t.Errorf("%v: value %v", e.Name, e.Value)
		}
	}
	want := []Edit{{Name: z("Authors")}, {Name: z("Copyright-Owner"), Remove: true}, {Name: DisplayName}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, in := range []string{``, `<propertyupdate xmlns="DAV:"/>`, `<propertyupdate xmlns="DAV:"><set/></propertyupdate>`, `<propfind xmlns="DAV:"/>`} {
		if _, err := ReadProppatch(body(in)); status(err) != 400 {
			t.Errorf("%q: got %v, want 400", in, err)
		}
	}
}

func TestReadMkcol(t *testing.T) {
	list, err := ReadMkcol(body(`<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>
		<D:displayname>Lisa's Events</D:displayname><C:calendar-description xml:lang="en">Calendar restricted to events.</C:calendar-description>
		<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>`), true)
	if err != nil || len(list) != 3 {
		t.Fatalf("got %v, %v", list, err)
	}
	if got := list[2].Value.Child(Cal("comp")).Attr("name"); got != "VEVENT" {
		t.Errorf("got %q, want VEVENT", got)
	}
	list, err = ReadMkcol(body(`<D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>
		<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype></D:prop></D:set></D:mkcol>`), false)
	if err != nil || len(list) != 1 {
		t.Fatalf("got %v, %v", list, err)
	}
	if got, want := list[0].Value.Names(), []Name{Collection, Card("addressbook")}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if list, err := ReadMkcol(body(""), true); list != nil || err != nil {
		t.Errorf("no body: got %v, %v", list, err)
	}
	for _, in := range []string{`<mkcalendar xmlns="DAV:"/>`, `<mkcol xmlns="DAV:"><remove><prop><x/></prop></remove></mkcol>`} {
		if _, err := ReadMkcol(body(in), false); status(err) != 400 {
			t.Errorf("%s: got %v, want 400", in, err)
		}
	}
}

func TestReadLockinfo(t *testing.T) {
	info, err := ReadLockinfo(body(`<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>
		<D:owner><D:href>http://example.org/~ejw/contact.html</D:href></D:owner></D:lockinfo>`))
	if err != nil {
		t.Fatal(err)
	}
	want := Lockinfo{Owner: Prop{D("owner"), `<D:owner xmlns:D="DAV:"><D:href>http://example.org/~ejw/contact.html</D:href></D:owner>`}}
	if *info != want {
		t.Errorf("got %+v, want %+v", *info, want)
	}
	if info, err := ReadLockinfo(body("")); info != nil || err != nil {
		t.Errorf("refresh: got %v, %v", info, err)
	}
	shared := `<lockinfo xmlns="DAV:"><lockscope><shared/></lockscope><locktype><write/></locktype></lockinfo>`
	if info, err := ReadLockinfo(body(shared)); err != nil || !info.Shared || info.Owner != (Prop{}) {
		t.Errorf("shared: got %+v, %v", info, err)
	}
	for in, want := range map[string]int{
		`<lockinfo xmlns="DAV:"><lockscope><shared/></lockscope></lockinfo>`:                                           422,
		`<lockinfo xmlns="DAV:"><locktype><write/></locktype></lockinfo>`:                                              400,
		`<lockinfo xmlns="DAV:"><lockscope><shared/><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`:  400,
		`<lockinfo xmlns="DAV:"><lockscope><local/></lockscope><locktype><read/></locktype></lockinfo>`:                422,
		`<lockinfo><lockscope xmlns="DAV:"><shared/></lockscope><locktype xmlns="DAV:"><write/></locktype></lockinfo>`: 400,
	} {
		if _, err := ReadLockinfo(body(in)); status(err) != want {
			t.Errorf("%s: got %v, want %d", in, err, want)
		}
	}
}

func TestReadACL(t *testing.T) {
	aces, err := ReadACL(body(`<D:acl xmlns:D="DAV:">
		<D:ace><D:principal><D:href>http://www.example.com/users/esedlar</D:href></D:principal><D:grant><D:privilege><D:read/></D:privilege><D:privilege><D:write/></D:privilege></D:grant></D:ace>
		<D:ace><D:principal><D:property><D:owner/></D:property></D:principal><D:grant><D:privilege><D:read-acl/></D:privilege></D:grant></D:ace>
		<D:ace><D:invert><D:principal><D:authenticated/></D:principal></D:invert><D:deny><D:privilege><D:all/></D:privilege></D:deny></D:ace>
		<D:ace><D:principal><D:all/></D:principal><D:grant><D:privilege><D:read/></D:privilege></D:grant><D:protected/><D:inherited><D:href>/</D:href></D:inherited></D:ace></D:acl>`))
	if err != nil {
		t.Fatal(err)
	}
	want := []ACE{
		{Principal: Principal{Href: "http://www.example.com/users/esedlar"}, Privilege: []Name{D("read"), D("write")}},
		{Principal: Principal{Property: D("owner")}, Privilege: []Name{D("read-acl")}},
		{Principal: Principal{Authenticated: true}, Invert: true, Deny: true, Privilege: []Name{D("all")}},
		{Principal: Principal{All: true}, Privilege: []Name{D("read")}, Protected: true, Inherited: true},
	}
	if !reflect.DeepEqual(aces, want) {
		t.Errorf("got %+v, want %+v", aces, want)
	}
	if aces, err := ReadACL(body(`<acl xmlns="DAV:"/>`)); err != nil || len(aces) != 0 {
		t.Errorf("empty: got %v, %v", aces, err)
	}
	for _, in := range []string{
		``, `<acl/>`, `<acl xmlns="DAV:"><ace/></acl>`,
		`<acl xmlns="DAV:"><ace><principal/><grant><privilege><read/></privilege></grant></ace></acl>`,
		`<acl xmlns="DAV:"><ace><principal><href/></principal><grant><privilege><read/></privilege></grant></ace></acl>`,
		`<acl xmlns="DAV:"><ace><principal><all/></principal></ace></acl>`,
		`<acl xmlns="DAV:"><ace><principal><all/></principal><grant/></ace></acl>`,
		`<acl xmlns="DAV:"><ace><principal><all/></principal><grant><privilege><read/></privilege></grant><deny><privilege><read/></privilege></deny></ace></acl>`,
	} {
		if _, err := ReadACL(body(in)); status(err) != 400 {
			t.Errorf("%s: got %v, want 400", in, err)
		}
	}
}

func TestReadPost(t *testing.T) {
	got, err := ReadPost(body(`<CS:share xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/">
		<CS:set><D:href>mailto:bob@example.com</D:href><CS:common-name>Bob</CS:common-name><CS:summary>Come</CS:summary><CS:read-write/></CS:set>
		<CS:set><D:href>/principals/carol/</D:href><CS:read/></CS:set>
		<CS:remove><D:href>mailto:alice@example.com</D:href></CS:remove></CS:share>`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Post{Sharees: []Sharee{
		{"mailto:bob@example.com", "Bob", "Come", AccessWrite}, {"/principals/carol/", "", "", AccessRead}, {"mailto:alice@example.com", "", "", AccessNone},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	got, err = ReadPost(body(`<D:share-resource xmlns:D="DAV:">
		<D:sharee><D:href>mailto:bob@example.com</D:href><D:prop><D:displayname>Bob</D:displayname></D:prop><D:comment>Come</D:comment><D:share-access><D:read-write/></D:share-access></D:sharee>
		<D:sharee><D:href>mailto:carol@example.com</D:href><D:share-access><D:read/></D:share-access></D:sharee>
		<D:sharee><D:href>mailto:alice@example.com</D:href><D:share-access><D:no-access/></D:share-access></D:sharee></D:share-resource>`))
	want.Sharees[1].Href = "mailto:carol@example.com"
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	got, err = ReadPost(body(`<CS:invite-reply xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/"><D:href>mailto:bob@example.com</D:href>
		<CS:invite-accepted/><CS:hosturl><D:href>/calendars/alice/home/</D:href></CS:hosturl><CS:in-reply-to>1</CS:in-reply-to></CS:invite-reply>`))
	want = &Post{Reply: &Reply{"mailto:bob@example.com", true, "/calendars/alice/home/", "1"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, in := range []string{
		``, `<share/>`, `<share xmlns="http://calendarserver.org/ns/"/>`, `<share xmlns="http://calendarserver.org/ns/"><set><read/></set></share>`,
		`<share-resource xmlns="DAV:"><sharee><href>mailto:bob@example.com</href></sharee></share-resource>`,
	} {
		if _, err := ReadPost(body(in)); status(err) != 400 {
			t.Errorf("%s: got %v, want 400", in, err)
		}
	}
}

// FuzzBodies: whatever comes, every reader answers with a value or an *Error with a status of 4xx.
func FuzzBodies(f *testing.F) {
	for _, s := range []string{
		`<propfind xmlns="DAV:"><allprop/><include><x/></include></propfind>`,
		`<propertyupdate xmlns="DAV:" xml:lang="de"><set><prop><x xmlns="u">a<b/></x></prop></set><remove><prop><y/></prop></remove></propertyupdate>`,
		`<mkcol xmlns="DAV:"><set><prop><resourcetype><collection/></resourcetype></prop></set></mkcol>`,
		`<lockinfo xmlns="DAV:"><lockscope><shared/></lockscope><locktype><write/></locktype><owner>me</owner></lockinfo>`,
		`<acl xmlns="DAV:"><ace><invert><principal><property><owner/></property></principal></invert><deny><privilege><read/></privilege></deny></ace></acl>`,
		`<share xmlns="http://calendarserver.org/ns/"><set><href xmlns="DAV:">mailto:x</href><read/></set></share>`,
		`<share-resource xmlns="DAV:"><sharee><href>x</href><share-access><read/></share-access></sharee></share-resource>`,
		pushBody(`<property-update/>`, `<expires>Sun, 20 Dec 2026 10:03:31 GMT</expires>`),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		readers := map[string]func() error{
			"propfind":  func() error { _, err := ReadPropfind(body(s)); return err },
			"proppatch": func() error { _, err := ReadProppatch(body(s)); return err },
			"mkcol":     func() error { _, err := ReadMkcol(body(s), false); return err },
			"lockinfo":  func() error { _, err := ReadLockinfo(body(s)); return err },
			"acl":       func() error { _, err := ReadACL(body(s)); return err },
			"post":      func() error { _, err := ReadPost(body(s)); return err },
			"report":    func() error { _, err := ReadReport(body(s)); return err },
		}
		for name, r := range readers {
			if err := r(); err != nil && (status(err) < 400 || status(err) > 499) {
				t.Fatalf("%s of %q: %v", name, s, err)
			}
		}
	})
}
