package imap

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"cairn/services/accounts"
	"cairn/services/mail/login"
	"cairn/services/mail/mailbox"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

const alicePassword = "correct horse battery"

var root = object.Signature{Name: "Root", Email: "root@localhost"}

const hello = "From: Alice <alice@example.org>\r\nTo: bob@example.org\r\nSubject: Hello\r\nDate: Sun, 1 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nGood morning.\r\n"

// A house is a server with alice in it.
type house struct {
	*Server
	t    testing.TB
	repo *store.Repo
	addr string // without TLS
	tls  string // with

	mayFail bool // errors in the log are what the test is about
}

// newHouse starts a server over a repository in memory; change may be nil.
func newHouse(t testing.TB, change func(*house)) *house {
	t.Helper()
	return newHouseOver(t, store.New(mem.New(), store.Options{}), change)
}

func newHouseOver(t testing.TB, repo *store.Repo, change func(*house)) *house {
	t.Helper()
	h := newClosedHouse(t, repo, change)
	h.addr = h.listen(h.Serve)
	h.tls = h.listen(h.ServeTLS)
	return h
}

// newClosedHouse makes a server that listens nowhere yet.
func newClosedHouse(t testing.TB, repo *store.Repo, change func(*house)) *house {
	t.Helper()
	h := &house{t: t, repo: repo}
	acc := accounts.New(repo.Branch("accounts"))
	if err := acc.Add(t.Context(), root, "alice", alicePassword, true); err != nil {
		t.Fatal(err)
	}
	h.Server = &Server{
		Login: &login.Login{Accounts: acc},
		Boxes: mailbox.Open(repo, mailbox.Options{Now: time.Now, CacheBytes: 256 << 20}),
		Log:   slog.New(slog.NewTextHandler(&testWriter{h}, nil)),
		TLS:   testTLS(),
	}
	if change != nil {
		change(h)
	}
	return h
}

// A testWriter fails the test when a mistake of ours is logged.
type testWriter struct{ h *house }

func (w *testWriter) Write(p []byte) (int, error) {
	if w.h.mayFail {
		return len(p), nil
	}
	w.h.t.Logf("log: %s", bytes.TrimSpace(p))
	if bytes.Contains(p, []byte("level=ERROR")) {
		w.h.t.Fail()
	}
	return len(p), nil
}

// listen serves an address until the test ends.
func (h *house) listen(serve func(context.Context, net.Listener) error) string {
	h.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, ln) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("serve: %v", err)
		}
	})
	return ln.Addr().String()
}

// put gives somebody messages in a mailbox, as a delivery does.
func (h *house) put(user, box string, messages ...string) {
	h.t.Helper()
	ch := store.Change{Author: root, Message: "deliver"}
	err := h.Boxes.Update(h.t.Context(), ch, user, func(e *mailbox.Edit) error {
		for _, m := range messages {
			if _, err := e.Append(box, mailbox.New{Raw: store.NewBlob([]byte(m)), Internal: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// A client says lines and hears lines.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
	n    int
}

// patience is how long a client waits for what has to come: long, as test machines are slow.
const patience = 2 * time.Minute

func (h *house) dial() *client {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	c := newClient(h.t, conn)
	c.want("* OK [CAPABILITY ")
	return c
}

func newClient(t testing.TB, conn net.Conn) *client {
	conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { conn.Close() })
	return &client{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// login dials and logs in as alice.
func (h *house) login() *client {
	h.t.Helper()
	c := h.dial()
	c.ok(`LOGIN alice "` + alicePassword + `"`)
	return c
}

// open logs in as alice and selects a mailbox.
func (h *house) open(box string) *client {
	h.t.Helper()
	c := h.login()
	c.ok("SELECT " + box)
	return c
}

func (c *client) write(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, s); err != nil {
		c.t.Fatalf("write %.60q: %v", s, err)
	}
}

// line hears one response, literals and all, without the last line's end.
func (c *client) line() string {
	c.t.Helper()
	var all strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("read: %v after %.200q", err, all.String()+line)
		}
		all.WriteString(line)
		n, _, ok := literalSize([]byte(line))
		if !ok {
			return strings.TrimRight(all.String(), "\r\n")
		}
		if _, err := io.CopyN(&all, c.r, n); err != nil {
			c.t.Fatalf("read literal: %v", err)
		}
	}
}

func (c *client) want(prefix string) string {
	c.t.Helper()
	line := c.line()
	if !strings.HasPrefix(line, prefix) {
		c.t.Fatalf("got %.300q, want %q…", line, prefix)
	}
	return line
}

// do says a command and hears what is answered: the untagged lines, and the tagged without its tag.
func (c *client) do(command string) (untagged []string, answer string) {
	c.t.Helper()
	c.n++
	tag := fmt.Sprintf("t%d", c.n)
	c.write(tag + " " + command + "\r\n")
	return c.hear(tag)
}

func (c *client) hear(tag string) (untagged []string, answer string) {
	c.t.Helper()
	for {
		line := c.line()
		if rest, ok := strings.CutPrefix(line, tag+" "); ok {
			return untagged, rest
		}
		untagged = append(untagged, line)
	}
}

// ok is do for what has to succeed; it returns the untagged lines.
func (c *client) ok(command string) []string {
	c.t.Helper()
	lines, answer := c.do(command)
	if !strings.HasPrefix(answer, "OK ") {
		c.t.Fatalf("%s: got %q, want OK", command, answer)
	}
	return lines
}

// fails is do for what has to be answered with prefix.
func (c *client) fails(command, prefix string) {
	c.t.Helper()
	if _, answer := c.do(command); !strings.HasPrefix(answer, prefix) {
		c.t.Fatalf("%s: got %q, want %q…", command, answer, prefix)
	}
}

// closed makes sure that the server ends the connection, whatever it says before.
func (c *client) closed() string {
	c.t.Helper()
	b, err := io.ReadAll(c.r)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		c.t.Fatalf("connection is not closed: %v", err)
	}
	return string(b)
}

func testTLS() *tls.Config {
	cert := testCert()
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

// now is the clock of mailboxes whose dates are compared.
func now() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }

// open is how many connections there are.
func (c *census) open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}
