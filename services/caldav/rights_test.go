package caldav

import (
	"fmt"
	"strings"
	"testing"

	"cairn/services/caldav/sched"
	"cairn/services/caldav/shelf"
	"cairn/store/mem"
)

// share gives bob a calendar of alice's.
func (h *house) share(name string, access shelf.Access) {
	h.t.Helper()
	h.edit("alice", func(e *shelf.Edit) error {
		c, err := e.Collection(shelf.Calendars, name)
		if err != nil {
			return err
		}
		p := c.Props().Clone()
		p.Shares = map[string]shelf.Access{}
		if access != shelf.NoAccess {
			p.Shares["bob"] = access
		}
		return e.SetProps(c.Path(), p)
	})
}

// A lock ends, though it was made while the calendar was shared, for whoever may not
// write any more.
func TestLockAfterShare(t *testing.T) {
	h := open(t)
	h.do("alice", "PUT", "/calendars/alice/home/a.ics", anEvent("a", "A")).want(201)
	h.share("home", shelf.ReadWrite)
	for _, name := range []string{"", "a.ics", "new.ics"} {
		h.share("home", shelf.ReadWrite)
		at := "/calendars/bob/~alice~home/" + name
		made := h.do("bob", "LOCK", at, strings.Replace(lockBody, "%s", "exclusive", 1), "Depth: 0")
		token := made.header.Get("Lock-Token")
		refresh := func() *answer { return h.do("bob", "LOCK", at, "", "If: ("+token+")") }
		refresh().want(200)
		h.share("home", shelf.Read)
		refresh().want(403, "need-privileges")
		h.share("home", shelf.NoAccess)
		refresh().want(404)
		h.do("bob", "UNLOCK", at, "", "Lock-Token: "+token).want(404)
		h.do("alice", "UNLOCK", "/calendars/alice/home/"+name, "", "Lock-Token: "+token).want(204)
	}
}

// That a meeting is in another calendar already does not tell where to those with whom
// only one is shared.
func TestMeetingElsewhere(t *testing.T) {
	h := open(t)
	h.do("alice", "MKCALENDAR", "/calendars/alice/secret/", "").want(201)
	h.do("alice", "PUT", "/calendars/alice/secret/x.ics", aMeeting("lunch", "Lunch", askNoel)).want(201)
	h.share("home", shelf.ReadWrite)
	h.do("bob", "PUT", "/calendars/bob/~alice~home/y.ics", aMeeting("lunch", "Lunch", askNoel)).
		want(403, "unique-scheduling-object-resource").without("secret", "x.ics")
	h.do("alice", "PUT", "/calendars/alice/home/y.ics", aMeeting("lunch", "Lunch", askNoel)).want(403, "/calendars/alice/secret/x.ics")
	// A copy would call everybody off when it is deleted.
	h.do("alice", "COPY", "/calendars/alice/secret/x.ics", "", "Destination: /calendars/alice/home/y.ics").
		want(403, "unique-scheduling-object-resource")
	h.do("alice", "MOVE", "/calendars/alice/secret/x.ics", "", "Destination: /calendars/alice/home/y.ics").want(201)
}

// What came in since the client has seen the meeting is not taken back by it.
func TestMeetingRefresh(t *testing.T) {
	h := open(t)
	const hers = "/calendars/alice/home/lunch.ics"
	tag := h.do("alice", "PUT", hers, aMeeting("lunch", "Lunch", askBob)).want(201).header.Get("Schedule-Tag")
	his := h.one("bob", "/calendars/bob/home/")
	h.do("bob", "PUT", his, aMeeting("lunch", "Lunch", bobYes)).want(204)
	h.do("alice", "PUT", hers, aMeeting("lunch", "Dinner", askBob), "If-Schedule-Tag-Match: "+tag).want(204)
	for user, at := range map[string]string{"alice": hers, "bob": his} {
		if text := unfold(h.do(user, "GET", at, "").want(200, "Dinner").body); !strings.Contains(text, "PARTSTAT=ACCEPTED") || strings.Contains(text, "NEEDS-ACTION") {
			t.Errorf("%s: the answer is lost:\n%s", user, text)
		}
	}
	// What is no meeting has no tag.
	h.do("alice", "PUT", "/calendars/alice/home/a.ics", anEvent("a", "A")).want(201)
	h.do("alice", "DELETE", "/calendars/alice/home/a.ics", "", "If-Schedule-Tag-Match: "+tag).want(412)
}

// Nobody who is invited keeps the organizer from changing the meeting.
func TestMeetingInTheWay(t *testing.T) {
	h := openOn(t, mem.New(), shelf.Options{MaxResource: 4 << 10})
	const hers = "/calendars/alice/home/lunch.ics"
	h.do("alice", "PUT", hers, aMeeting("lunch", "Lunch", askBob)).want(201)
	his := h.one("bob", "/calendars/bob/home/")
	alarm := "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nDESCRIPTION:" + strings.Repeat("x", 3200) + "\r\nEND:VALARM\r\nEND:VEVENT"
	h.do("bob", "PUT", his, strings.Replace(aMeeting("lunch", "Lunch", askBob), "END:VEVENT", alarm, 1)).want(204)
	long := strings.Replace(aMeeting("lunch", "Lunch", askBob), "SUMMARY", "DESCRIPTION:"+strings.Repeat("y", 700)+"\r\nSUMMARY", 1)
	h.do("alice", "PUT", hers, long).want(204)
	h.do("alice", "GET", hers, "").want(200, sched.Undeliverable)
	h.do("alice", "DELETE", hers, "").want(204)
}

// Invitations do not go into a calendar that is filled from elsewhere.
func TestMeetingOfBirthdays(t *testing.T) {
	h := open(t)
	h.edit("bob", func(e *shelf.Edit) error {
		at := shelf.Path{Kind: shelf.Calendars, Collection: "birthdays"}
		if err := e.Make(at, &shelf.Props{Birthdays: true}); err != nil {
			return err
		}
		at.Collection = "work"
		if err := e.Make(at, &shelf.Props{}); err != nil {
			return err
		}
		return e.Remove(shelf.Path{Kind: shelf.Calendars, Collection: "home"})
	})
	h.do("alice", "PUT", "/calendars/alice/home/lunch.ics", aMeeting("lunch", "Lunch", askBob)).want(201)
	h.one("bob", "/calendars/bob/work/")
}

// Only who organizes a meeting notes answers in it.
func TestReplyToAttendee(t *testing.T) {
	h := open(t)
	h.addUser("carol")
	h.do("alice", "PUT", "/calendars/alice/home/lunch.ics", aMeeting("lunch", "Lunch", askBob, "PARTSTAT=NEEDS-ACTION:mailto:carol@example.org")).want(201)
	his := h.one("bob", "/calendars/bob/home/")
	before := h.do("bob", "GET", his, "").want(200).body
	hers := h.one("carol", "/calendars/carol/home/")
	h.do("carol", "DELETE", hers, "", "Schedule-Reply: F").want(204)
	forged := strings.Replace(aMeeting("lunch", "Lunch", askBob, "PARTSTAT=ACCEPTED:mailto:carol@example.org"), "ORGANIZER:mailto:alice", "ORGANIZER:mailto:bob", 1)
	h.do("carol", "PUT", hers, forged).want(201)
	if got := h.do("bob", "GET", his, "").want(200).body; got != before {
		t.Errorf("carol has changed what bob has:\n%s", got)
	}
}

// A meeting of a thousand with many exceptions would take minutes and gigabytes.
func TestMeetingTooLarge(t *testing.T) {
	h := open(t)
	var people, filler strings.Builder
	for i := range 900 {
		fmt.Fprintf(&people, "ATTENDEE:mailto:a%d@example.net\r\n", i)
	}
	for range 5000 {
		filler.WriteString("X-A:b\r\n")
	}
	rule := "RRULE:FREQ=DAILY\r\n" // endless: it is not counted
	text := func(more string) string {
		return strings.Replace(aMeeting("lunch", "Lunch"), "END:VEVENT", rule+more+"END:VEVENT", 1)
	}
	const at = "/calendars/alice/home/lunch.ics"
	h.do("alice", "PUT", at, text(people.String()+filler.String())).want(403, "max-attendees-per-instance")
	h.do("alice", "PUT", at, text(people.String()+strings.ReplaceAll(people.String(), ":a", ":b"))).want(403, "max-attendees-per-instance")
	h.do("alice", "PUT", at, text(people.String())).want(201)
	// One that was pushed can at least be deleted.
	h.plant("alice", "calendars/home/lunch.ics", text(people.String()+filler.String()))
	h.do("alice", "DELETE", at, "").want(204)
}

// What somebody has pushed does not pass for what the server says.
func TestPushedProperties(t *testing.T) {
	h := open(t)
	h.do("alice", "PUT", "/calendars/alice/home/a.ics", anEvent("a", "A")).want(201)
	h.plant("alice", "calendars/home/.props.toml", `shares = { bob = "read" }
dead = [
 { space = "DAV:", name = "resourcetype", xml = "<resourcetype xmlns='DAV:'><forged/></resourcetype>" },
 { space = "DAV:", name = "getlastmodified", xml = "<getlastmodified xmlns='DAV:'>forged</getlastmodified>" },
 { space = "x", name = "a/><forged xmlns='DAV:'", xml = "<" },
 { space = "x", name = "kept", xml = "<kept xmlns='x'>it is</kept>" },
]
`)
	for _, what := range []string{"<allprop/>", "<prop><resourcetype/><getlastmodified/></prop>"} {
		a := h.do("bob", "PROPFIND", "/calendars/bob/~alice~home/", `<propfind xmlns="DAV:">`+what+`</propfind>`, "Depth: 0").want(207).
			without("<forged", ">forged")
		if what == "<allprop/>" {
			a.want(207, "it is")
		}
	}
}
