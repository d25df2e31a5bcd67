package smtp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"cairn/services/mail"
)

// A reply is what a command is answered with (RFC 5321 §4.2).
type reply struct {
	code   int
	status string // RFC 3463; "" where there is none (RFC 2034 §4)
	text   []string
	hangup bool // the connection ends with it
}

func say(code int, status, text string) reply {
	return reply{code: code, status: status, text: []string{text}}
}

func busy(why string) reply {
	return reply{code: 421, status: "4.3.2", text: []string{why}, hangup: true}
}

// refused is an error as a reply.
func refused(err error) reply {
	r := mail.AsRefusal(err)
	return say(r.Code, fmt.Sprintf("%d.%d.%d", r.Enhanced[0], r.Enhanced[1], r.Enhanced[2]), r.Text)
}

// fault reports whether a reply counts against the client.
func (r reply) fault() bool { return r.code >= 500 || r.code == 454 }

// say sends a reply, or has it sent with others when the client waits for them.
func (c *session) say(r reply) {
	c.raw.SetWriteDeadline(time.Now().Add(writeTime))
	for i, line := range r.text {
		mark := "-"
		if i == len(r.text)-1 {
			mark = " "
		}
		if r.status != "" {
			mark += r.status + " "
		}
		fmt.Fprintf(c.w, "%d%s%s\r\n", r.code, mark, oneLine(line))
	}
	c.hungUp = c.hungUp || r.hangup
}

// answer is say for what a client has asked for: whoever does much wrong waits.
func (c *session) answer(ctx context.Context, r reply) (goOn bool) {
	if r.fault() {
		c.faults++
		c.tarpit(ctx)
		if c.faults >= c.server.Limits.Faults && !r.hangup {
			c.say(r)
			r = reply{code: 421, status: "4.7.0", text: []string{"too many errors: good bye"}, hangup: true}
		}
	}
	c.say(r)
	return !r.hangup
}

// freeFaults are the mistakes that anybody may make.
const freeFaults = 3

func (c *session) tarpit(ctx context.Context) {
	if over := c.faults - freeFaults; over > 0 && c.server.Limits.Tarpit > 0 {
		c.w.Flush()
		wait(ctx, time.Duration(min(over, 10))*c.server.Limits.Tarpit)
	}
}

// oneLine makes a text fit for one line of a reply.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
