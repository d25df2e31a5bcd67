package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
)

// canned is a connection whose other side says what it was going to say, whatever it hears.
type canned struct {
	io.Reader
	said bytes.Buffer
}

func (c *canned) Write(b []byte) (int, error)      { return c.said.Write(b) }
func (c *canned) Close() error                     { return nil }
func (c *canned) LocalAddr() net.Addr              { return nil }
func (c *canned) RemoteAddr() net.Addr             { return nil }
func (c *canned) SetDeadline(time.Time) error      { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }

// converse has a whole conversation with somebody who says this.
func converse(says string, t Transaction) (c *canned, res Result, err error) {
	c = &canned{Reader: strings.NewReader(says)}
	conn := New(c)
	if err = conn.Greet(); err == nil {
		err = conn.Hello("mail.home.test")
	}
	if err == nil {
		res, err = conn.Send(t)
	}
	return c, res, err
}

func letter(to ...string) Transaction {
	t := Transaction{From: "alice@home.test", Data: []byte(".dot\r\nx\r\n..\r\nend")}
	for _, a := range to {
		t.To = append(t.To, Recipient{Address: a})
	}
	return t
}

const hello = "220 hi\r\n250-mx\r\n250-PIPELINING\r\n250-DSN\r\n250 size 1000\r\n"

// TestDialogue: what goes over the wire.
func TestDialogue(t *testing.T) {
	two := letter("bob@example.test", `a "b\@example.test`)
	rich := letter("bob@example.test")
	rich.EnvID, rich.Return, rich.UTF8, rich.EightBit = "a+b=c", "FULL", true, true
	rich.To[0].Notify, rich.To[0].Original = "SUCCESS,DELAY", "rfc822;süß@x"
	for _, test := range []struct {
		name, says string
		t          Transaction
		want       string // behind EHLO
		to         string
	}{
		{"one trip", hello + "250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n250 2.0.0 taken\r\n", two,
			"MAIL FROM:<alice@home.test> SIZE=16\r\nRCPT TO:<bob@example.test>\r\nRCPT TO:<\"a \\\"b\\\\\"@example.test>\r\nDATA\r\n..dot\r\nx\r\n...\r\nend\r\n.\r\n",
			"250 2.0.0 taken; 550 no"},
		{"nobody", hello + "250 ok\r\n550 no\r\n450 no\r\n354 go\r\n554 nobody\r\n", two,
			"MAIL FROM:<alice@home.test> SIZE=16\r\nRCPT TO:<bob@example.test>\r\nRCPT TO:<\"a \\\"b\\\\\"@example.test>\r\nDATA\r\n.\r\n", "550 no; 450 no"},
		{"no pipelining", "220 hi\r\n250 mx\r\n250 ok\r\n250 ok\r\n251 ok\r\n354 go\r\n250 taken\r\n", two,
			"MAIL FROM:<alice@home.test>\r\nRCPT TO:<bob@example.test>\r\nRCPT TO:<\"a \\\"b\\\\\"@example.test>\r\nDATA\r\n..dot\r\nx\r\n...\r\nend\r\n.\r\n", "250 taken; 250 taken"},
		{"no pipelining, sender refused", "220 hi\r\n250 mx\r\n550 5.7.1 no\r\n250 reset\r\n", two, "MAIL FROM:<alice@home.test>\r\nRSET\r\n", "550 5.7.1 no; 550 5.7.1 no"},
		{"parameters", hello + "250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n", rich,
			"MAIL FROM:<alice@home.test> SIZE=16 SMTPUTF8 RET=FULL ENVID=a+2Bb+3Dc\r\nRCPT TO:<bob@example.test> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;s\\x{FC}\\x{DF}@x\r\nDATA\r\n..dot\r\nx\r\n...\r\nend\r\n.\r\n", "250 taken"},
	} {
		c, res, err := converse(test.says, test.t)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if got := c.said.String(); got != "EHLO mail.home.test\r\n"+test.want {
			t.Errorf("%s: said\n%q, want\n%q", test.name, got, test.want)
		}
		var to []string
		for _, r := range res.To {
			to = append(to, r.String())
		}
		if got := strings.Join(to, "; "); got != test.to || res.Doubtful {
			t.Errorf("%s: got %q, want %q", test.name, got, test.to)
		}
	}
}

// TestNothingTaken: no conversation that ends early, or in which nobody has said 250 to the message, looks as
// if it had been taken.
func TestNothingTaken(t *testing.T) {
	whole := hello + "250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n"
	for n := range len(whole) - 1 {
		_, res, err := converse(whole[:n], letter("bob@example.test"))
		if err == nil || len(res.To) > 0 && res.To[0].Good() {
			t.Errorf("after %q: got %+v, %v", whole[:n], res, err)
		}
		if want := n >= strings.Index(whole, "250 taken"); res.Doubtful != want {
			t.Errorf("after %q: doubtful is %v, want %v", whole[:n], res.Doubtful, want)
		}
	}
	for _, says := range []string{
		"250 ok\r\n250 ok\r\n250 what\r\n250 what\r\n", "250 ok\r\n250 ok\r\n354 go\r\n354 go\r\n", "250 ok\r\n354 ok\r\n354 go\r\n250 taken\r\n",
		"550 no\r\n250 ok\r\n354 go\r\n250 taken\r\n", "250 ok\r\n250 ok\r\n421 bye\r\n250 taken\r\n", "250 ok\r\n421 bye\r\n354 go\r\n250 taken\r\n",
	} {
		if _, res, err := converse(hello+says, letter("bob@example.test")); res.To[0].Good() {
			t.Errorf("after %q: got %+v, %v", says, res, err)
		}
	}
}

// TestBounds: what a server says at length is an error, and what it says in control characters is not
// passed on.
func TestBounds(t *testing.T) {
	for name, says := range map[string]string{
		"a long line": "220 " + strings.Repeat("x", 1<<20), "many lines": strings.Repeat("220-x\r\n", 1<<20), "no SMTP": "SSH-2.0-x\r\n",
		"a letter for a digit": "22O x\r\n", "another code": "220-x\r\n250 x\r\n", "no code": "\r\n", "a code that is none": "100 x\r\n",
	} {
		_, _, err := converse(says, letter("bob@example.test"))
		if _, ok := errors.AsType[*ProtocolError](err); !ok || len(err.Error()) > 200 {
			t.Errorf("%s: got %v, want a short ProtocolError", name, err)
		}
	}
	_, _, err := converse("554-5.7.1 a\x1b[2J\x00\xff\r\n554-5.7.1  b\tc\r\n554 "+strings.Repeat("d", 2000)+"\r\n", letter("bob@example.test"))
	r, ok := errors.AsType[*Reply](err)
	if !ok || !strings.HasPrefix(r.Text, "a [2J ? b c ddd") || r.Enhanced != "5.7.1" || len(r.Text) > maxText {
		t.Errorf("got %+v, %v", r, err)
	}
}

// TestInjection: what was said before the TLS handshake does not count as said within it.
func TestInjection(t *testing.T) {
	c := &canned{Reader: strings.NewReader("220 hi\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n250 injected\r\n")}
	conn := New(c)
	if err := errors.Join(conn.Greet(), conn.Hello("x.test")); err != nil {
		t.Fatal(err)
	}
	err := conn.StartTLS(t.Context(), nil)
	if _, ok := errors.AsType[*ProtocolError](err); !ok {
		t.Errorf("got %v, want a ProtocolError", err)
	}
}

// TestAddresses: no address brings commands of its own.
func TestAddresses(t *testing.T) {
	for _, a := range []string{"bob", "bob@", "@x.test", "bob@x.test\r\nRSET", "b\nob@x.test", "bob@x test", "bob@x.test> SIZE=1", "b\x00b@x.test", "bob@\xff", strings.Repeat("b", 1000) + "@x.test"} {
		if c, _, err := converse(hello, letter(a)); err == nil || strings.Contains(c.said.String(), "MAIL") {
			t.Errorf("%q: got %v", a, err)
		}
	}
}

func TestAuth(t *testing.T) {
	for says, ok := range map[string]bool{
		"235 welcome\r\n": true, "535 no\r\n": false, "334 !!!\r\n501 x\r\n": false, strings.Repeat("334 \r\n", 100): false, "250 hm\r\n": false, "": false,
	} {
		c := &canned{Reader: strings.NewReader(says)}
		if err := New(c).Auth(sasl.NewPlainClient("", "alice", "secret")); (err == nil) != ok {
			t.Errorf("%.20q: got %v", says, err)
		}
		if got := c.said.String(); !strings.HasPrefix(got, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n") || len(got) > 200 {
			t.Errorf("%.20q: said %q", says, got)
		}
	}
}

// TestSlow: a server that dribbles or does not read is given up after some minutes.
func TestSlow(t *testing.T) {
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf("user%d@example.test", i))
	}
	for name, serve := range map[string]func(net.Conn){
		"says nothing": func(net.Conn) {},
		"dribbles": func(c net.Conn) {
			for {
				if _, err := c.Write([]byte("2")); err != nil {
					return
				}
				time.Sleep(time.Minute)
			}
		},
		"answers each in four minutes": func(c net.Conn) {
			r := bufio.NewReader(c)
			for reply := "220 hi\r\n"; ; reply = "250 ok\r\n" {
				if _, err := c.Write([]byte(reply)); err != nil {
					return
				}
				if _, err := r.ReadString('\n'); err != nil {
					return
				}
				if reply != "220 hi\r\n" {
					time.Sleep(4 * time.Minute)
				}
			}
		},
		"does not read": func(c net.Conn) { c.Write([]byte("220 hi\r\n")) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				defer theirs.Close()
				go serve(theirs)
				start := time.Now()
				c := New(ours)
				err := c.Greet()
				if err == nil {
					err = c.Hello("x.test")
				}
				if err == nil {
					_, err = c.Send(letter(many...))
				}
				c.Close()
				defer time.Sleep(5 * time.Minute) // the other side notices
				if took := time.Since(start); err == nil || took > 20*time.Minute {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}

func FuzzServer(f *testing.F) {
	f.Add(hello+"250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n", false)
	f.Add("220 hi\r\n250-mx\r\n250-CHUNKING\r\n250 BINARYMIME\r\n250 ok\r\n250 ok\r\n250 taken\r\n", true)
	f.Add("220-a\r\n220 b\r\n500 what\r\n250 helo\r\n421 bye\r\n", false)
	f.Add("220 hi\n250 x\n451", false)
	f.Fuzz(func(t *testing.T, says string, binary bool) {
		tr := letter("bob@example.test", "carol@example.test")
		tr.Binary = binary
		c, res, err := converse(says, tr)
		if c.said.Len() > 1000 {
			t.Fatalf("said %q", c.said.String())
		}
		for _, r := range res.To {
			if r.Good() && (!strings.Contains(says, "354") && !binary || res.Doubtful) {
				t.Fatalf("taken: %+v, %v", res, err)
			}
			if s := r.String(); s != Printable(s, 1000) {
				t.Fatalf("not printable: %q", s)
			}
		}
	})
}
