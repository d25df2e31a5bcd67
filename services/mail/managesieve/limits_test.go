package managesieve

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cairn/services/accounts"
	"cairn/services/mail"
	"cairn/services/mail/login"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/scripts"
	"cairn/store"
	"cairn/store/mem"

	"github.com/xdg-go/scram"
)

func (c *client) login() {
	c.t.Helper()
	c.answer()
	plain := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + alicePassword))
	if got := c.do(`AUTHENTICATE "PLAIN" ` + quote(plain)); !strings.HasPrefix(got, "OK ") {
		c.t.Fatalf("log-in: %s", got)
	}
}

// TestConnections makes sure that one address has no more connections than it may.
func TestConnections(t *testing.T) {
	h := newHouse(t, func(s *Server) { s.MaxPerAddress = 2 })
	a, b := h.dial(), h.dial()
	a.answer()
	b.answer()
	if got := h.dial().rest(); !strings.HasPrefix(got, "BYE (TRYLATER) ") {
		t.Errorf("the third hears %q", got)
	}
	a.do("LOGOUT")
	a.rest()
	for deadline := time.Now().Add(patience); ; { // the server may not have counted it yet
		c := h.dial()
		if line := c.line(); !strings.HasPrefix(line, "BYE") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("there is no room when one has gone")
		}
	}
}

// TestSizes makes sure that what is too large is refused, and that what is large enough is not.
func TestSizes(t *testing.T) {
	h := newHouse(t, nil)
	c := h.dial()
	c.login()
	for _, size := range []int{0, 1, 8 << 10, 64 << 10} {
		script := strings.Repeat("#", size)
		if got := c.do(fmt.Sprintf("PUTSCRIPT \"x\" {%d+}\r\n%s", size, script)); !strings.HasPrefix(got, "OK ") {
			t.Errorf("%d bytes: %s", size, got)
		}
		c.write("GETSCRIPT \"x\"\r\n")
		if got := c.line() + "\n" + c.line() + "\n" + c.line(); got != fmt.Sprintf("{%d}\n%s\nOK", size, script) {
			t.Errorf("%d bytes: got %.100q", size, got)
		}
	}
	if got := c.do(fmt.Sprintf("PUTSCRIPT \"x\" {%d+}\r\n%s", 64<<10+1, strings.Repeat("#", 64<<10+1))); !strings.HasPrefix(got, "NO (QUOTA/MAXSIZE) ") {
		t.Errorf("one byte more: %s", got)
	}
	c.write("PUTSCRIPT \"x\" {999999999+}\r\n")
	if got := c.rest(); !strings.HasPrefix(got, "BYE ") {
		t.Errorf("a huge literal: got %q", got)
	}
	c = h.dial()
	c.answer()
	c.write("NOOP \"" + strings.Repeat("x", 4<<10) + "y")
	c.write(strings.Repeat("z", 8<<10) + "\"\r\n")
	if got := c.rest(); !strings.HasPrefix(got, "BYE ") && got != "" {
		t.Errorf("an endless line: got %q", got)
	}
	c = h.dial()
	c.answer()
	var last string
	for range maxBad {
		last = c.do("WHAT")
	}
	if got := c.rest(); last != `NO "there is no command WHAT"` || !strings.HasPrefix(got, "BYE ") {
		t.Errorf("nonsense without end: got %q, %q", last, got)
	}
}

// TestInjection makes sure that what was sent in the clear is not obeyed under TLS.
func TestInjection(t *testing.T) {
	c := newHouse(t, nil).dial()
	c.answer()
	c.write("STARTTLS\r\nNOOP \"injected\"\r\n")
	if got := c.rest(); strings.Contains(got, "injected") || !strings.HasPrefix(got, "BYE ") {
		t.Errorf("got %q", got)
	}
}

// TestInTheClear makes sure that nobody sends a password in the clear from elsewhere.
func TestInTheClear(t *testing.T) {
	h := newHouse(t, nil)
	c := &session{server: h.Server, remote: netip.MustParseAddr("192.0.2.1"), ctx: t.Context(), wire: newWire(nil)}
	if got := h.Login.Mechanisms(c.peer()); len(got) > 0 {
		t.Errorf("offered: %q", got)
	}
	if got := c.authenticate([]string{"PLAIN", "AGFsaWNlAHg="}); !strings.HasPrefix(got, "NO (ENCRYPT-NEEDED) ") {
		t.Errorf("got %s", got)
	}
}

func TestScram(t *testing.T) {
	h := newHouse(t, nil)
	c := h.dial()
	c.answer()
	client, err := scram.SHA256.NewClient("alice", h.app, "")
	check(t, err)
	talk := client.NewConversation()
	first, err := talk.Step("")
	check(t, err)
	c.write(`AUTHENTICATE "SCRAM-SHA-256" ` + quote(base64.StdEncoding.EncodeToString([]byte(first))) + "\r\n")
	for !talk.Done() {
		challenge, err := base64.StdEncoding.DecodeString(strings.Trim(c.line(), `"`))
		check(t, err)
		response, err := talk.Step(string(challenge))
		check(t, err)
		c.write(quote(base64.StdEncoding.EncodeToString([]byte(response))) + "\r\n")
	}
	if got := c.answer(); got != `OK "Welcome, alice"` || !talk.Valid() {
		t.Errorf("got %s, valid: %v", got, talk.Valid())
	}
}

// TestPatience makes sure that nobody holds a connection for ever: without a log-in, in the midst of a
// command, or idle.
func TestPatience(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + alicePassword))
	for _, c := range []struct {
		name, say string
		want      time.Duration
		word      string
	}{
		{"nobody", "", loginTime, "Log in within a minute"},
		{"half a command", "NOO", loginTime, "Log in within a minute"},
		{"half a log-in", "AUTHENTICATE \"PLAIN\"\r\n", loginTime, "Log in within a minute"},
		{"idle", "AUTHENTICATE \"PLAIN\" \"" + plain + "\"\r\n", idleTime, "Nothing was heard for too long"},
		{"half a script", "AUTHENTICATE \"PLAIN\" \"" + plain + "\"\r\nPUTSCRIPT \"x\" {100+}\r\nkeep", restTime, "Nothing was heard for too long"},
	} {
		synctest.Test(t, func(t *testing.T) {
			repo := store.New(mem.New(), store.Options{})
			people := accounts.New(repo.Branch("accounts"))
			check(t, people.Add(t.Context(), root, "alice", alicePassword, true))
			s := &Server{Login: &login.Login{Accounts: people}, Log: discard,
				Shelf: &scripts.Shelf{Mail: &mail.Service{Boxes: mailbox.Open(repo, mailbox.Options{Now: time.Now})}}}
			here, there := net.Pipe()
			go s.serve(t.Context(), onLoopback{there})
			began := time.Now()
			go io.WriteString(here, c.say)
			all, err := io.ReadAll(here)
			check(t, err)
			if got := time.Since(began); got < c.want || got > c.want+2*closeTime {
				t.Errorf("%s: ended after %v, want %v", c.name, got, c.want)
			}
			if !bytes.Contains(all, []byte(c.word)) {
				t.Errorf("%s: got %q, want %q", c.name, all, c.word)
			}
		})
	}
}

// onLoopback is a pipe that comes from this machine.
type onLoopback struct{ net.Conn }

func (onLoopback) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// FuzzDialogue makes sure that no client brings the server down, nor gets in.
func FuzzDialogue(f *testing.F) {
	f.Add([]byte("NOOP \"x\"\r\nCAPABILITY\r\nLOGOUT\r\n"))
	f.Add([]byte("AUTHENTICATE \"PLAIN\" {3+}\r\nabc\r\nPUTSCRIPT \"x\" \"keep;\"\r\n"))
	f.Add([]byte("AUTHENTICATE \"SCRAM-SHA-256\"\r\n\"biwsbj1hbGljZSxyPWFiYw==\"\r\n\"*\"\r\n"))
	f.Add([]byte("STARTTLS\r\n\x16\x03\x01"))
	f.Add([]byte("HAVESPACE \"a\\\"\" 99\r\nSETACTIVE {0+}\r\n\r\nUNAUTHENTICATE\r\n"))
	repo := store.New(mem.New(), store.Options{})
	s := &Server{
		Login: &login.Login{Accounts: accounts.New(repo.Branch("accounts"))}, Log: discard,
		Shelf: &scripts.Shelf{Mail: &mail.Service{Boxes: mailbox.Open(repo, mailbox.Options{Now: time.Now})}},
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		for _, known := range []bool{false, true} {
			conn := &recorded{Reader: bytes.NewReader(said)}
			c := &session{server: s, remote: netip.MustParseAddr("127.0.0.1"), wire: newWire(conn), ctx: t.Context(), began: time.Now()}
			if known {
				c.user = &accounts.User{Name: "alice"}
			}
			c.run()
			if !known && c.user != nil {
				t.Error("somebody is in")
			}
		}
	})
}

// A recorded connection has said all that it will say.
type recorded struct {
	net.Conn
	io.Reader
	out bytes.Buffer
}

func (r *recorded) Read(p []byte) (int, error)       { return r.Reader.Read(p) }
func (r *recorded) Write(p []byte) (int, error)      { return r.out.Write(p) }
func (r *recorded) SetReadDeadline(time.Time) error  { return nil }
func (r *recorded) SetWriteDeadline(time.Time) error { return nil }
