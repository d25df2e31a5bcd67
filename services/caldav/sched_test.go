package caldav

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"

	"cairn/services/accounts"
	"cairn/services/caldav/sched"
)

// aMeeting is an event to which alice invites people, given as the lines that name
// them.
func aMeeting(uid, summary string, people ...string) string {
	lines := "ORGANIZER:mailto:alice@example.org\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.org\r\n"
	for _, p := range people {
		lines += "ATTENDEE;" + p + "\r\n"
	}
	return strings.Replace(anEvent(uid, summary), "END:VEVENT", lines+"END:VEVENT", 1)
}

const (
	askBob  = "PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.org"
	bobYes  = "PARTSTAT=ACCEPTED:mailto:bob@example.org"
	askNoel = "PARTSTAT=NEEDS-ACTION:mailto:noel@example.net"
)

// members are the names that a collection holds.
func (h *house) members(user, path string) (hrefs []string) {
	h.t.Helper()
	body := h.propfind(user, path, "1", "<getetag/>").want(207).body
	for _, m := range regexp.MustCompile(`<[A-Za-z:]*href>([^<]*)</`).FindAllStringSubmatch(body, -1) {
		if m[1] != path {
			hrefs = append(hrefs, m[1])
		}
	}
	return hrefs
}

// one is the only member of a collection.
func (h *house) one(user, path string) string {
	h.t.Helper()
	list := h.members(user, path)
	if len(list) != 1 {
		h.t.Fatalf("%s has %q, want one member", path, list)
	}
	return list[0]
}

// unfold undoes the folding of long lines.
func unfold(text string) string { return strings.ReplaceAll(text, "\r\n ", "") }

// A meeting from the invitation to its end, as programs of both see it.
func TestMeeting(t *testing.T) {
	h := open(t)
	const hers = "/calendars/alice/home/lunch.ics"
	put := h.do("alice", "PUT", hers, aMeeting("lunch", "Lunch", askBob)).want(201)
	if put.header.Get("ETag") != "" || put.header.Get("Schedule-Tag") == "" {
		t.Errorf("got ETag %q and Schedule-Tag %q, want none and one", put.header.Get("ETag"), put.header.Get("Schedule-Tag"))
	}
	if text := unfold(h.do("alice", "GET", hers, "").want(200).body); !strings.Contains(text, "SCHEDULE-STATUS=1.2") {
		t.Errorf("that bob has it is not noted:\n%s", text)
	}
	his := h.one("bob", "/calendars/bob/home/")
	h.do("bob", "GET", his, "").want(200, "SUMMARY:Lunch")
	message := h.one("bob", "/calendars/bob/inbox/")
	h.do("bob", "GET", message, "").want(200, "METHOD:REQUEST")
	h.do("bob", "DELETE", message, "").want(204)

	// Bob says yes: alice sees it, and her tag stays.
	h.do("bob", "PUT", his, aMeeting("lunch", "Lunch", bobYes)).want(204)
	got := h.do("alice", "GET", hers, "").want(200)
	if text := unfold(got.body); !strings.Contains(text, "PARTSTAT=ACCEPTED;SCHEDULE-STATUS=2.0:mailto:bob@example.org") {
		t.Errorf("alice does not see that bob has accepted:\n%s", text)
	}
	if a, b := got.header.Get("Schedule-Tag"), put.header.Get("Schedule-Tag"); a != b {
		t.Errorf("Schedule-Tag: got %s, want %s as before", a, b)
	}
	h.propfind("alice", hers, "0", "<C:schedule-tag/>").want(207, put.header.Get("Schedule-Tag")[1:9])
	h.do("alice", "GET", h.one("alice", "/calendars/alice/inbox/"), "").want(200, "METHOD:REPLY")

	// Bob may not move it.
	h.do("bob", "PUT", his, strings.ReplaceAll(aMeeting("lunch", "Lunch", bobYes), "T10", "T09")).
		want(403, "allowed-attendee-scheduling-object-change")
	// Nor have it twice, or alice two of them.
	h.do("bob", "MKCALENDAR", "/calendars/bob/work/", "").want(201)
	h.do("bob", "PUT", "/calendars/bob/work/x.ics", aMeeting("lunch", "Lunch", bobYes)).
		want(403, "unique-scheduling-object-resource", his)

	// Alice moves it, if nobody has changed it.
	moved := strings.ReplaceAll(aMeeting("lunch", "Lunch", bobYes), "T10", "T09")
	h.do("alice", "PUT", hers, moved, `If-Schedule-Tag-Match: "other"`).want(412)
	h.do("alice", "PUT", hers, moved, "If-Schedule-Tag-Match: "+put.header.Get("Schedule-Tag")).want(204)
	h.do("bob", "GET", his, "").want(200, "DTSTART:20261124T090000Z", "PARTSTAT=NEEDS-ACTION")

	// And calls it off.
	h.do("alice", "DELETE", hers, "").want(204)
	h.do("bob", "GET", his, "").want(200, "STATUS:CANCELLED")
}

func TestDecline(t *testing.T) {
	h := open(t)
	const hers = "/calendars/alice/home/lunch.ics"
	for _, c := range []struct{ header, want string }{{"Schedule-Reply: F", "NEEDS-ACTION"}, {"X: y", "DECLINED"}} {
		h.do("alice", "PUT", hers, aMeeting("lunch", "Lunch", askBob)).want(201)
		h.do("bob", "DELETE", h.one("bob", "/calendars/bob/home/"), "", c.header).want(204)
		h.do("alice", "GET", hers, "").want(200, "PARTSTAT="+c.want)
		h.do("alice", "DELETE", hers, "").want(204)
	}
	// A calendar that is deleted declines what is in it.
	h.do("alice", "PUT", hers, aMeeting("lunch", "Lunch", askBob)).want(201)
	h.do("bob", "DELETE", "/calendars/bob/home/", "").want(204)
	h.do("alice", "GET", hers, "").want(200, "PARTSTAT=DECLINED")
}

// The server keeps out of what a client does itself.
func TestScheduleAgent(t *testing.T) {
	h := open(t)
	h.do("alice", "PUT", "/calendars/alice/home/a.ics", aMeeting("a", "A", "SCHEDULE-AGENT=CLIENT:mailto:bob@example.org")).want(201)
	h.do("alice", "PUT", "/calendars/alice/home/b.ics", aMeeting("b", "B", "SCHEDULE-AGENT=NONE:mailto:bob@example.org")).want(201)
	if list := h.members("bob", "/calendars/bob/home/"); len(list) > 0 {
		t.Errorf("bob has %q, want nothing", list)
	}
}

// Who has no account here is invited by mail, after the change is durable; without a mail
// service the organizer sees that nobody was.
func TestInvite(t *testing.T) {
	h := open(t)
	const hers = "/calendars/alice/home/lunch.ics"
	h.do("alice", "PUT", hers, aMeeting("lunch", "Lunch", askNoel)).want(201)
	h.do("alice", "GET", hers, "").want(200, "SCHEDULE-STATUS=5.2")
	h.do("alice", "DELETE", hers, "").want(204)

	var sent []string
	h.service.Invite = func(ctx context.Context, from *accounts.User, m sched.Message) error {
		tree, err := h.repo.Branch("dav/alice").Tree(ctx)
		check(t, err)
		_, err = tree.Lookup("calendars/home/lunch.ics")
		sent = append(sent, from.Name+" "+m.Method+" "+m.To+" "+m.Text())
		return errors.Join(err, errors.New("this one fails, and nobody minds"))
	}
	h.do("alice", "PUT", hers, aMeeting("lunch", "Lunch", askNoel)).want(201)
	h.do("alice", "GET", hers, "").want(200, "SCHEDULE-STATUS=1.1")
	if want := "alice REQUEST mailto:noel@example.net Lunch"; strings.Join(sent, "; ") != want {
		t.Errorf("sent: got %q, want %q", sent, want)
	}
}

// Nobody can bring into somebody's calendar what is another person's there.
func TestForeignMeeting(t *testing.T) {
	h := open(t)
	h.do("bob", "PUT", "/calendars/bob/home/own.ics", anEvent("own", "Mine")).want(201)
	h.do("alice", "PUT", "/calendars/alice/home/own.ics", aMeeting("own", "Not yours", askBob)).want(201)
	h.do("alice", "GET", "/calendars/alice/home/own.ics", "").want(200, "SCHEDULE-STATUS=3.8")
	h.do("bob", "GET", "/calendars/bob/home/own.ics", "").want(200, "SUMMARY:Mine")
}

func TestAskBusy(t *testing.T) {
	h := open(t)
	h.do("bob", "PUT", "/calendars/bob/home/a.ics", anEvent("a", "Secret")).want(201)
	ask := func(people ...string) *answer {
		body := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:q\r\nDTSTAMP:20261101T000000Z\r\n" +
			"DTSTART:20261124T000000Z\r\nDTEND:20261125T000000Z\r\nORGANIZER:mailto:alice@example.org\r\n"
		for _, p := range people {
			body += "ATTENDEE:" + p + "\r\n"
		}
		return h.do("alice", "POST", "/calendars/alice/outbox/", body+"END:VFREEBUSY\r\nEND:VCALENDAR\r\n", "Content-Type: text/calendar")
	}
	ask("mailto:bob@example.org", "mailto:noel@example.net").
		want(200, "20261124T100000Z/20261124T110000Z", "2.0;Success", "3.7;", "METHOD:REPLY").without("Secret")
	ask("/principals/bob/").want(200, "20261124T100000Z")
	ask().want(403, "valid-scheduling-message")
	h.do("alice", "POST", "/calendars/alice/outbox/", "no calendar", "Content-Type: text/calendar").want(403, "valid-calendar-data")
	h.do("bob", "POST", "/calendars/alice/outbox/", "").want(404)
}

func TestSchedulingProperties(t *testing.T) {
	h := open(t)
	h.propfind("alice", "/principals/alice/", "0", "<C:schedule-inbox-URL/><C:schedule-outbox-URL/><C:calendar-user-address-set/>").
		want(207, "/calendars/alice/inbox/", "/calendars/alice/outbox/", "mailto:alice@example.org").without("404")
	h.propfind("alice", "/calendars/alice/inbox/", "0", "<C:schedule-default-calendar-URL/>").want(207, "/calendars/alice/home/")
	h.do("alice", "MKCALENDAR", "/calendars/alice/work/", "").want(201)
	h.do("alice", "PROPPATCH", "/calendars/alice/inbox/", `<propertyupdate xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>`+
		`<C:schedule-default-calendar-URL><href>/calendars/alice/work/</href></C:schedule-default-calendar-URL></prop></set></propertyupdate>`).want(207, "200")
	h.propfind("alice", "/calendars/alice/inbox/", "0", "<C:schedule-default-calendar-URL/>").want(207, "/calendars/alice/work/")
	if dav := h.do("alice", "OPTIONS", "/calendars/alice/", "").header.Get("DAV"); !strings.Contains(dav, "calendar-auto-schedule") {
		t.Errorf("DAV: got %q, want calendar-auto-schedule in it", dav)
	}
}

// Two people invite each other at once, again and again, and answer: everybody's copy ends
// up as what its organizer last said.
func TestMeetingsAtOnce(t *testing.T) {
	h := open(t)
	toAlice := strings.NewReplacer("alice", "bob", "bob", "alice")
	var work sync.WaitGroup
	const rounds = 8
	for i := range rounds {
		uid := "m" + string(rune('a'+i))
		work.Go(func() {
			h.do("alice", "PUT", "/calendars/alice/home/"+uid+".ics", aMeeting(uid, "A", askBob)).want(201)
		})
		work.Go(func() {
			h.do("bob", "PUT", "/calendars/bob/home/"+uid+"x.ics", toAlice.Replace(aMeeting(uid+"x", "B", askBob))).want(201)
		})
	}
	work.Wait()
	for _, user := range []string{"alice", "bob"} {
		if got := len(h.members(user, "/calendars/"+user+"/home/")); got != 2*rounds {
			t.Errorf("%s has %d meetings, want %d", user, got, 2*rounds)
		}
	}
	// Both branches moved together: neither has what the other lacks in any commit.
	var commits [2]int
	for i, user := range []string{"alice", "bob"} {
		for _, err := range h.repo.Branch("dav/"+user).Log(context.Background(), "calendars") {
			check(t, err)
			commits[i]++
		}
	}
	if commits[0] != commits[1] || commits[0] != 2*rounds {
		t.Errorf("commits: got %v, want %d each", commits, 2*rounds)
	}
}
