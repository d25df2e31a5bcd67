package queue

import (
	"errors"
	"fmt"
	"time"

	"github.com/emersion/go-smtp"

	"cairn/services/mail/queue/client"
)

// An answer is what came of an attempt for a recipient, or for all of them.
type answer struct {
	sent, final bool   // neither: it is tried again
	status      string // RFC 3463, such as "4.4.1"
	Text        string // in words, one line
	host        string // who has said it; "" is we ourselves
	reply       string // what it has said, as it was
	// noReports is set when the message was sent to a host that makes no reports of success (RFC 3461).
	noReports bool
	// again is set when nothing speaks against trying again at once.
	again bool
}

func (a *answer) Error() string { return a.Text }

// maxAnswer bounds what is kept of an answer, in bytes.
const maxAnswer = 700

// replied makes an answer of what a host has replied.
func replied(host string, r client.Reply) answer {
	a := answer{sent: r.Good(), final: r.Final(), status: r.Enhanced, host: host, reply: r.String()}
	a.again = r.Code == 452 // among others, "too many recipients" (RFC 5321 §4.5.3.1.10)
	if a.status == "" {
		a.status = fmt.Sprintf("%d.0.0", r.Code/100)
	}
	a.Text = fmt.Sprintf("%s said: %s", host, a.reply)
	return a
}

// unreachable makes an answer of what went wrong with a host; status is for a connection that does
// not come about or is lost.
func unreachable(status, host string, err error) answer {
	if r, ok := errors.AsType[*client.Reply](err); ok {
		a := replied(host, *r)
		// It does not talk to us at all: another host may, and another day. Only 521 says that it never
		// takes mail (RFC 7504).
		a.final, a.sent = r.Code == 521 || r.Code == 556, false
		if !a.final {
			a.status = "4.3.2"
		}
		return a
	}
	return answer{status: status, Text: client.Printable(fmt.Sprintf("%s: %v", host, err), maxAnswer)}
}

// asAnswer makes an answer of an error. What is no answer already is a trouble of our own, whose
// details are for the log.
func asAnswer(err error) answer {
	if a, ok := errors.AsType[*answer](err); ok {
		return *a
	}
	if r, ok := errors.AsType[*smtp.SMTPError](err); ok {
		e := r.EnhancedCode
		if e == smtp.EnhancedCodeNotSet || e == smtp.NoEnhancedCode {
			e = smtp.EnhancedCode{r.Code / 100, 0, 0}
		}
		return answer{final: r.Code >= 500, status: fmt.Sprintf("%d.%d.%d", e[0], e[1], e[2]), Text: client.Printable(r.Message, maxAnswer)}
	}
	return answer{status: "4.3.0", Text: "this server cannot deliver it at the moment"}
}

// How long we try, when a sender hears that it takes long, and how long we wait after an attempt.
const (
	maxAge  = 5 * 24 * time.Hour
	warnAge = 4 * time.Hour
)

var pauses = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour,
}

// pause returns how long to wait after that many attempts. What a random number from 0 to 1 adds
// keeps those that failed together from coming together.
func pause(attempts int, random float64) time.Duration {
	p := pauses[min(max(attempts, 1), len(pauses))-1]
	return p + time.Duration(random*float64(p)/8)
}
