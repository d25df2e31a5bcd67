// Package dsn writes the reports by which a sender learns what became of a message: in words, and in
// the form that programs read (RFC 3461 §6, RFC 3464, RFC 6522).
package dsn

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"cairn/services/mail/message"
	"cairn/services/mail/queue/client"
)

// An Action is what was done for a recipient (RFC 3464 §2.3.3).
type Action string

// The actions.
const (
	Failed    Action = "failed"
	Delayed   Action = "delayed"
	Delivered Action = "delivered"
	Relayed   Action = "relayed"
)

// A Recipient is one whom a report is about.
type Recipient struct {
	Original string // ORCPT, such as "rfc822;alice@example.org"; ""
	Final    string // the address that was used
	Action   Action
	Status   string    // RFC 3463, such as "5.1.1"
	Words    string    // why, one line
	Remote   string    // the host that has said so; ""
	Reply    string    // what it has said, such as "550 5.1.1 unknown"; ""
	Until    time.Time // until when we try, where it is delayed
}

// A Report is for one sender about one message.
type Report struct {
	Host    string // who reports
	Sender  string // who gets the report
	EnvID   string // what he called the sending; ""
	Arrived time.Time
	About   []Recipient // at least one
	Message []byte      // of which the header goes back, or with Full all, if that is not much
	Full    bool
}

// maxReturned bounds how much of a message goes back, in bytes.
const maxReturned = 1 << 20

// Encode returns the report as a message. The caller brings 16 or more random bytes.
func (r Report) Encode(now time.Time, random []byte) []byte {
	var f []byte
	f = message.AppendAddresses(f, "From", []message.Address{{Name: "Mail delivery", Local: "MAILER-DAEMON", Domain: r.Host}})
	f = append(f, "To: <"+client.Printable(r.Sender, 640)+">\r\n"...)
	f = message.AppendField(f, "Subject", r.subject())
	f = message.AppendField(f, "Date", message.FormatDate(now))
	f = append(f, "Message-ID: <"+message.NewMessageID(now, random, r.Host)+">\r\n"...)
	f = append(f, "Auto-Submitted: auto-replied\r\n"...) // RFC 3834 §5
	head, _ := message.Split(r.Message)
	if id := message.ParseHeader(head).MessageID(); id != "" && isASCII([]byte(id)) {
		f = append(f, "In-Reply-To: <"+client.Printable(id, 900)+">\r\n"...)
	}
	return message.Entity{
		Fields: f, Subtype: "report; report-type=delivery-status",
		Parts: []message.Entity{message.TextEntity(r.words()), r.status(now), r.returned()},
	}.Encode()
}

// explanations says for each action what it means and what to do, the most important first.
var explanations = []struct {
	action        Action
	subject, text string
}{
	{Failed, "Your message could not be delivered", "Your message could not be delivered to:"},
	{Delayed, "Your message has not been delivered yet", "Your message has not been delivered yet. You need not do anything: it is tried again for five\ndays, and you hear of it if that does not help. It waits for:"},
	{Relayed, "Your message was passed on", "Your message was passed on to a server that does not report what becomes of it, for:"},
	{Delivered, "Your message was delivered", "Your message was delivered to:"},
}

func (r Report) subject() string {
	for _, e := range explanations {
		if slices.ContainsFunc(r.About, func(to Recipient) bool { return to.Action == e.action }) {
			return e.subject
		}
	}
	return "What became of your message"
}

// words is the part for people.
func (r Report) words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "This is the mail server %s.\n", r.Host)
	for _, e := range explanations {
		first := true
		for _, to := range r.About {
			if to.Action != e.action {
				continue
			}
			if first {
				fmt.Fprintf(&b, "\n%s\n", e.text)
				first = false
			}
			fmt.Fprintf(&b, "\n    %s\n", client.Printable(to.Final, 640))
			if to.Action != Delivered {
				fmt.Fprintf(&b, "    %s\n", client.Printable(to.Words, 1000))
			}
		}
	}
	head, _ := message.Split(r.Message)
	h := message.ParseHeader(head)
	fmt.Fprintf(&b, "\nThe message was handed in on %s", r.Arrived.UTC().Format("2 January 2006 at 15:04 UTC"))
	if s := client.Printable(h.Text("Subject"), 200); s != "" {
		fmt.Fprintf(&b, ". Its subject was:\n\n    %s\n", s)
	} else {
		b.WriteString(".\n")
	}
	return b.String()
}

// status is the part for programs (RFC 3464 §2), all in ASCII.
func (r Report) status(now time.Time) message.Entity {
	var b bytes.Buffer
	field := func(name, value string) {
		b.WriteString(name + ": " + clip(value) + "\r\n")
	}
	if r.EnvID != "" {
		field("Original-Envelope-Id", r.EnvID)
	}
	field("Reporting-MTA", "dns; "+r.Host)
	field("Arrival-Date", message.FormatDate(r.Arrived))
	for _, to := range r.About {
		b.WriteString("\r\n")
		if to.Original != "" {
			kind, address, _ := strings.Cut(to.Original, ";")
			field("Original-Recipient", typed(kind, address))
		}
		field("Final-Recipient", typed("rfc822", to.Final))
		field("Action", string(to.Action))
		field("Status", to.Status)
		if to.Remote != "" {
			field("Remote-MTA", "dns; "+to.Remote)
		}
		if to.Reply != "" {
			field("Diagnostic-Code", "smtp; "+to.Reply)
		}
		field("Last-Attempt-Date", message.FormatDate(now))
		if !to.Until.IsZero() {
			field("Will-Retry-Until", message.FormatDate(to.Until))
		}
	}
	return message.Entity{Fields: []byte("Content-Type: message/delivery-status\r\n"), Body: b.Bytes()}
}

// typed writes an address with its type. One that is not ASCII has another type and is spelled in
// ASCII (RFC 6533 §3).
func typed(kind, address string) string {
	if isASCII([]byte(address)) {
		return kind + "; " + address
	}
	_, encoded, _ := strings.Cut(client.EncodeOriginal(kind+";"+address), ";")
	return "utf-8; " + encoded
}

// clip makes a value one line of ASCII that no line is too long for.
func clip(s string) string {
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return '?'
		}
		return r
	}, client.Printable(s, 900))
}

// returned is what goes back of the message.
func (r Report) returned() message.Entity {
	kind, body := "message/rfc822", r.Message
	if !r.Full || len(body) > maxReturned {
		kind = "text/rfc822-headers"
		body, _ = message.Split(r.Message)
		body = body[:min(len(body), maxReturned)]
	}
	fields := "Content-Type: " + kind + "\r\n"
	f := message.Inspect(body)
	if f.BareCR || f.BareLF || f.NUL || f.MaxLine > 998 {
		// Not for the wire as it is. Base64 may not stand in message/rfc822 (RFC 2046 §5.2.1).
		return message.Entity{
			Fields: []byte("Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"),
			Body:   message.EncodeBase64(body),
		}
	}
	if f.EightBit {
		fields += "Content-Transfer-Encoding: 8bit\r\n"
	}
	return message.Entity{Fields: []byte(fields), Body: body}
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c > '~' {
			return false
		}
	}
	return true
}
