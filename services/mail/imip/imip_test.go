package imip

import (
	"bytes"
	"crypto/rand"
	"net/mail"
	"os/exec"
	"strings"
	"testing"
	"time"

	"cairn/services/mail/message"
)

const calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:lunch\r\nSUMMARY:Mittagessen – für alle\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

func compose(t *testing.T) []byte {
	t.Helper()
	v := &Invitation{
		From:   message.Address{Name: "Alice Liddell", Local: "alice", Domain: "example.org"},
		To:     message.Address{Local: "noel", Domain: "example.net"},
		Method: "REQUEST", Subject: "Mittagessen – für alle", Text: "Alice invites you.\n", Calendar: []byte(calendar),
		ID: "1@example.org", Date: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
	}
	raw, err := v.Compose(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestCompose: what is made is found again, once, and is a mail.
func TestCompose(t *testing.T) {
	raw := compose(t)
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Header.Get("To"); got != "<noel@example.net>" && got != "noel@example.net" {
		t.Errorf("to: got %q", got)
	}
	list := Find(raw)
	if len(list) != 1 || list[0].Method != "REQUEST" || string(list[0].Data) != strings.ReplaceAll(calendar, "\r\n", "\n") {
		t.Errorf("found %q", list)
	}
	if long := bytes.IndexByte(raw, '\n'); long < 0 || bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) {
		t.Error("a line does not end in CRLF")
	}
}

// TestComposePython: a mail program's library sees the same.
func TestComposePython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", `
import email, email.policy, sys
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
assert not m.defects, m.defects
print(m["subject"])
for p in m.walk():
    assert not p.defects, p.defects
    print(p.get_content_type(), p.get_param("method"), p.get_filename(), p.get_content_charset())
    if p.get_content_type() == "text/calendar":
        sys.stdout.write(p.get_payload(decode=True).decode())
`)
	cmd.Stdin = bytes.NewReader(compose(t))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"Mittagessen – für alle", "text/calendar REQUEST None utf-8", "SUMMARY:Mittagessen", "application/ics None invite.ics"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

// TestFind: what is no scheduling message is none.
func TestFind(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		want int
	}{
		"none":           {"Subject: x\r\n\r\nhello", 0},
		"without method": {"Content-Type: text/calendar\r\n\r\n" + calendar, 0},
		"the whole mail": {"Content-Type: text/calendar; method=reply\r\n\r\n" + calendar, 1},
		"too large":      {"Content-Type: text/calendar; method=REQUEST\r\n\r\n" + strings.Repeat("X", MaxCalendar+1), 0},
		"too many":       {"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + many(30), MaxCalendars},
	} {
		if got := Find([]byte(c.raw)); len(got) != c.want {
			t.Errorf("%s: got %d, want %d", name, len(got), c.want)
		}
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n" + strings.Repeat("X", i+1) + "\r\n")
	}
	return b.String() + "--b--\r\n"
}
