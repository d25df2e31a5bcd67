package caldav

import (
	"context"
	"errors"
	"strings"
	"testing"

	"cairn/services/accounts"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/sched"
)

// invitation is a message of noel, who has no account here.
func invitation(method, partstat string, more ...string) string {
	lines := "ORGANIZER:mailto:noel@example.net\r\nATTENDEE;PARTSTAT=" + partstat + ";RSVP=TRUE:mailto:bob@example.org\r\n"
	event := strings.Replace(anEvent("lunch", "Lunch"), "END:VEVENT", lines+strings.Join(more, "\r\n")+"\r\nEND:VEVENT", 1)
	return strings.Replace(event, "VERSION:2.0", "VERSION:2.0\r\nMETHOD:"+method, 1)
}

func (h *house) mail(to, from, data string) error {
	h.t.Helper()
	u, err := h.service.Accounts.Find(h.t.Context(), to)
	check(h.t, err)
	return h.service.Receive(h.t.Context(), u, from, []byte(crlf(strings.ReplaceAll(data, "\r\n", "\n"))))
}

// sentTo notes what goes out by mail.
func sentTo(list *[]string) Inviter {
	return func(_ context.Context, from *accounts.User, m sched.Message) error {
		*list = append(*list, from.Name+" "+m.Method+" "+m.To+" "+m.Text())
		return nil
	}
}

// An invitation by mail, from its arrival to its end.
func TestReceive(t *testing.T) {
	h := open(t)
	alarm := "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Buy\r\nTRIGGER:-PT5M\r\nEND:VALARM"
	check(t, h.mail("bob", "noel@example.net", invitation("REQUEST", "ACCEPTED", alarm)))
	const inbox = "/calendars/bob/inbox/"
	his := h.one("bob", "/calendars/bob/home/")
	got := h.do("bob", "GET", his, "").want(200, "SUMMARY:Lunch", "PARTSTAT=NEEDS-ACTION").without("METHOD", "VALARM")
	h.do("bob", "GET", h.one("bob", inbox), "").want(200, "METHOD:REQUEST")

	// He accepts, and noel is told; the same invitation again does not take that back.
	var sent []string
	h.service.Invite = sentTo(&sent)
	h.do("bob", "PUT", his, strings.Replace(unfold(got.body), "PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED", 1)).want(204)
	if strings.Join(sent, "; ") != "bob REPLY mailto:noel@example.net Lunch" {
		t.Errorf("sent %q", sent)
	}
	check(t, h.mail("bob", "noel@example.net", invitation("REQUEST", "NEEDS-ACTION")))
	h.do("bob", "GET", his, "").want(200, "PARTSTAT=ACCEPTED")

	// Asked anew, he has not answered.
	check(t, h.mail("bob", "noel@example.net", invitation("REQUEST", "ACCEPTED", "SEQUENCE:1", "LOCATION:Elsewhere")))
	h.do("bob", "GET", his, "").want(200, "PARTSTAT=NEEDS-ACTION", "LOCATION:Elsewhere")
	check(t, h.mail("bob", "noel@example.net", invitation("CANCEL", "NEEDS-ACTION", "SEQUENCE:2")))
	h.do("bob", "GET", his, "").want(200, "STATUS:CANCELLED")
}

// An answer by mail reaches the organizer's calendar, and those of others who are invited here.
func TestReceiveReply(t *testing.T) {
	h := open(t)
	h.service.Invite = sentTo(new([]string))
	const hers = "/calendars/alice/home/lunch.ics"
	h.do("alice", "PUT", hers, aMeeting("lunch", "Lunch", askNoel, askBob)).want(201)
	reply := strings.Replace(aMeeting("lunch", "Lunch"), "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.org", "ATTENDEE;PARTSTAT=DECLINED:mailto:noel@example.net", 1)
	reply = strings.Replace(reply, "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REPLY", 1)
	var no *sched.Refusal
	if err := h.mail("alice", "mallory@example.net", reply); !errors.As(err, &no) {
		t.Errorf("an answer for somebody else: got %v", err)
	}
	check(t, h.mail("alice", "noel@example.net", reply))
	for _, at := range []string{hers, h.one("bob", "/calendars/bob/home/")} {
		who := strings.Split(at, "/")[2]
		body := unfold(h.do(who, "GET", at, "").want(200).body)
		if !strings.Contains(body, "PARTSTAT=DECLINED") {
			t.Errorf("%s: noel's answer is not there:\n%s", at, body)
		}
	}
}

// What is not the sender's to say changes nothing.
func TestReceiveRefused(t *testing.T) {
	h := open(t)
	h.do("bob", "PUT", "/calendars/bob/home/own.ics", anEvent("lunch", "Mine")).want(201)
	for name, c := range map[string]struct{ to, from, data string }{
		"somebody else's meeting":  {"bob", "mallory@example.net", invitation("REQUEST", "NEEDS-ACTION")},
		"somebody else is called":  {"alice", "noel@example.net", invitation("REQUEST", "NEEDS-ACTION")},
		"over one of his own":      {"bob", "noel@example.net", invitation("REQUEST", "NEEDS-ACTION")},
		"another method":           {"bob", "noel@example.net", invitation("PUBLISH", "NEEDS-ACTION")},
		"no meeting":               {"bob", "noel@example.net", strings.Replace(anEvent("x", "X"), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1)},
		"an answer to nobody here": {"bob", "noel@example.net", invitation("REPLY", "ACCEPTED")},
	} {
		var no *sched.Refusal
		if err := h.mail(c.to, c.from, c.data); !errors.As(err, &no) {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
	var bad *ical.Error
	if err := h.mail("bob", "noel@example.net", "no calendar"); !errors.As(err, &bad) {
		t.Errorf("no calendar: got %v", err)
	}
	h.do("bob", "GET", "/calendars/bob/home/own.ics", "").want(200, "SUMMARY:Mine")
	if list := h.members("alice", "/calendars/alice/home/"); len(list) > 0 {
		t.Errorf("alice has %q", list)
	}
}
