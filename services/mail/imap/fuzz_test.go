package imap

import (
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzConversation says anything at all to a server, before and after the log-in. Nothing may panic, nothing
// of ours may go wrong, which the log would have, and when the client goes the connection ends.
func FuzzConversation(f *testing.F) {
	for _, name := range []string{"condstore", "qresync", "sort", "small", "messages"} {
		a, err := txtar.ParseFile("testdata/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		var said strings.Builder
		for _, file := range a.Files {
			for line := range strings.Lines(string(file.Data)) {
				if text, ok := strings.CutPrefix(line, "C: "); ok {
					said.WriteString(strings.TrimSuffix(text, "\n") + "\r\n")
				}
			}
		}
		f.Add(true, said.String())
	}
	f.Add(false, "a AUTHENTICATE PLAIN\r\nAGFsaWNlAHg=\r\nb LOGIN {5+}\r\nalice {1+}\r\nx\r\n")
	f.Add(true, "a SELECT INBOX\r\nb APPEND INBOX (\\Seen) \" 1-Nov-2026 12:00:00 +0000\" {5+}\r\nhello\r\nc IDLE\r\nDONE\r\nd UID FETCH 1:* (BODY[1.MIME]<1.5> BINARY[1])\r\n")
	f.Add(true, "a APPEND INBOX UTF8 (~{5+}\r\nhello)\r\nb COMPRESS DEFLATE\r\n2 2A")
	var wrong atomic.Pointer[string] // what was logged that may not happen
	h := newHouse(f, func(h *house) {
		h.Log = slog.New(slog.NewTextHandler(writerFunc(func(p []byte) {
			line := string(p)
			wrong.Store(&line)
		}), &slog.HandlerOptions{Level: slog.LevelError}))
	})
	h.put("alice", "INBOX", hello, letterOf(3))
	l := h.listenInMemory()
	f.Fuzz(func(t *testing.T, known bool, said string) {
		if len(said) > 1<<14 {
			return
		}
		ours, theirs := net.Pipe()
		l.conns <- pipeConn{theirs, "127.0.0.1"}
		ours.SetDeadline(time.Now().Add(patience))
		heard := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, ours)
			heard <- err
		}()
		if known {
			io.WriteString(ours, "login LOGIN alice \""+alicePassword+"\"\r\nopen SELECT INBOX\r\n")
		}
		io.WriteString(ours, said)
		io.WriteString(ours, "\r\nDONE\r\nout LOGOUT\r\n")
		ours.Close()
		<-heard
		for deadline := time.Now().Add(patience); h.count.open() > 0; time.Sleep(100 * time.Microsecond) {
			if time.Now().After(deadline) {
				t.Fatal("the connection does not end")
			}
		}
		if line := wrong.Load(); line != nil {
			t.Fatal(*line)
		}
	})
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// FuzzScan reads the arguments of commands. What is read as a set and written has to be the same when it is
// read again.
func FuzzScan(f *testing.F) {
	for _, s := range []string{"1:*,5,3:2", "(FLAGS BODY.PEEK[1.HEADER.FIELDS (To {4+}\r\nFrom)]<0.10>) (CHANGEDSINCE 5)", "(UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen $x)",
		"OR NOT (1:5 TEXT \"a\\\"b\") MODSEQ \"/flags/x\" all 5 SENTON 1-Feb-2020", "(1 5 1:4 (1:2 1,4))"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := (&scanner{b: []byte(text)}).set(); err == nil && !n.saved {
			again, err := (&scanner{b: []byte(strings.ReplaceAll(n.String(), "4294967295", "*"))}).set() // as star is written
			if err != nil || again.String() != n.String() {
				t.Errorf("%q: got %q, %v; want %q", text, again, err, n)
			}
		}
		parseFetch(&scanner{b: []byte(text)})
		parseStore(&scanner{b: []byte(text)})
		parseResync(&scanner{b: []byte(text)})
		idPairs(&scanner{b: []byte(text)})
	})
}
