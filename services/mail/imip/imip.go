// Package imip carries scheduling messages of calendars in mail (iMIP, RFC 6047): it makes the mail
// around one, and finds those that are in a mail. What they say is the calendar's affair.
package imip

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"

	"cairn/services/mail/message"
)

// MaxCalendar is the largest calendar that is looked for in a mail, in bytes; MaxCalendars how many.
const (
	MaxCalendar  = 1 << 20
	MaxCalendars = 10
)

// An Invitation is a scheduling message on its way out.
type Invitation struct {
	From, To message.Address
	Method   string // REQUEST, CANCEL, REPLY
	Subject  string
	Text     string // for people whose program does not know calendars
	Calendar []byte // the VCALENDAR with that METHOD
	ID       string // of the mail, without angle brackets
	Date     time.Time
}

// Compose makes the mail: the text and the calendar as alternatives, and the calendar once more as an
// attachment, which is where some programs look. boundary gives the randomness of its boundaries.
func (v *Invitation) Compose(boundary io.Reader) ([]byte, error) {
	var random [18]byte
	if _, err := io.ReadFull(boundary, random[:]); err != nil {
		return nil, fmt.Errorf("compose invitation: %w", err)
	}
	mark := base64.RawURLEncoding.EncodeToString(random[:])
	outer, inner := "m"+mark, "a"+mark
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("From: %s", v.From)
	line("To: %s", v.To)
	line("Subject: %s", message.EncodeWords(v.Subject))
	line("Date: %s", message.FormatDate(v.Date))
	line("Message-ID: <%s>", v.ID)
	line("MIME-Version: 1.0")
	line("Content-Type: multipart/mixed; boundary=%q\r\n", outer)
	line("--%s\r\nContent-Type: multipart/alternative; boundary=%q\r\n", outer, inner)
	line("--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n", inner)
	encode(&b, []byte(v.Text))
	line("--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: base64\r\n", inner,
		mime.FormatMediaType("text/calendar", map[string]string{"charset": "utf-8", "method": v.Method}))
	encode(&b, v.Calendar)
	line("--%s--\r\n", inner)
	line("--%s\r\nContent-Type: application/ics; name=\"invite.ics\"\r\nContent-Disposition: attachment; filename=\"invite.ics\"\r\nContent-Transfer-Encoding: base64\r\n", outer)
	encode(&b, v.Calendar)
	line("--%s--", outer)
	return b.Bytes(), nil
}

// encode writes base64 in lines of 76 characters.
func encode(b *bytes.Buffer, data []byte) {
	text := base64.StdEncoding.EncodeToString(data)
	for len(text) > 0 {
		n := min(len(text), 76)
		b.WriteString(text[:n] + "\r\n")
		text = text[n:]
	}
}

// A Calendar is a scheduling message that was found in a mail.
type Calendar struct {
	Method string // in capitals, as the mail says; what counts is the one in Data
	Data   []byte // UTF-8, lines end in LF
}

// Find returns the scheduling messages in a mail: parts of the type text/calendar that name a
// method. The same one a second time is left out, as are those beyond the bounds.
func Find(raw []byte) []Calendar {
	var list []Calendar
	for p := range message.Parts(raw) {
		if p.Type != "text/calendar" || p.Params["method"] == "" {
			continue
		}
		text := p.Text(MaxCalendar + 1)
		if len(text) > MaxCalendar {
			continue
		}
		c := Calendar{Method: strings.ToUpper(p.Params["method"]), Data: []byte(text)}
		known := false
		for _, other := range list {
			known = known || bytes.Equal(other.Data, c.Data)
		}
		if !known {
			list = append(list, c)
		}
		if len(list) == MaxCalendars {
			break
		}
	}
	return list
}
