package sched

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

const (
	alice = "mailto:alice@example.org"
	bob   = "mailto:bob@example.org"
	carol = "mailto:carol@example.org"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// event makes a VCALENDAR of components, each given by its lines.
func event(t *testing.T, comps ...string) *ical.Calendar {
	t.Helper()
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n"
	for _, c := range comps {
		text += "BEGIN:VEVENT\nUID:lunch\nDTSTAMP:20260101T000000Z\n" + strings.TrimSpace(c) + "\nEND:VEVENT\n"
	}
	cal, err := ical.Parse([]byte(text + "END:VCALENDAR\n"))
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

const people = "ORGANIZER:mailto:Alice@example.org\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.org\n"

const (
	single = "DTSTART:20261201T120000Z\nDTEND:20261201T130000Z\nSUMMARY:Lunch\n" + people
	daily  = "DTSTART:20261201T120000Z\nDTEND:20261201T130000Z\nRRULE:FREQ=DAILY;COUNT=5\nSUMMARY:Lunch\n" + people
	third  = "RECURRENCE-ID:20261203T120000Z\nDTSTART:20261203T120000Z\nDTEND:20261203T130000Z\nSUMMARY:Lunch\n" + people
)

func invite(who, status string) string { return "ATTENDEE;PARTSTAT=" + status + ":" + who + "\n" }

func organize(t *testing.T, old, new *ical.Calendar) *Plan {
	t.Helper()
	p, err := Organize(old, new, only(alice), now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sent lists the messages of a plan.
func sent(p *Plan) string {
	var list []string
	for _, m := range p.Messages {
		text := m.Method + " " + strings.TrimSuffix(strings.TrimPrefix(m.To, "mailto:"), "@example.org")
		if m.Quiet {
			text += " quietly"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func TestRoleOf(t *testing.T) {
	for _, c := range []struct {
		text string
		who  string
		want Role
	}{
		{"DTSTART:20261201T120000Z", alice, None},
		{"DTSTART:20261201T120000Z\nORGANIZER:" + alice, alice, None},
		{single + invite(bob, needsAction), alice, Organizer},
		{single + invite(bob, needsAction), "mailto:ALICE@EXAMPLE.ORG", Organizer},
		{single + invite(bob, needsAction), bob, Attendee},
		{single + invite(bob, needsAction), carol, None},
		{"DTSTART:20261201T120000Z\nORGANIZER;SCHEDULE-AGENT=CLIENT:" + alice + "\n" + invite(bob, needsAction), bob, None},
	} {
		if got := RoleOf(event(t, c.text), only(c.who)); got != c.want {
			t.Errorf("%s in %q: got %v, want %v", c.who, c.text, got, c.want)
		}
	}
}

func TestOrganize(t *testing.T) {
	with := func(text string, who ...string) string { return text + strings.Join(who, "") }
	b, c := invite(bob, needsAction), invite(carol, needsAction)
	moved := strings.ReplaceAll(single, "T12", "T11")
	for _, test := range []struct {
		what     string
		old, new []string
		want     string
	}{
		{"new", nil, []string{with(single, b, c)}, "REQUEST bob, REQUEST carol"},
		{"nothing changed", []string{with(single, b)}, []string{with(single, b)}, ""},
		{"moved", []string{with(single, b)}, []string{with(moved, b)}, "REQUEST bob"},
		{"one more", []string{with(single, b)}, []string{with(single, b, c)}, "REQUEST bob, REQUEST carol"},
		{"one less", []string{with(single, b, c)}, []string{with(single, b)}, "REQUEST bob, CANCEL carol"},
		{"removed", []string{with(single, b, c)}, nil, "CANCEL bob, CANCEL carol"},
		{"somebody answered", []string{with(single, b, c)}, []string{with(single, invite(bob, "ACCEPTED"), c)}, "REQUEST bob quietly, REQUEST carol quietly"},
		{"one instance only", []string{daily + b}, []string{daily + b, third + b + c}, "REQUEST bob, REQUEST carol"},
		{"not in one instance", []string{daily + b}, []string{daily + b, third}, "REQUEST bob"},
		{"no more in one instance", []string{daily + b, third + c}, []string{daily + b, third}, "CANCEL carol"},
		{"another agent", nil, []string{single + b + "ATTENDEE;SCHEDULE-AGENT=CLIENT:" + carol}, "REQUEST bob"},
		{"forced", []string{with(single, b)}, []string{single + "ATTENDEE;PARTSTAT=NEEDS-ACTION;SCHEDULE-FORCE-SEND=REQUEST:" + bob}, "REQUEST bob"},
	} {
		var old, new *ical.Calendar
		if test.old != nil {
			old = event(t, test.old...)
		}
		if test.new != nil {
			new = event(t, test.new...)
		}
		if got := sent(organize(t, old, new)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.what, got, test.want)
		}
	}
}

// Whoever had answered is asked again when the time changes, and SEQUENCE grows.
func TestAskAnew(t *testing.T) {
	old := event(t, single+invite(bob, "ACCEPTED"))
	new := event(t, strings.ReplaceAll(single, "T12", "T11")+invite(bob, "ACCEPTED"))
	p := organize(t, old, new)
	c := meetings(p.Root)[0]
	if got := status(attendee(c, only(bob))); got != needsAction {
		t.Errorf("bob: got %s, want %s", got, needsAction)
	}
	if got := status(attendee(c, only(alice))); got != "ACCEPTED" {
		t.Errorf("alice: got %s, want ACCEPTED", got)
	}
	if got := sequence(c); got != 1 {
		t.Errorf("SEQUENCE: got %d, want 1", got)
	}
	if !p.Changed {
		t.Error("the plan does not say that it differs from what was sent")
	}
	if got := new.Root.Children[0].Value("SEQUENCE"); got != "" {
		t.Errorf("what was passed in was changed: SEQUENCE:%s", got)
	}
}

func TestMessage(t *testing.T) {
	p := organize(t, nil, event(t, single+"ATTENDEE;SCHEDULE-STATUS=1.2;CN=Bob:"+bob))
	m := p.Messages[0]
	if got := m.Root.Value("METHOD"); got != Request {
		t.Errorf("METHOD: got %q, want %q", got, Request)
	}
	if text := string(m.Root.Encode()); strings.Contains(text, "SCHEDULE-STATUS") {
		t.Errorf("what is between client and server is in the message:\n%s", text)
	}
	if got := m.Root.Children[0].Value("DTSTAMP"); got != "20261121T120000Z" {
		t.Errorf("DTSTAMP: got %s", got)
	}
	if got := m.Text(); got != "Lunch" {
		t.Errorf("text: got %q", got)
	}
	SetStatus(p.Root, m.To, Delivered)
	if got, _ := attendee(meetings(p.Root)[0], only(bob)).Param("SCHEDULE-STATUS"); got != Delivered {
		t.Errorf("SCHEDULE-STATUS: got %q, want %q", got, Delivered)
	}
}

func TestSameOrganizer(t *testing.T) {
	_, err := Organize(nil, event(t, daily, strings.ReplaceAll(third, "mailto:Alice", "mailto:bob")), only(alice), now)
	var r *Refusal
	if !errors.As(err, &r) || r.Precondition != "same-organizer-in-all-components" {
		t.Errorf("got %v, want same-organizer-in-all-components", err)
	}
}

// Nobody sees instances that they are not invited to.
func TestView(t *testing.T) {
	p := organize(t, nil, event(t, daily+invite(bob, needsAction), third+invite(carol, needsAction)+"LOCATION:secret"))
	for i, want := range []string{"1 20261203T120000Z", "1 "} {
		comps := meetings(p.Messages[i].Root)
		if got := string(rune('0'+len(comps))) + " " + comps[0].Value("EXDATE"); got != want {
			t.Errorf("%s: got %q, want %q", p.Messages[i].To, got, want)
		}
	}
	if text := string(p.Messages[0].Root.Encode()); strings.Contains(text, "secret") {
		t.Errorf("bob sees what only carol is invited to:\n%s", text)
	}
}

// deliver has a message arrive.
func deliver(t *testing.T, m Message, old *ical.Calendar) *ical.Calendar {
	t.Helper()
	root, err := m.Deliver(old, only(m.To))
	if err != nil {
		t.Fatal(err)
	}
	if root == nil {
		return nil
	}
	c, err := ical.Parse(root.Encode())
	if err == nil {
		err = c.CheckObject()
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, root.Encode())
	}
	return c
}

// A meeting's whole life between two people.
func TestLife(t *testing.T) {
	hers := event(t, daily+invite(bob, needsAction))
	p := organize(t, nil, hers)
	his := deliver(t, p.Messages[0], nil)
	if RoleOf(his, only(bob)) != Attendee {
		t.Fatalf("bob is not invited:\n%s", his.Encode())
	}

	// Bob accepts, sets an alarm, and is not there on the third day.
	accepted := event(t, daily+invite(bob, "ACCEPTED")+"EXDATE:20261203T120000Z\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM")
	a, err := Attend(his, accepted, only(bob), true, now)
	if err != nil {
		t.Fatal(err)
	}
	if got := sent(a); got != "REPLY Alice" {
		t.Fatalf("got %q, want a reply to Alice", got)
	}
	answered := deliver(t, a.Messages[0], hers)
	s := setOf(answered)
	if got := status(attendee(s.master, only(bob))); got != "ACCEPTED" {
		t.Errorf("bob's answer: got %s, want ACCEPTED", got)
	}
	if o := s.overrides["20261203T120000Z"]; o == nil || status(attendee(o, only(bob))) != declined {
		t.Errorf("bob's answer for the third day is not there:\n%s", answered.Encode())
	} else if got := o.Value("DTEND"); got != "20261203T130000Z" {
		t.Errorf("the third day ends: got %s, want 20261203T130000Z", got)
	}

	// Alice moves it: bob's copy moves, his alarm stays, and he is asked again.
	moved := ical.New(answered.Root.Clone())
	m := setOf(moved).master
	m.Set(line.Line{Name: "DTEND", Value: "20261201T140000Z"})
	p = organize(t, answered, moved)
	i := slices.IndexFunc(p.Messages, func(m Message) bool { return m.To == bob })
	if i < 0 {
		t.Fatalf("bob is not told: %q", sent(p))
	}
	his = deliver(t, p.Messages[i], accepted)
	m = setOf(his).master
	if got := m.Value("DTEND") + " " + status(attendee(m, only(bob))); got != "20261201T140000Z NEEDS-ACTION" {
		t.Errorf("bob's copy: got %s", got)
	}
	if len(m.Children) != 1 {
		t.Errorf("bob's alarm is gone:\n%s", his.Encode())
	}

	// Alice calls it off.
	p = organize(t, ical.New(p.Root), nil)
	his = deliver(t, p.Messages[0], his)
	if got := setOf(his).master.Value("STATUS"); got != "CANCELLED" {
		t.Errorf("STATUS: got %q, want CANCELLED", got)
	}
	// What comes late does nothing.
	late := organize(t, nil, hers).Messages[0]
	if root, err := late.Deliver(his, only(bob)); root != nil || err != nil {
		t.Errorf("an old request: got %v, %v, want nothing", root, err)
	}
}

func TestAttendRemoves(t *testing.T) {
	for _, c := range []struct {
		status string
		answer bool
		want   int
	}{{"ACCEPTED", true, 1}, {"ACCEPTED", false, 0}, {declined, true, 0}} {
		p, err := Attend(event(t, single+invite(bob, c.status)), nil, only(bob), c.answer, now)
		if err != nil || len(p.Messages) != c.want {
			t.Errorf("%v: got %d messages, %v", c, len(p.Messages), err)
		}
		if len(p.Messages) > 0 {
			if a := p.Messages[0].Root.Children[0].First("ATTENDEE"); status(a) != declined {
				t.Errorf("got %s, want %s", a, declined)
			}
		}
	}
}

func TestAllowed(t *testing.T) {
	b := invite(bob, "ACCEPTED")
	for what, c := range map[string]struct {
		old, new []string
		ok       bool
	}{
		"an answer":             {[]string{single + b}, []string{single + invite(bob, declined)}, true},
		"an alarm":              {[]string{single + b}, []string{single + b + "TRANSP:TRANSPARENT\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM"}, true},
		"another way to say it": {[]string{single + b}, []string{strings.ReplaceAll(single, "DTSTART:20261201T120000Z", "DTSTART;TZID=Europe/Vienna:20261201T130000") + b}, true},
		"one instance":          {[]string{daily + b}, []string{daily + b, third + invite(bob, declined)}, true},
		"another time":          {[]string{single + b}, []string{strings.ReplaceAll(single, "T12", "T11") + b}, false},
		"another title":         {[]string{single + b}, []string{strings.ReplaceAll(single, "Lunch", "Dinner") + b}, false},
		"a guest":               {[]string{single + b}, []string{single + b + invite(carol, needsAction)}, false},
		"an instance elsewhere": {[]string{daily + b}, []string{daily + b, strings.ReplaceAll(third, "DTSTART:20261203T12", "DTSTART:20261203T11") + b}, false},
	} {
		_, err := Attend(event(t, c.old...), event(t, c.new...), only(bob), true, now)
		var r *Refusal
		if ok := err == nil; ok != c.ok || !ok && !errors.As(err, &r) {
			t.Errorf("%s: got %v, want allowed = %v", what, err, c.ok)
		}
	}
}

// A reply of somebody who was not invited changes nothing.
func TestGatecrasher(t *testing.T) {
	a, err := Attend(nil, event(t, single+invite(carol, "ACCEPTED")), only(carol), true, now)
	if err != nil {
		t.Fatal(err)
	}
	if root, err := a.Messages[0].Deliver(event(t, single+invite(bob, needsAction)), only(alice)); root != nil || err != nil {
		t.Errorf("got %v, %v, want nothing", root, err)
	}
}

// Nobody takes over a meeting of others, or somebody's own affair, by using its UID.
func TestForeignUID(t *testing.T) {
	m := organize(t, nil, event(t, single+invite(bob, needsAction))).Messages[0]
	for _, his := range []string{"DTSTART:20261201T120000Z", strings.ReplaceAll(single, "ORGANIZER:mailto:Alice", "ORGANIZER:mailto:carol") + invite(bob, needsAction)} {
		var r *Refusal
		if root, err := m.Deliver(event(t, his), only(bob)); root != nil || !errors.As(err, &r) {
			t.Errorf("%q: got %v, %v, want a refusal", his, root, err)
		}
	}
}

func TestTag(t *testing.T) {
	asked, answered := event(t, single+invite(bob, needsAction)), event(t, single+invite(bob, "ACCEPTED"))
	if Tag(asked, only(alice)) != Tag(answered, only(alice)) {
		t.Error("an answer changes the organizer's tag")
	}
	if Tag(asked, only(bob)) == Tag(answered, only(bob)) {
		t.Error("somebody's own answer leaves their tag as it is")
	}
	if Tag(asked, only(alice)) == Tag(event(t, strings.ReplaceAll(single, "Lunch", "Dinner")+invite(bob, needsAction)), only(alice)) {
		t.Error("another title leaves the tag as it is")
	}
}

func TestReadBusy(t *testing.T) {
	read := func(text string) (*BusyRequest, error) {
		c, err := ical.Parse([]byte("BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VFREEBUSY\nUID:x\n" + text + "END:VFREEBUSY\nEND:VCALENDAR\n"))
		if err != nil {
			t.Fatal(err)
		}
		return ReadBusy(c, only(alice))
	}
	b, err := read("DTSTART:20261201T000000Z\nDTEND:20261202T000000Z\nORGANIZER:" + alice + "\nATTENDEE:" + bob + "\nATTENDEE:" + strings.ToUpper(bob) + "\nATTENDEE:" + carol + "\n")
	if err != nil || !slices.Equal(b.To, []string{bob, carol}) || b.Range.End.Sub(b.Range.Start) != 24*time.Hour {
		t.Errorf("got %v, %v", b, err)
	}
	for _, text := range []string{
		"",
		"DTSTART:20261201T000000Z\nDTEND:20261202T000000Z\nORGANIZER:" + bob + "\nATTENDEE:" + bob + "\n",
		"DTSTART:20261201T000000Z\nDTEND:20261202T000000Z\nORGANIZER:" + alice + "\n",
		"DTSTART:20261202T000000Z\nDTEND:20261201T000000Z\nORGANIZER:" + alice + "\nATTENDEE:" + bob + "\n",
		"DTSTART:20261202T000000Z\nDTEND:20361201T000000Z\nORGANIZER:" + alice + "\nATTENDEE:" + bob + "\n",
	} {
		if b, err := read(text); err == nil {
			t.Errorf("%q: got %v, want a refusal", text, b)
		}
	}
}
