package smtp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"cairn/services/mail/message"
)

// A script is a connection whose client says something, does not wait for replies, and goes.
type script struct {
	net.Conn
	in  *bytes.Reader
	out bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)       { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error)      { return s.out.Write(p) }
func (s *script) Close() error                     { return nil }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }
func (s *script) RemoteAddr() net.Addr             { return net.TCPAddrFromAddrPort(mustAddr("127.0.0.1")) }

var validReplies = regexp.MustCompile(`\A(([2345][0-9][0-9])([ -])[^\x00-\x1f\x7f]*\r\n)+\z`)

// FuzzDialogue says anything to the server, before and after a log-in. Whatever is said, the replies are replies, the memory
// comes back, nobody but the house's people gets mail on port 25, and what they get is text.
func FuzzDialogue(f *testing.F) {
	names, err := filepath.Glob("testdata/*.txt")
	check(f, err)
	for _, name := range names {
		data, err := os.ReadFile(name)
		check(f, err)
		var said strings.Builder
		for line := range strings.SplitSeq(string(data), "\n") {
			if rest, ok := strings.CutPrefix(line, "C: "); ok {
				said.WriteString(rest + "\r\n")
			} else if rest, ok := strings.CutPrefix(line, "Q: "); ok {
				raw, err := strconv.Unquote(rest)
				check(f, err)
				said.WriteString(raw)
			}
		}
		f.Add([]byte(said.String()), false)
		f.Add([]byte(said.String()), true)
	}
	f.Add([]byte("EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n"+letter+".\r\n"), false)
	f.Add([]byte("EHLO a\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nBDAT 25 LAST\r\nFrom: alice@example.org\r\n"), true)
	var h *house
	runs := 0
	f.Fuzz(func(t *testing.T, said []byte, submission bool) {
		if h == nil || runs%300 == 0 { // so that mailboxes stay small
			h = open(t)
			h.server.Limits.Faults, h.server.Limits.Message = 1000, 1<<20
			h.server.init()
		}
		h.t = t
		runs++
		kind := Relay
		if submission {
			kind = Submission
			login := "EHLO a\r\nAUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00alice\x00"+h.passwords["alice"])) + "\r\n"
			said = append([]byte(login), said...)
		}
		conn := &script{in: bytes.NewReader(said)}
		h.server.serve(context.Background(), conn, kind)
		if out := conn.out.Bytes(); !validReplies.Match(out) {
			t.Errorf("got %q, want replies", out)
		}
		if free := h.server.memory.free; free != h.server.Limits.Memory {
			t.Errorf("free is %d, want %d", free, h.server.Limits.Memory)
		}
		if bytes.Count(conn.out.Bytes(), []byte("250 2.0.0 taken as")) == 0 {
			return
		}
		for _, item := range h.queued() {
			for _, to := range item.To {
				if !submission && to.Address != "carol@elsewhere.example" {
					t.Fatalf("queued for %s: %q", to.Address, said)
				}
			}
		}
		if bytes.Contains(bytes.ToUpper(said), []byte("BINARYMIME")) {
			h = nil // mailboxes may hold anything now
		} else {
			for _, user := range []string{"alice", "bob"} {
				for _, got := range h.got(user, "INBOX") {
					if facts := message.Inspect([]byte(got)); facts.BareCR || facts.BareLF || facts.NUL {
						t.Fatalf("%s got %q, which is no text", user, got)
					}
				}
			}
		}
	})
}

// FuzzText compares what is read after DATA with what RFC 5321 says of its end.
func FuzzText(f *testing.F) {
	for _, s := range []string{".\r\n", "a\r\n.\r\nb", "..\r\n.\r\n", "a\n.\r\n.\r\n", "\r\r\n.\r\n", ".\r.\r\n.\r\n", "a\x00\r\n.\r\n", strings.Repeat("x", 40) + "\r\n.\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		memory := newBudget(1 << 30)
		got := &text{limit: 1 << 20, line: 1 << 16, memory: memory}
		rest := bytes.NewReader(data)
		r := bufio.NewReaderSize(rest, 16)
		err := got.readData(r)
		end := bytes.Index(append([]byte("\r\n"), data...), []byte("\r\n.\r\n"))
		if (err == nil) != (end >= 0) {
			t.Fatalf("got %v, want an end: %v", err, end >= 0)
		}
		if err != nil {
			return
		}
		if left := r.Buffered() + rest.Len(); left != len(data)-end-3 {
			t.Fatalf("%d bytes are left, want %d", left, len(data)-end-3)
		}
		facts := message.Inspect(data[:end])
		if bad := facts.BareCR || facts.BareLF || facts.NUL; bad != (got.finish() != noFlaw) {
			t.Fatalf("flaw %d, want one: %v", got.flaw, bad)
		}
		if want := strings.ReplaceAll("\r\n"+string(data[:end]), "\r\n.", "\r\n")[2:]; got.flaw == noFlaw && string(got.bytes) != want {
			t.Fatalf("got %q, want %q", got.bytes, want)
		}
		got.free()
		if memory.free != 1<<30 {
			t.Fatalf("memory: %d are free", memory.free)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"<alice@example.org>", `<"a b"@example.org> SIZE=1`, "<@a:b@c>", "<jürgen@exämple.org>", `<"\""@[IPv6:::1]>`, "<>", "<Postmaster>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		address, _, ok := cutPath(s)
		if !ok {
			return
		}
		if len(address) > maxAddress || strings.ContainsFunc(address, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Fatalf("%q: got %q", s, address)
		}
		again, params, ok := cutPath("<" + address + ">")
		if !ok || again != address || params != "" {
			t.Fatalf("%q: got %q, and of that %q, %v", s, address, again, ok)
		}
	})
}
