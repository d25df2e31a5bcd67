package imap

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"cairn/services/mail/mailbox"
)

// TestMalformed says what no client should say: each gets an answer, and then the connection
// works on, or it is closed with a word about it.
func TestMalformed(t *testing.T) {
	h := newHouse(t, nil)
	h.put("alice", "INBOX", hello)
	for _, tc := range []struct{ say, want string }{
		{"\r\n", "* BAD"},
		{" NOOP\r\n", "* BAD"},
		{"* NOOP\r\n", "* BAD"},
		{"+ NOOP\r\n", "* BAD"},
		{"a\r\n", "a BAD"},
		{"a \r\n", "a BAD"},
		{"a UID\r\n", "a BAD"},
		{"a NONSENSE\r\n", "a BAD"},
		{"a UID NONSENSE\r\n", "a BAD"},
		{"a SEARCH \"open\r\n", "a BAD"},
		{"a FETCH\r\n", "a BAD"},
		{"a FETCH 0 FLAGS\r\n", "a BAD"},
		{"a FETCH 1:2:3 FLAGS\r\n", "a BAD"},
		{"a FETCH 4294967296 FLAGS\r\n", "a BAD"},
		{"a FETCH 2 FLAGS\r\n", "a BAD"},
		{"a FETCH 1 (FLAGS\r\n", "a BAD"},
		{"a FETCH 1 BODY[1.FOO]\r\n", "a BAD"},
		{"a FETCH 1 BODY[HEADER.FIELDS ()]\r\n", "a BAD"},
		{"a FETCH 1 BODY[]<1.0>\r\n", "a BAD"},
		{"a FETCH 1 BODY[" + strings.Repeat("1.", 100) + "1]\r\n", "a BAD"},
		{"a FETCH 1 (" + strings.TrimSpace(strings.Repeat("BODY[] ", 300)) + ")\r\n", "a BAD"},
		{"a STORE 1 FLAGS (\\Nonsense)\r\n", "a BAD"},
		{"a STORE 1 NONSENSE (\\Seen)\r\n", "a BAD"},
		{"a SEARCH " + strings.Repeat("NOT ", 1000) + "ALL\r\n", "a BAD"},
		{"a SEARCH " + strings.Repeat("(", 1000) + "ALL" + strings.Repeat(")", 1000) + "\r\n", "a BAD"},
		{"a SEARCH" + strings.Repeat(" ALL", 5000) + "\r\n", "a BAD"},
		{"a SEARCH SINCE 30-Foo-2020\r\n", "a BAD"},
		{"a SEARCH CHARSET\r\n", "a BAD"},
		{"a LIST \"\" \"" + strings.Repeat("\xff", 200) + "\" RETURN (STATUS (MESSAGES))\r\n", ""},
		{"a LIST \"\" " + strings.Repeat("\u023f", 200) + " RETURN (STATUS (MESSAGES))\r\n", ""},
		{"a GETQUOTAROOT {2+}\r\n\r\n\r\n", "* QUOTAROOT {2}"},
		{"a SELECT INBOX (NONSENSE)\r\n", "a BAD"},
		{"a SELECT INBOX (QRESYNC (1 1))\r\n", "a BAD"},
		{"a STATUS INBOX (NONSENSE)\r\n", "a BAD"},
		{"a ENABLE \"x\"\r\n", "a BAD"},
		{"a ID (" + strings.TrimSpace(strings.Repeat("\"a\" NIL ", 40)) + ")\r\n", "a BAD"},
		{"a COMPRESS GZIP\r\n", "a BAD"},
		{"a LOGIN alice password\r\n", "a BAD"},
		{"a STARTTLS\r\n", "a BAD"},
		{"a APPEND INBOX (\\Seen)\r\n", "a BAD"},
		{"a APPEND INBOX {99999999999}\r\n", "a NO [TOOBIG]"},
		{"a APPEND INBOX {5+}\r\nhello trailing\r\n", "a BAD"},
		{"a APPEND INBOX \"not a date\" {5+}\r\nhello\r\n", "a BAD"},
		{"a APPEND Nowhere {5+}\r\nhello\r\n", "a NO [TRYCREATE]"},
		{"a SEARCH TEXT {99999}\r\n", "a BAD"},
		{"a LIST \"\" {9+}\r\nb NOOP\r\n*\r\n", ""},
		{"a SEARCH SUBJECT {3+}\r\na\x00b\r\n", "a BAD"},
		{"a CREATE \"&garbage\"\r\n", "a BAD"},
		{"a CREATE \"..\"\r\n", "a OK"},
		{"a CREATE \"a//b\"\r\n", "a NO"},
		{"a DELETE INBOX\r\n", "a NO"},
		{"a RENAME Nowhere Other\r\n", "a NO [NONEXISTENT]"},
		{"a IDLE\r\nNOT DONE\r\n", "+"},
		{"a UNAUTHENTICATE x\r\n", "a BAD"},
	} {
		c := h.open("INBOX")
		c.write(tc.say)
		if !strings.HasPrefix(tc.say, "a LIST") {
			if got := c.line(); !strings.HasPrefix(got, tc.want) {
				t.Errorf("%.60q: got %.200q, want %q…", tc.say, got, tc.want)
			}
		}
		c.write("z NOOP\r\n")
		for line := ""; !strings.HasPrefix(line, "z OK"); {
			line = c.line()
		}
		c.conn.Close()
	}
	for _, say := range []string{
		"a NOOP" + strings.Repeat(" x", maxCommand) + "\r\n",
		"a SEARCH TEXT {99999+}\r\n",
		"a SEARCH \"{5+}\r\nhello\r\n",
	} {
		c := h.open("INBOX")
		c.write(say)
		if got := c.closed(); !strings.Contains(got, "* BYE") {
			t.Errorf("%.60q: got %q, want BYE", say, got)
		}
	}
	c := h.open("INBOX")
	for range maxBad {
		c.write("a NONSENSE\r\n")
	}
	if got := c.closed(); !strings.Contains(got, "* BYE") {
		t.Errorf("nonsense: got %q, want BYE", got)
	}
}

// TestStrangers says what people say who have not logged in.
func TestStrangers(t *testing.T) {
	h := newHouse(t, nil)
	for _, tc := range []struct{ say, want string }{
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "* BYE"},
		{"a SELECT INBOX\r\nb LOGOUT\r\n", "a BAD Log in first"},
		{"a FETCH 1 BODY[]\r\nb LOGOUT\r\n", "a BAD Log in first"},
		{"a APPEND INBOX {10+}\r\n1234567890\r\nb LOGOUT\r\n", "a BAD Log in first"},
		{"a APPEND INBOX {1000000}\r\n", "a BAD"},
		{"a APPEND INBOX {1000000+}\r\n", "* BYE"},
		{"a LOGIN {5+}\r\nalice {99999+}\r\n", "* BYE"},
		{"a LOGIN " + strings.Repeat("x", 2*maxEarlyCommand) + "\r\n", "* BYE"},
		{strings.Repeat("x", 2*maxEarlyCommand), "* BYE"},
		{"a AUTHENTICATE NONSENSE\r\nb LOGOUT\r\n", "a NO [CANNOT]"},
		{"a AUTHENTICATE PLAIN\r\n*\r\nb LOGOUT\r\n", "a BAD"},
		{"a AUTHENTICATE PLAIN !!!\r\nb LOGOUT\r\n", "a "},
		{"a AUTHENTICATE PLAIN\r\n" + strings.Repeat("A", 2*maxEarlyCommand) + "\r\n", "* BYE"},
		{"a STARTTLS\r\nb LOGIN alice x\r\n", "* BYE"},
		{"a IDLE\r\nb LOGOUT\r\n", "a BAD"},
		{strings.Repeat("a LOGIN alice wrong\r\n", 10), "* BYE"},
	} {
		c := h.dial()
		go io.WriteString(c.conn, tc.say)
		if tc.say[len(tc.say)-1] != '\n' || tc.want != "* BYE" && !strings.Contains(tc.say, "LOGOUT") {
			defer c.conn.Close()
		}
		got := ""
		if strings.Contains(tc.say, "LOGOUT") || tc.want == "* BYE" {
			got = c.closed()
		} else {
			got = c.line()
		}
		if !strings.Contains(got, tc.want) {
			t.Errorf("%.60q: got %.300q, want %q", tc.say, got, tc.want)
		}
	}
}

// TestBombs fetches all that can be fetched of messages that are made to hurt.
func TestBombs(t *testing.T) {
	h := newHouse(t, nil)
	var parts, deep, heads strings.Builder
	parts.WriteString("Content-Type: multipart/mixed; boundary=b\r\n\r\n")
	for i := range 12_000 {
		fmt.Fprintf(&parts, "--b\r\n\r\n%d\r\n", i)
	}
	parts.WriteString("--b--\r\n")
	for i := range 2_000 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	for i := range 2_000 {
		fmt.Fprintf(&heads, "Content-Type: message/rfc822\r\nSubject: %d\r\n\r\n", i)
	}
	flood := strings.Repeat("X: y\r\n", 50_000) + "Subject: =?utf-8?q?" + strings.Repeat("=C3=A4", 5000) + "?=\r\nTo: " + strings.Repeat("a@b, ", 20_000) + "\r\n\r\n"
	h.put("alice", "INBOX", parts.String(), deep.String(), heads.String(), flood, "", "\r\n", "no header at all", "\x00\xff\r\n: x\r\nFrom: <\r\n\r\n\x80")
	c := h.open("INBOX")
	for i := 1; i <= 8; i++ {
		c.ok(fmt.Sprintf("FETCH %d (ENVELOPE BODY BODYSTRUCTURE PREVIEW BODY[1] BODY[TEXT] BODY[HEADER] BODY[1.MIME] BODY[9999] BINARY[1] BINARY.SIZE[1] BODY[1.1.1.1.1.1.HEADER] RFC822.SIZE)", i))
	}
	c.ok("SEARCH TEXT nothing")
	c.ok("SEARCH OR SUBJECT x FROM y")
	c.ok("SORT (SUBJECT FROM DATE) UTF-8 ALL")
	c.ok("THREAD REFERENCES UTF-8 ALL")
}

// TestPanic makes one connection fall: others notice nothing.
func TestPanic(t *testing.T) {
	h := newHouse(t, func(h *house) {
		h.mayFail = true
		h.Trained = func(_ context.Context, _ *mailbox.Edit, _ string, _ []mailbox.Message, _ bool) error { panic("a bug") }
	})
	h.put("alice", "INBOX", hello)
	other := h.open("INBOX")
	c := h.open("INBOX")
	c.write("a MOVE 1 Junk\r\n")
	c.closed()
	other.ok("FETCH 1 FLAGS")
}

// TestTooMany opens more connections than there may be.
func TestTooMany(t *testing.T) {
	h := newHouse(t, func(h *house) { h.MaxPerAddress = 3 })
	var open []*client
	for range 3 {
		open = append(open, h.dial())
	}
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	if got := newClient(t, conn).closed(); !strings.HasPrefix(got, "* BYE [UNAVAILABLE]") {
		t.Errorf("got %q, want BYE", got)
	}
	open[0].ok("LOGOUT")
	open[0].closed()
	for deadline := time.Now().Add(patience); ; {
		conn, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(newClient(t, conn).line(), "* OK") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no connection is let in after one has gone")
		}
	}
}

// TestIdleMemory measures what clients cost that only wait; with TLS, the test's side of it is measured too.
func TestIdleMemory(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			const n = 1000
			h := newHouse(t, func(h *house) { h.MaxPerAddress = n })
			h.put("alice", "INBOX", hello)
			before := inUse()
			for range n {
				addr := h.addr
				if secure {
					addr = h.tls
				}
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				if secure {
					conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
				}
				c := newClient(t, conn)
				c.line()
				c.ok(`LOGIN alice "` + alicePassword + `"`)
				c.ok("SELECT INBOX")
				c.write("i IDLE\r\n")
				c.want("+")
				c.r = nil // the client's own memory is not meant
			}
			took := int64(inUse()-before) >> 10
			t.Logf("%d idle connections take %d KiB", n, took)
			if took > 60<<10 {
				t.Errorf("got %d KiB for %d idle connections, want at most 60 MiB", took, n)
			}
		})
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// TestHighest makes sure that the highest number there is means no message, other than "*".
func TestHighest(t *testing.T) {
	h := newHouse(t, nil)
	h.put("alice", "INBOX", hello, hello)
	c := h.open("INBOX")
	c.ok("STORE 1:* FLAGS (\\Deleted)")
	for command, want := range map[string]int{
		"UID FETCH 4294967295 FLAGS": 0, "UID FETCH 5:4294967295 FLAGS": 0, "UID FETCH 2:4294967295 FLAGS": 1,
		"UID FETCH * FLAGS": 1, "UID FETCH 5:* FLAGS": 1, "UID FETCH 1:4294967295 FLAGS": 2,
		"UID EXPUNGE 4294967295": 0, "UID MOVE 4294967295 Trash": 0,
	} {
		if got := c.ok(command); len(got) != want {
			t.Errorf("%s: got %q, want %d", command, got, want)
		}
	}
	c.fails("FETCH 4294967295 FLAGS", "BAD")
}

// TestPatterns compares LIST's patterns, which may be long, with regular expressions.
func TestPatterns(t *testing.T) {
	replace := strings.NewReplacer("*", ".*", "%", "[^/]*")
	pieces := []string{"a", "b", "/", "*", "%"}
	for n := range 5 * 5 * 5 * 5 * 5 * 5 {
		pattern := ""
		for k := n; k > 0; k /= 5 {
			pattern += pieces[k%5]
		}
		want := regexp.MustCompile("^" + replace.Replace(pattern) + "$")
		for _, name := range []string{"a", "ab", "a/b", "a/b/a", "bb/a"} {
			if got := matches(name, []string{simplify(pattern)}); got != want.MatchString(name) {
				t.Fatalf("%q, %q: got %v", pattern, name, got)
			}
		}
	}
	for _, p := range []string{strings.Repeat("*%", 20_000), strings.Repeat("*a", 20_000)} {
		if got, want := matches(strings.Repeat("a", 100), []string{simplify(p)}), !strings.Contains(p, "a"); got != want {
			t.Errorf("%.10q…: got %v", p, got)
		}
	}
}
