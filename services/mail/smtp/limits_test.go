package smtp

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// An exchange is a listener whose clients come from where they say.
type exchange struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newExchange() *exchange { return &exchange{conns: make(chan net.Conn), done: make(chan struct{})} }

func (w *exchange) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}

func (w *exchange) Close() error {
	w.once.Do(func() { close(w.done) })
	return nil
}

func (w *exchange) Addr() net.Addr { return &net.TCPAddr{} }

// A placed connection comes from an address.
type placed struct {
	net.Conn
	from string
}

func (p placed) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(mustAddr(p.from)) }

// dial connects from an address, over loopback, as an in-memory pipe has no buffer.
func (w *exchange) dial(t testing.TB, from string) *talk {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	check(t, err)
	server, err := l.Accept()
	check(t, err)
	w.conns <- placed{server, from}
	return newTalk(t, client)
}

func TestLimitsOfConnections(t *testing.T) {
	h := open(t)
	h.server.Limits.Connections, h.server.Limits.PerAddress = 3, 2
	w := newExchange()
	h.serve(w, Relay)
	first := w.dial(t, "192.0.2.1")
	first.want("220")
	w.dial(t, "192.0.2.1").want("220")
	third := w.dial(t, "192.0.2.1")
	third.want("421 4.3.2 too many connections from your address")
	third.gone()
	w.dial(t, "2001:db8::1").want("220")
	w.dial(t, "192.0.2.2").want("421 4.3.2 too many connections:")
	first.do("QUIT", "221")
	first.gone()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) { // until the server has noticed
		if got := w.dial(t, "192.0.2.2").reply(); strings.HasPrefix(got, "220") {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("after somebody has gone: got %q, want 220", got)
		}
	}
}

func TestLimitsOfAddress(t *testing.T) {
	h := open(t)
	now := time.Now()
	h.mail.Now = func() time.Time { return now } // it stands still
	h.server.Limits.Messages, h.server.Limits.Strangers, h.server.Limits.Recipients, h.server.Limits.Receivers = 9, 2, 2, 5
	w := newExchange()
	h.serve(w, Relay)
	c := w.dial(t, "192.0.2.1")
	c.want("220")
	c.do("EHLO client.elsewhere.example", "250")
	for i := range 10 {
		want := "250"
		if i == 9 {
			want = "450 4.7.1"
		}
		c.do("MAIL FROM:<bob@elsewhere.example>", want)
		c.do("RSET", "250")
	}
	c = w.dial(t, "192.0.2.2")
	c.want("220")
	c.do("EHLO client.elsewhere.example", "250")
	c.do("MAIL FROM:<bob@elsewhere.example>", "250")
	c.do("RCPT TO:<alice@example.org>", "250")
	c.do("RCPT TO:<bob@example.org>", "250")
	c.do("RCPT TO:<carol@example.org>", "452 4.5.3")
	c.do("RSET", "250")
	c.do("MAIL FROM:<bob@elsewhere.example>", "250")
	c.do("RCPT TO:<nobody@example.org>", "550")
	c.do("RCPT TO:<no-one@example.org>", "550")
	c.do("RCPT TO:<alice@example.org>", "450 4.7.1 too many recipients that nobody is")
	c = w.dial(t, "192.0.2.3")
	c.want("220")
	c.do("EHLO client.elsewhere.example", "250")
	for _, want := range []string{"250", "250", "250", "250", "250", "450 4.7.1 too many recipients from"} {
		c.do("RSET", "250")
		c.do("MAIL FROM:<bob@elsewhere.example>", "")
		c.do("RCPT TO:<alice@example.org>", want)
	}
}

func TestLimitsOfUser(t *testing.T) {
	h := open(t)
	h.server.Limits.UserMessages, h.server.Limits.UserRecipients = 2, 3
	c := h.submit(t)
	for _, want := range []string{"250", "250", "450 4.7.1"} {
		c.do("MAIL FROM:<alice@example.org>", want)
		c.do("RSET", "250")
	}
	h = open(t)
	h.server.Limits.UserMessages, h.server.Limits.UserRecipients = 2, 3
	c = h.submit(t)
	c.do("MAIL FROM:<alice@example.org>", "250")
	for _, want := range []string{"250", "250", "250", "450 4.7.1"} {
		c.do("RCPT TO:<carol@elsewhere.example>", want)
	}
}

func TestFaults(t *testing.T) {
	h := open(t)
	h.server.Limits.Faults = 5
	c := dial(t, h.listen(Relay))
	c.want("220")
	for range 5 {
		c.do("XYZZY", "500 5.5.2")
	}
	c.want("421 4.7.0")
	c.gone()
}

// TestOutside does what may be done on loopback only.
func TestOutside(t *testing.T) {
	h := open(t)
	w := newExchange()
	h.serve(w, Submission)
	c := w.dial(t, "192.0.2.1")
	c.want("220")
	if got := c.do("EHLO laptop", "250"); strings.Contains(got, "AUTH") {
		t.Errorf("in the clear: got %q, want no AUTH", got)
	}
	c.do("AUTH PLAIN AGFsaWNlAHNlY3JldA==", "538 5.7.11")
	c.do("MAIL FROM:<alice@example.org>", "530 5.7.0 use STARTTLS")
	relay := newExchange()
	h.serve(relay, Relay)
	c = relay.dial(t, "192.0.2.1")
	c.want("220")
	c.do("EHLO mail.example.org", "550 5.7.1")
}

// TestMemory receives while others hold all the memory there is, and a lot at once.
func TestMemory(t *testing.T) {
	h := open(t)
	h.server.init()
	all := h.server.Limits.Memory
	h.server.memory.take(all, netip.Prefix{})
	c := begin(t, h)
	c.send(letter + ".\r\n")
	c.want("452 4.3.1")
	h.server.memory.give(all, netip.Prefix{})
	large := "Subject: large\r\n\r\n" + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 600)
	for range 3 {
		c.do("MAIL FROM:<bob@elsewhere.example>", "250")
		c.do("RCPT TO:<alice@example.org>", "250")
		c.send(fmt.Sprintf("BDAT %d LAST\r\n", len(large)) + large)
		c.want("250")
	}
	c.do("MAIL FROM:<bob@elsewhere.example>", "250")
	c.do("RCPT TO:<alice@example.org>", "250")
	c.send(fmt.Sprintf("BDAT %d\r\n", len(large)) + large)
	c.want("250")
	c.do("RSET", "250") // with half a message begun
	if got := h.server.memory.free; got != all {
		t.Errorf("free is %d, want %d", got, all)
	}
	if got := h.got("alice", "INBOX"); len(got) != 3 || !strings.HasSuffix(got[2], large) {
		t.Errorf("alice got %d messages, want 3", len(got))
	}
}

func TestTooLarge(t *testing.T) {
	h := open(t)
	h.server.Limits.Message = 10_000
	c := begin(t, h)
	line := strings.Repeat("x", 98) + "\r\n"
	c.send(strings.Repeat(line, 101) + ".\r\n")
	c.want("552 5.3.4")
	c.do("MAIL FROM:<bob@elsewhere.example>", "250")
	c.do("RCPT TO:<alice@example.org>", "250")
	c.do("DATA", "354")
	c.send(strings.Repeat(line, 100) + ".\r\n")
	c.want("250")
	c.do("MAIL FROM:<bob@elsewhere.example>", "250")
	c.do("RCPT TO:<alice@example.org>", "250")
	c.send("BDAT 10100\r\n" + strings.Repeat(line, 101) + "BDAT 0 LAST\r\n")
	c.want("552 5.3.4")
	c.want("552 5.3.4")
	c.do("MAIL FROM:<bob@elsewhere.example> SIZE=10001", "552 5.3.4")
	c.do("MAIL FROM:<bob@elsewhere.example>", "250")
	c.do("RCPT TO:<alice@example.org>", "250")
	c.do("DATA", "354")
	io.Copy(c.conn, io.LimitReader(endless{}, 3<<20)) // the server may hang up before the end
	c.want("552 5.3.4")
}

// endless is a message without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, "abcdefgh\r\n"), nil }

// TestIdle lets time pass in a bubble.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		h.server.Limits.Tarpit = time.Second
		client, server := net.Pipe()
		w := newExchange()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- h.server.Serve(ctx, w, Relay) }()
		w.conns <- placed{server, "192.0.2.1"}
		c := &talk{t: t, conn: client}
		c.r = newReader(client)
		c.want("220")
		begun := time.Now()
		for range 5 {
			c.do("XYZZY", "500")
		}
		if got, want := time.Since(begun), 3*time.Second; got != want {
			t.Errorf("five mistakes took %v, want %v", got, want)
		}
		begun = time.Now()
		c.want("421 4.4.2")
		if got, want := time.Since(begun), 5*time.Minute; got != want {
			t.Errorf("silence was borne for %v, want %v", got, want)
		}
		c.gone()
		client.Close()
		cancel()
		check(t, <-done)
	})
}

// TestShutdown ends the service while one client is idle and another one in the middle of a message.
func TestShutdown(t *testing.T) {
	h := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	done := make(chan error)
	go func() { done <- h.server.Serve(ctx, l, Relay) }()
	idle, busy := dial(t, l.Addr().String()), dial(t, l.Addr().String())
	idle.want("220")
	busy.want("220")
	busy.do("EHLO client.elsewhere.example", "250")
	busy.do("MAIL FROM:<bob@elsewhere.example>", "250")
	busy.do("RCPT TO:<alice@example.org>", "250")
	busy.do("DATA", "354")
	busy.send("Subject: half\r\n")
	cancel()
	idle.want("421 4.3.2")
	busy.want("421 4.3.2")
	idle.gone()
	check(t, <-done)
	h.none(t)
}

// TestCrowd holds a thousand connections and has a message delivered by each.
func TestCrowd(t *testing.T) {
	crowd := 1000
	if testing.Short() {
		crowd = 50
	}
	h := open(t)
	addr := h.listen(Relay)
	talks := make([]*talk, crowd)
	for i := range talks {
		talks[i] = dial(t, addr)
		talks[i].want("220")
	}
	for i, c := range talks {
		c.send("EHLO client.elsewhere.example\r\nMAIL FROM:<bob@elsewhere.example>\r\nRCPT TO:<alice@example.org>\r\nBDAT 16 LAST\r\n")
		c.send(fmt.Sprintf("A: %9d\r\n\r\n", i))
	}
	for _, c := range talks {
		for range 4 {
			c.want("250")
		}
		c.conn.Close()
	}
	if got := len(h.got("alice", "INBOX")); got != crowd {
		t.Errorf("alice got %d messages, want %d", got, crowd)
	}
}

// TestShare: one network leaves a quarter of the memory to others, however it asks.
func TestShare(t *testing.T) {
	b := newBudget(1000)
	one, other := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	if !b.take(700, one) || b.take(100, one) || !b.take(250, other) || b.take(100, netip.Prefix{}) {
		t.Errorf("%d are free", b.free)
	}
	b.give(700, one)
	b.give(250, other)
	if !b.take(1000, netip.Prefix{}) || len(b.held) != 0 {
		t.Errorf("%d are free, held %v", b.free, b.held)
	}
}
