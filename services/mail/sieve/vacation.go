package sieve

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"cairn/services/mail/message"
)

const (
	day = 24 * time.Hour
	// How long somebody is not answered again.
	defaultEvery = 7 * day
	minEvery     = time.Minute
	maxEvery     = 365 * day
)

// A Vacation is an answer to whoever has written (RFC 5230).
type Vacation struct {
	Every     time.Duration // somebody who was answered is not, again, for so long
	Subject   string        // "": one is made of the message's
	From      string        // "": the address to which the message came
	Addresses []string      // more of the user's own
	MIME      bool          // Reason is a MIME entity with its header, not text
	Reason    string
	Handle    string // answers of one handle are the same: whoever has got one does not get another
}

func buildVacation(b *builder, c *call) (statement, error) {
	var p struct{ subject, from, handle, reason phrase }
	var err error
	hasHandle := false
	if p.subject, _, err = c.optional("subject"); err != nil {
		return nil, err
	}
	if p.from, _, err = c.optional("from"); err != nil {
		return nil, err
	}
	if s, ok := p.from.constant(); ok && s != "" && mailAddress(s) == "" {
		return nil, b.errorf(p.from.at, "%q is no address of mail", s)
	}
	if p.handle, hasHandle, err = c.optional("handle"); err != nil {
		return nil, err
	}
	if p.reason, err = c.phrase(c.args[0]); err != nil {
		return nil, err
	}
	var addresses []phrase
	if o, ok := c.options["addresses"]; ok {
		if addresses, err = c.phrases(o.value); err != nil {
			return nil, err
		}
	}
	every := c.every()
	return func(r *run) (err error) {
		if err := r.act(c.at, "vacation"); err != nil {
			return err
		}
		if r.out.Vacation != nil {
			return r.errorf(c.at, "a message is answered by vacation once") // §4.7
		}
		v := &Vacation{Every: every, MIME: c.given("mime") != ""}
		for _, f := range []struct {
			to   *string
			from phrase
		}{{&v.Subject, p.subject}, {&v.From, p.from}, {&v.Handle, p.handle}, {&v.Reason, p.reason}} {
			if *f.to, err = f.from.in(r); err != nil {
				return err
			}
		}
		if v.Addresses, err = allIn(r, addresses); err != nil {
			return err
		}
		if v.From != "" && mailAddress(v.From) == "" {
			return r.errorf(p.from.at, "%q is no address of mail", v.From)
		}
		if !hasHandle { // §4.2
			sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %v %q", v.Subject, v.From, v.MIME, v.Reason))
			v.Handle = hex.EncodeToString(sum[:8])
		}
		r.out.Vacation = v
		return nil
	}, nil
}

// every is how long somebody is not answered again (§4.1, RFC 6131).
func (c *call) every() time.Duration {
	o, ok := c.options["every"]
	if !ok {
		return defaultEvery
	}
	if o.name == "seconds" {
		return clamp(o.value.number, time.Second, minEvery)
	}
	return clamp(o.value.number, day, day)
}

func clamp(n uint64, unit, least time.Duration) time.Duration {
	return max(least, min(maxEvery, time.Duration(min(n, uint64(maxEvery/unit)))*unit))
}

// Silence says why a message is not to be answered, "" if it may be (RFC 5230 §4.5 and 4.6, RFC 3834
// §2). from is its envelope's sender, own reports whether an address is the user's.
func (v *Vacation) Silence(raw []byte, from string, own func(string) bool) string {
	head, _ := message.Split(raw)
	h := message.ParseHeader(head)
	also := map[string]bool{}
	for _, a := range v.Addresses {
		also[lower(mailAddress(a))] = true
	}
	mine := func(a string) bool { return also[lower(a)] || own(a) }
	switch auto, _ := message.Params(h.Get("Auto-Submitted")); {
	case from == "":
		return "it has no sender"
	case mailAddress(from) == "" || machine(from):
		return "its sender is a program"
	case auto != "" && auto != "no":
		return "a program has sent it"
	case mine(from):
		return "it comes from the user"
	}
	for f := range h.Fields() {
		if name := lower(f.Name); strings.HasPrefix(name, "list-") || name == "x-auto-response-suppress" && suppresses(f.Value()) {
			return "it comes from a list or wants no answer"
		}
	}
	switch lower(h.Get("Precedence")) {
	case "bulk", "junk", "list":
		return "it is sent to many"
	}
	if !addressed(h, mine) {
		return "it is not addressed to the user"
	}
	return ""
}

// maxAddressed is how many addresses of a message are asked about.
const maxAddressed = 200

// addressed reports whether a message names the user among those whom it is for.
func addressed(h message.Header, mine func(string) bool) bool {
	left := maxAddressed
	for _, name := range []string{"To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"} {
		list := h.Addresses(name)
		list = list[:min(len(list), left)]
		left -= len(list)
		if slices.ContainsFunc(list, func(a message.Address) bool { return mine(a.Addr()) }) {
			return true
		}
	}
	return false
}

// machine reports whether nobody reads what is sent to an address.
func machine(address string) bool {
	local, _, _ := strings.Cut(lower(address[:max(0, strings.LastIndexByte(address, '@'))]), "+")
	for _, name := range []string{"mailer-daemon", "listserv", "majordomo", "noreply", "no-reply", "donotreply", "do-not-reply", "bounce", "bounces"} {
		if local == name || strings.HasPrefix(local, name+"-") {
			return true
		}
	}
	return strings.HasPrefix(local, "owner-") || strings.HasSuffix(local, "-request") || strings.HasSuffix(local, "-owner") ||
		strings.HasSuffix(local, "-bounces")
}

// suppresses reports whether programs are asked not to answer (MS-OXCMAIL 2.1.3.2.11).
func suppresses(value string) bool {
	for word := range strings.SplitSeq(lower(value), ",") {
		if w := strings.TrimSpace(word); w == "all" || w == "oof" || w == "autoreply" {
			return true
		}
	}
	return false
}

// A Stamp is what an answer needs from the world.
type Stamp struct {
	From message.Address // the user, as whom the answer is sent when the script names nobody
	To   string
	Host string // for the Message-ID
	Now  time.Time
	ID   []byte // 16 or more random bytes
}

// Compose writes the answer to a message (RFC 5230 §5).
func (v *Vacation) Compose(raw []byte, s Stamp) []byte {
	head, _ := message.Split(raw)
	h := message.ParseHeader(head)
	subject := v.Subject
	if subject == "" {
		if subject = h.Text("Subject"); subject == "" {
			subject = "your message"
		}
		subject = "Auto: " + subject
	}
	from := []message.Address{s.From}
	if list := message.ParseAddresses(v.From); len(list) == 1 {
		from = list
	}
	b := message.AppendAddresses(nil, "From", from)
	b = message.AppendAddresses(b, "To", message.ParseAddresses(s.To))
	b = message.AppendField(b, "Subject", cut(subject, 500))
	b = message.AppendFolded(b, "Date", message.FormatDate(s.Now))
	b = message.AppendFolded(b, "Message-ID", "<"+message.NewMessageID(s.Now, s.ID, s.Host)+">")
	if id := h.MessageID(); id != "" {
		b = message.AppendFolded(b, "In-Reply-To", "<"+id+">")
		b = message.AppendFolded(b, "References", "<"+strings.Join(append(tail(h.References(), 20), id), "> <")+">")
	}
	b = message.AppendFolded(b, "Auto-Submitted", "auto-replied (vacation)")
	if !v.MIME {
		e := message.TextEntity(v.Reason)
		e.Fields = append(append(b, "MIME-Version: 1.0\r\n"...), e.Fields...)
		return e.Encode()
	}
	head, body := message.Split([]byte(crlf(v.Reason)))
	b = append(b, "MIME-Version: 1.0\r\n"...)
	for f := range message.ParseHeader(head).Fields() {
		if strings.HasPrefix(lower(f.Name), "content-") { // the others are not the script's to set
			b = append(append(b, bytes.TrimRight(f.Raw, "\r\n")...), "\r\n"...)
		}
	}
	return append(append(b, "\r\n"...), body...)
}

func tail(list []string, n int) []string { return list[max(0, len(list)-n):] }

// crlf makes all lines end in CRLF.
func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), "\n", "\r\n")
}
