package caldav

import (
	"strings"
	"testing"
)

func shareWith(access string, hrefs ...string) string {
	var b strings.Builder
	for _, href := range hrefs {
		if access == "" {
			b.WriteString("<CS:remove><D:href>" + href + "</D:href></CS:remove>")
		} else {
			b.WriteString("<CS:set><D:href>" + href + "</D:href><CS:" + access + "/></CS:set>")
		}
	}
	return `<CS:share xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/">` + b.String() + `</CS:share>`
}

func aclOf(aces string) string { return `<acl xmlns="DAV:">` + aces + `</acl>` }

func ace(who string, privileges ...string) string {
	var b strings.Builder
	for _, p := range privileges {
		b.WriteString("<privilege><" + p + "/></privilege>")
	}
	return "<ace><principal>" + who + "</principal><grant>" + b.String() + "</grant></ace>"
}

// TestSharing: what alice shares is in bob's home, with the rights that she gave,
// and gone when she takes them back.
func TestSharing(t *testing.T) {
	h := open(t)
	h.addUser("carol")
	const hers, his = "/calendars/alice/home/", "/calendars/bob/~alice~home/"
	h.do("alice", "PUT", hers+"x.ics", anEvent("u1", "x")).want(201)
	h.propfind("bob", "/calendars/bob/", "1", "<displayname/>").want(207).without("~alice")
	h.do("bob", "GET", his+"x.ics", "").want(404)

	h.do("alice", "POST", hers, shareWith("read", "mailto:bob@example.org"), "Content-Type: application/xml").want(200)
	h.propfind("bob", "/calendars/bob/", "1", "<displayname/><owner/><current-user-privilege-set/><share-access/>").
		want(207, "<d:href>"+his+"<", "<d:displayname>Calendar (alice)<", "<d:owner><d:href>/principals/alice/</d:href>", "<d:share-access><d:read/>")
	h.do("bob", "GET", his+"x.ics", "").want(200, "SUMMARY:x")
	h.propfind("bob", his, "1", "<getetag/>").want(207, his+"x.ics<")
	h.propfind("bob", his, "0", "<current-user-privilege-set/><acl/><S:invite/><S:allowed-sharing-modes/>").
		want(207, "<d:privilege><d:read/></d:privilege>", "need-privileges", "<cs:user><d:href>/principals/bob/</d:href>", "404").without("<d:write", "<d:bind/>", "<d:all/>")
	for _, c := range [][3]string{{"PUT", "x.ics", anEvent("u1", "y")}, {"PUT", "new.ics", anEvent("u2", "y")}, {"DELETE", "x.ics", ""}, {"LOCK", "x.ics", strings.Replace(lockBody, "%s", "shared", 1)},
		{"ACL", "", aclOf(ace("<href>/principals/bob/</href>", "write"))}, {"POST", "", shareWith("read-write", "/principals/carol/")}} {
		h.do("bob", c[0], his+c[1], c[2], "Content-Type: application/xml").want(403, "<d:need-privileges>", "<d:privilege>")
	}
	// How it looks to him is his.
	h.do("bob", "PROPPATCH", his, `<propertyupdate xmlns="DAV:" xmlns:I="http://apple.com/ns/ical/"><set><prop><displayname>Hers</displayname><I:calendar-color>#123456</I:calendar-color></prop></set></propertyupdate>`).want(207, "200 OK")
	h.do("bob", "PROPPATCH", his, `<propertyupdate xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop><displayname>x</displayname><C:calendar-description>x</C:calendar-description></prop></set></propertyupdate>`).
		want(207, "403 Forbidden", "need-privileges", "424 Failed")
	h.propfind("bob", "/calendars/bob/", "1", "<displayname/><I:calendar-color/>").want(207, ">Hers<", "#123456")
	h.propfind("alice", hers, "0", "<displayname/><I:calendar-color/>").want(207, ">Calendar<", "404").without("Hers")
	h.do("bob", "MOVE", his+"x.ics", "", "Destination: /calendars/bob/home/x.ics").want(403)
	h.do("bob", "COPY", his+"x.ics", "", "Destination: /calendars/bob/home/x.ics").want(201)
	h.do("bob", "COPY", "/calendars/bob/home/x.ics", "", "Destination: "+his+"y.ics").want(403)
	h.do("bob", "COPY", his, "", "Destination: /calendars/bob/mine/").want(201)
	h.do("bob", "GET", "/calendars/bob/mine/x.ics", "").want(200)
	h.do("bob", "MOVE", his, "", "Destination: /calendars/bob/moved/").want(403)

	h.do("alice", "ACL", hers, aclOf(ace("<href>/principals/bob/</href>", "read", "write")+ace("<href>/principals/carol/</href>", "read")+ace("<property><owner/></property>", "all"))).want(200)
	h.propfind("alice", hers, "0", "<acl/><share-access/><S:invite/><S:allowed-sharing-modes/>").want(207, "<d:href>/principals/bob/</d:href></d:principal><d:grant><d:privilege><d:read/></d:privilege><d:privilege><d:write/></d:privilege>",
		"<d:shared-owner/>", "/principals/carol/", "<cs:can-be-shared/>")
	h.propfind("bob", his, "0", "<current-user-privilege-set/><S:invite/>").want(207, "<d:write/>", "<d:bind/>").without("carol", "<d:all/>", "write-acl")
	put := h.do("bob", "PUT", his+"y.ics", anEvent("u2", "by bob")).want(201)
	if got := h.do("alice", "GET", hers+"y.ics", "").want(200).header.Get("ETag"); got != put.header.Get("ETag") {
		t.Errorf("alice sees %s, bob has put %s", got, put.header.Get("ETag"))
	}
	tree, err := h.repo.Branch("dav/alice").Tree(t.Context())
	check(t, err)
	if rev, _ := tree.Commit(); rev.Author.Name != "bob" {
		t.Errorf("the commit is by %q", rev.Author.Name)
	}
	h.do("bob", "PUT", his+"z.ics", anEvent("u2", "again")).want(403, "no-uid-conflict><d:href>"+his+"y.ics<")
	h.do("bob", "MOVE", his+"y.ics", "", "Destination: /calendars/bob/home/y.ics").want(201)
	h.do("alice", "GET", hers+"y.ics", "").want(404)
	h.do("bob", "MOVE", "/calendars/bob/home/y.ics", "", "Destination: "+his+"y.ics").want(201)
	h.do("bob", "ACL", his, aclOf("")).want(403)

	// What bob has locked is free when he may not write any more.
	a, _ := h.lock("bob", his+"x.ics", "exclusive")
	a.want(200)
	h.do("alice", "PUT", hers+"x.ics", anEvent("u1", "x")).want(423)
	h.do("alice", "POST", hers, shareWith("read", "/principals/bob/"), "Content-Type: application/xml").want(200)
	h.do("alice", "PUT", hers+"x.ics", anEvent("u1", "x")).want(204)

	h.do("bob", "DELETE", his, "").want(204) // he does not want it
	h.do("bob", "GET", his+"x.ics", "").want(404)
	h.do("alice", "GET", hers+"x.ics", "").want(200)
	h.do("carol", "GET", "/calendars/carol/~alice~home/x.ics", "").want(200)
	h.do("alice", "POST", hers, shareWith("", "mailto:carol@example.org"), "Content-Type: text/xml").want(200)
	h.do("carol", "GET", "/calendars/carol/~alice~home/x.ics", "").want(404)
	h.do("alice", "GET", "/calendars/alice/~alice~home/", "").want(404)

	h.do("alice", "ACL", "/contacts/alice/contacts/", aclOf(ace("<href>/principals/bob@example.org/</href>", "all"))).want(200)
	h.do("bob", "PUT", "/contacts/bob/~alice~contacts/c.vcf", aCard("c1", "Carol")).want(201)
	h.do("alice", "GET", "/contacts/alice/contacts/c.vcf", "").want(200)
}

// TestACLRefused: what an ACL here cannot say is refused by name (RFC 3744 §8.1.1).
func TestACLRefused(t *testing.T) {
	h := open(t)
	const path = "/calendars/alice/home/"
	bob := "<href>/principals/bob/</href>"
	for _, c := range []struct {
		ace    string
		status int
		word   string
	}{
		{ace("<href>/principals/nobody/</href>", "read"), 403, "recognized-principal"},
		{ace("<href>mailto:nobody@example.org</href>", "read"), 403, "recognized-principal"},
		{ace("<href>https://elsewhere.example/principals/bob/</href>", "read"), 403, "recognized-principal"},
		{ace("<all/>", "read"), 403, "allowed-principal"},
		{ace("<authenticated/>", "read"), 403, "allowed-principal"},
		{ace("<self/>", "read"), 403, "allowed-principal"},
		{ace(bob, "bind"), 403, "no-abstract"},
		{ace(bob, "fly"), 403, "not-supported-privilege"},
		{strings.ReplaceAll(ace(bob, "read"), "grant", "deny"), 403, "grant-only"},
		{"<ace><invert><principal>" + bob + "</principal></invert><grant><privilege><read/></privilege></grant></ace>", 403, "no-invert"},
		{strings.Replace(ace(bob, "read"), "</ace>", "<protected/></ace>", 1), 403, "no-protected-ace-conflict"},
		{"<ace/>", 400, ""},
	} {
		h.do("alice", "ACL", path, aclOf(c.ace)).want(c.status, c.word)
	}
	h.propfind("alice", path, "0", "<acl/>").want(207).without("bob")
	h.do("alice", "POST", path, shareWith("read", "mailto:nobody@example.org"), "Content-Type: application/xml").want(403)
	h.do("alice", "POST", path, shareWith("read", "/principals/alice/"), "Content-Type: application/xml").want(403)
	h.do("alice", "POST", path, "a=b", "Content-Type: application/x-www-form-urlencoded").want(415)
	h.do("alice", "POST", path, "<x/>", "Content-Type: application/xml").want(400)
	h.do("alice", "ACL", "/calendars/alice/", aclOf("")).want(405)
	h.do("alice", "ACL", path, "").want(400)
}

// TestPersonGone: who is no more shares nothing, and is shared with in vain.
func TestPersonGone(t *testing.T) {
	h := open(t)
	h.do("alice", "POST", "/calendars/alice/home/", shareWith("read", "mailto:bob@example.org"), "Content-Type: application/xml").want(200)
	h.removeUser("alice")
	h.propfind("bob", "/calendars/bob/", "1", "<displayname/>").want(207).without("~alice")
	h.do("bob", "PROPFIND", "/calendars/bob/~alice~home/", "", "Depth: 0").want(404)
	h.do("alice", "GET", "/", "").want(401)
}
