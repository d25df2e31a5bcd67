package test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// meeting is an event of alice of a.test to which alice of b.test is invited.
func meeting(answer string) string {
	return strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Test//EN
BEGIN:VEVENT
UID:meeting
DTSTAMP:20261121T120000Z
DTSTART:20261202T120000Z
DURATION:PT1H
SUMMARY:Meeting
ORGANIZER:mailto:alice@a.test
ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@a.test
ATTENDEE;RSVP=TRUE;PARTSTAT=`+answer+`:mailto:alice@b.test
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
}

// dav is a request of alice's for something of her calendars; sent is a file with its body, "" for none.
func (m *member) dav(path, sent string) (string, error) {
	args := append([]string{"curl", "-sS", "-f", "-u", "alice:" + secret}, m.reach(m.at, "dav."+m.domain)...)
	if sent != "" {
		args = append(args, "-H", "Content-Type: text/calendar", "-T", sent)
	}
	out, err := m.w.command(append(args, m.Dav+path)...).CombinedOutput()
	return string(out), err
}

// TestMailInvitation invites somebody at another cairn, and has their answer, by mail.
func TestMailInvitation(t *testing.T) {
	w := newMailWorld(t)
	a, b := w.cairn("a.test", 10), w.cairn("b.test", 11)
	file := filepath.Join(w.dir, "meeting.ics")
	write(t, file, []byte(meeting("NEEDS-ACTION")))
	if out, err := a.dav("/calendars/alice/home/meeting.ics", file); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b.gets("alice/INBOX", "Subject: Invitation: Meeting", "Content-Type: text/calendar;", "method=REQUEST", "dmarc=pass")

	// It is in the calendar of who was invited, under a name that they find in their mail's clone or calendar.
	var name string
	err := wait("the meeting in the calendar", func() error {
		names := git(t, filepath.Join(b.home, "repo.git"), "ls-tree", "-r", "--name-only", "dav/alice", "calendars/home/")
		for path := range strings.Lines(names) {
			if strings.HasSuffix(path, ".ics\n") {
				name = strings.TrimSpace(path)
				return nil
			}
		}
		return fmt.Errorf("there is %q", names)
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, b.said())
	}
	path := "/calendars/alice/home/" + filepath.Base(name)
	if out, err := b.dav(path, ""); err != nil || !strings.Contains(out, "SUMMARY:Meeting") {
		t.Fatalf("%v\n%s", err, out)
	}
	write(t, file, []byte(meeting("ACCEPTED")))
	if out, err := b.dav(path, file); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a.gets("alice/INBOX", "Subject: Re: Meeting", "method=REPLY", "dmarc=pass")
	err = wait("the answer in the calendar", func() error {
		out, err := a.dav("/calendars/alice/home/meeting.ics", "")
		if err == nil && !strings.Contains(strings.ReplaceAll(out, "\r\n ", ""), "PARTSTAT=ACCEPTED:mailto:alice@b.test") &&
			!strings.Contains(strings.ReplaceAll(out, "\r\n ", ""), "PARTSTAT=ACCEPTED;") {
			err = fmt.Errorf("it is\n%s", out)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}

	// What cannot be proved to be of alice of a.test changes nothing.
	forged := strings.Replace(meeting("NEEDS-ACTION"), "SUMMARY:Meeting", "SUMMARY:Forged", 1)
	forged = strings.Replace(forged, "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1)
	write(t, filepath.Join(w.dir, "forged"), []byte(strings.Replace(letter("alice@a.test", "alice@b.test", "forged", forged), "Subject:", "MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST\r\nSubject:", 1)))
	w.swaks("--server", b.at+":25", "--from", "alice@a.test", "--to", "alice@b.test", "--data", "@"+filepath.Join(w.dir, "forged"))
	b.gets("alice/Junk", "Subject: forged")
	if out, err := b.dav(path, ""); err != nil || !strings.Contains(out, "SUMMARY:Meeting") {
		t.Errorf("after what was forged: %v\n%s", err, out)
	}
}
