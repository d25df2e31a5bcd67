package queue

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// A clumsy server does as SMTP says until it comes to one step, there does something else, and from the
// second connection on does as SMTP says.
type clumsy struct {
	step     string // "greeting", a verb, "text" (in the message) or "dot"
	fault    string // "hang", "close", "late close" (having done it), or what it says
	pipeline bool
	always   bool

	mu    sync.Mutex
	conns int
	got   []string // messages
}

func (c *clumsy) serve(l net.Listener) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.conns++
		bad := c.conns == 1 || c.always
		c.mu.Unlock()
		go c.talk(nc, bad)
	}
}

// at does what is done at a step, and reports whether the conversation goes on.
func (c *clumsy) at(nc net.Conn, bad bool, step, reply string) bool {
	if !bad || step != c.step {
		_, err := nc.Write([]byte(reply))
		return err == nil
	}
	switch c.fault {
	case "hang":
		nc.Read(make([]byte, 1<<20)) // what is said meanwhile is not answered
		<-time.After(24 * time.Hour)
		return false
	case "close", "late close":
		return false
	}
	nc.Write([]byte(c.fault))
	return strings.HasSuffix(c.fault, "\r\n") && !strings.HasPrefix(c.fault, "421")
}

func (c *clumsy) talk(nc net.Conn, bad bool) {
	defer nc.Close()
	if !c.at(nc, bad, "greeting", "220 hello\r\n") {
		return
	}
	r := bufio.NewReader(nc)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb := strings.ToUpper(strings.TrimSpace(line))
		verb = verb[:min(4, len(verb))]
		reply := "250 good\r\n"
		switch verb {
		case "EHLO":
			if c.pipeline {
				reply = "250-clumsy\r\n250 PIPELINING\r\n"
			}
		case "DATA":
			reply = "354 go on\r\n"
		case "QUIT":
			reply = "221 bye\r\n"
		}
		if !c.at(nc, bad, verb, reply) || verb == "QUIT" {
			return
		}
		if verb == "DATA" && (!bad || c.step != "DATA") && !c.message(nc, r, bad) {
			return
		}
	}
}

func (c *clumsy) message(nc net.Conn, r *bufio.Reader, bad bool) bool {
	var text strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if bad && c.step == "text" {
			return c.at(nc, bad, "text", "")
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	empty := text.Len() == 0 // of no use to anybody (RFC 2920 §3.1)
	if !empty && (!bad || c.step != "dot" || c.fault == "late close") {
		c.mu.Lock()
		c.got = append(c.got, text.String())
		c.mu.Unlock()
	}
	return c.at(nc, bad, "dot", "250 taken\r\n")
}

func (c *clumsy) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.got)
}

// TestMisbehaviour: whatever a server does at whatever step, the message comes through when it has
// stopped, once, unless the server had taken it and did not say so.
func TestMisbehaviour(t *testing.T) {
	for _, pipeline := range []bool{false, true} {
		for _, step := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "text", "dot"} {
			for _, fault := range []string{"hang", "close", "late close", "421 shutting down\r\n", "451 not now\r\n", "garbage\r\n", "250", "\x00\xff\r\n", "999 what\r\n", "250-" + strings.Repeat("x", 70000)} {
				name := fmt.Sprintf("%s %.12q pipelining %v", step, fault, pipeline)
				t.Run(name, func(t *testing.T) {
					inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
						c := &clumsy{step: step, fault: fault, pipeline: pipeline}
						w.host("example.test", "192.0.2.1")
						go c.serve(w.raw(t, "192.0.2.1:25"))
						h.start()
						h.put(letter("bob@example.test"))
						h.empty5(2 * time.Hour)
						want := 1
						if step == "dot" && fault == "late close" {
							want = 2 // nobody can know
						}
						if c.count() != want || c.got[0] != text || len(h.mail()) != 0 {
							t.Errorf("got %q and %d reports", c.got, len(h.mail()))
						}
						time.Sleep(24 * time.Hour) // so that those who hang come to their end
					})
				})
			}
		}
	}
}

// TestFinal: what is refused for good is not tried again, and the sender hears why.
func TestFinal(t *testing.T) {
	for _, pipeline := range []bool{false, true} {
		for _, step := range []string{"MAIL", "RCPT", "DATA", "dot"} {
			t.Run(fmt.Sprint(step, pipeline), func(t *testing.T) {
				inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
					c := &clumsy{step: step, fault: "550-5.7.1 we do not\r\n550 5.7.1 like you\r\n", pipeline: pipeline, always: true}
					w.host("example.test", "192.0.2.1")
					go c.serve(w.raw(t, "192.0.2.1:25"))
					h.start()
					h.put(letter("bob@example.test"))
					h.empty5(time.Minute)
					if m := h.mail(); len(m) != 1 || !strings.Contains(m[0].Data, "Diagnostic-Code: smtp; 550 5.7.1 we do not like you\r\n") || c.count() != 0 {
						t.Errorf("got %+v", m)
					}
				})
			})
		}
	}
}

// TestBlock: the recipients of one transaction are answered one by one.
func TestBlock(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		w.serve(t, "example.test", "192.0.2.1", b)
		first := true
		b.onRcpt = func(to string) error {
			switch {
			case to == "user3@example.test":
				return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "unknown"}
			case to == "user5@example.test" && first:
				first = false
				return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "busy"}
			}
			return nil
		}
		h.start()
		h.put(letter(addresses(10, "example.test")...))
		h.empty5(time.Hour)
		got := b.recipients()
		for _, a := range addresses(10, "example.test") {
			want := 1
			if a == "user3@example.test" {
				want = 0
			}
			if got[a] != want {
				t.Errorf("%s got %d, want %d", a, got[a], want)
			}
		}
		if m := h.mail(); len(m) != 1 || !strings.Contains(m[0].Data, "user3@") || strings.Contains(m[0].Data, "user5@") {
			t.Errorf("got the reports %+v", m)
		}
	})
}

// TestFeatures: what a server cannot take is not forced on it, and the sender hears what it was.
func TestFeatures(t *testing.T) {
	eight := strings.Replace(text, "noon", "süß", 1)
	header := strings.Replace(text, "lunch", "süß", 1)
	for _, test := range []struct {
		name   string
		old    bool  // no SMTPUTF8
		limit  int64 // SIZE
		simple bool  // no extensions at all
		to     string
		raw    string
		utf8   bool
		answer string // "" for sent
		body   smtp.BodyType
	}{
		{"ordinary", true, 0, false, "bob@example.test", text, true, "", ""},
		{"8-bit", true, 0, false, "bob@example.test", eight, true, "", smtp.Body8BitMIME},
		{"8-bit to one who cannot", true, 0, true, "bob@example.test", eight, false, "8BITMIME", ""},
		{"a UTF-8 header", false, 0, false, "bob@example.test", header, true, "", smtp.Body8BitMIME},
		{"a UTF-8 header to one who cannot", true, 0, false, "bob@example.test", header, true, "Status: 5.6.7", ""},
		{"a raw header", true, 0, false, "bob@example.test", header, false, "", smtp.Body8BitMIME},
		{"a UTF-8 address", false, 0, false, "süß@example.test", text, true, "", ""},
		{"a UTF-8 address to one who cannot", true, 0, false, "süß@example.test", text, true, `utf-8; s\x{FC}\x{DF}@example.test`, ""},
		{"too large", false, 50, false, "bob@example.test", text, false, "Status: 5.3.4", ""},
		{"binary", false, 0, false, "bob@example.test", "Subject: x\r\n\r\na\nb\x00\rc", false, "", smtp.BodyBinaryMIME},
		{"binary to one who cannot", true, 0, true, "bob@example.test", "Subject: x\r\n\r\na\nb\x00\rc", false, "BINARYMIME", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
				b.old, b.limit = test.old, test.limit
				c := &clumsy{}
				if test.simple {
					w.host("example.test", "192.0.2.1")
					go c.serve(w.raw(t, "192.0.2.1:25"))
				} else {
					s := w.serve(t, "example.test", "192.0.2.1", b)
					s.EnableBINARYMIME = true
				}
				h.start()
				m := letter(test.to)
				m.Raw, m.UTF8 = []byte(test.raw), test.utf8
				h.put(m)
				h.empty5(time.Minute)
				if test.answer != "" {
					if mail := h.mail(); len(mail) != 1 || !strings.Contains(mail[0].Data, test.answer) || len(b.all())+c.count() > 0 {
						t.Errorf("got %+v, want a report with %q", mail, test.answer)
					}
					return
				}
				got := b.all()
				if len(got) != 1 || got[0].Data != test.raw || got[0].To[0] != test.to || got[0].Options.Body != test.body {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

// TestNeighbours: a destination that hangs, with however many messages for it, small and large, keeps
// nobody else waiting.
func TestNeighbours(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		h.o.Connections, h.o.Memory = 4, 4<<20
		h.open()
		for i := range 20 {
			domain, addr := fmt.Sprintf("stuck%d.test", i%2), fmt.Sprintf("192.0.2.%d", 10+i%2)
			if i < 2 {
				w.host(domain, addr)
				go (&clumsy{step: "text", fault: "hang", always: true}).serve(w.raw(t, addr+":25"))
			}
			m := letter("bob@" + domain)
			m.Raw = append(m.Raw, strings.Repeat("x\r\n", 1<<19)...)
			h.put(m)
			h.put(letter("bob@" + domain))
		}
		w.serve(t, "example.test", "192.0.2.1", b)
		h.start()
		time.Sleep(time.Second)
		began := time.Now()
		for range 20 {
			h.put(letter("bob@example.test"))
		}
		until(t, "the others' mail", func() bool { return len(b.all()) == 20 })
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		h.stop()
		h.cancel = nil
		time.Sleep(48 * time.Hour) // so that those who hang come to their end
	})
}
