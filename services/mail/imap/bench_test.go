package imap

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"cairn/services/mail/mailbox"
	"cairn/store"
	"cairn/store/gitdir"
)

// filled starts a server over a repository on disk with n messages of 4 KB in INBOX.
func filled(b *testing.B, n int) *house {
	b.Helper()
	name := b.TempDir()
	if err := gitdir.Init(name); err != nil {
		b.Fatal(err)
	}
	dir, err := gitdir.Open(name, gitdir.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { dir.Close() })
	h := newHouseOver(b, store.New(dir, store.Options{}), func(h *house) { h.Log = slog.New(slog.DiscardHandler) })
	for k := 0; k < n; k += 1000 {
		var batch []string
		for i := range min(1000, n-k) {
			batch = append(batch, letterOf(k+i))
		}
		h.put("alice", mailbox.Inbox, batch...)
	}
	return h
}

var vocabulary = strings.Fields(`boat harbour letter morning evening river bridge lantern table window garden
	winter summer copper silver candle paper ink stamp parcel market ticket train platform engine signal whistle`)

// letterOf is the i-th message: about 4 KB of words.
func letterOf(i int) string {
	var text strings.Builder
	seed := uint32(i)*2654435761 + 1
	for text.Len() < 3600 {
		seed = seed*1664525 + 1013904223
		text.WriteString(vocabulary[seed>>16%uint32(len(vocabulary))])
		if text.WriteByte(' '); seed>>8%11 == 0 {
			text.WriteString("\r\n")
		}
	}
	return fmt.Sprintf("Received: from a.example.org by b.example.org; Sun, 1 Nov 2026 12:00:00 +0000\r\nFrom: Bob <bob%d@example.org>\r\nTo: alice@example.org\r\n"+
		"Subject: number %d\r\nDate: Sun, 1 Nov 2026 12:00:00 +0000\r\nMessage-ID: <%d@example.org>\r\n\r\n%s\r\nserial%dnumber\r\n", i%50, i, i, text.String(), i)
}

// size is how many messages the mailboxes of benchmarks have.
func size() int {
	if os.Getenv("CAIRN_LONG") == "1" {
		return 100_000
	}
	return 10_000
}

// drain says a command and reads what comes as fast as it comes.
func (c *client) drain(command string) int64 {
	c.t.Helper()
	c.n++
	tag := fmt.Sprintf("t%d ", c.n)
	c.write(tag + command + "\r\n")
	var total int64
	for {
		line, err := c.r.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			total += int64(len(line))
			continue
		}
		if err != nil {
			c.t.Fatal(err)
		}
		if total += int64(len(line)); len(line) > 3 && line[0] == 't' && strings.HasPrefix(string(line), tag) {
			if !strings.HasPrefix(string(line), tag+"OK") {
				c.t.Fatalf("%s: %s", command, line)
			}
			return total
		}
		if line[len(line)-3] == '}' {
			n, _, _ := literalSize(line)
			if _, err := io.CopyN(io.Discard, c.r, n); err != nil {
				c.t.Fatal(err)
			}
			total += n
		}
	}
}

func BenchmarkCommands(b *testing.B) {
	n := size()
	h := filled(b, n)
	c := h.open("INBOX")
	c.r = bufio.NewReaderSize(c.conn, 256<<10)
	for _, bench := range []struct{ name, command string }{
		{"select", "SELECT INBOX"},
		{"flags", "FETCH 1:* (FLAGS)"},
		{"flags-uid-modseq", "UID FETCH 1:* (FLAGS MODSEQ)"},
		{"bodies-100", fmt.Sprintf("FETCH %d:%d (BODY.PEEK[])", n/2, n/2+99)},
		{"envelopes-1000", fmt.Sprintf("FETCH %d:%d (ENVELOPE BODYSTRUCTURE)", n/2, n/2+999)},
		{"search-text-first", "SEARCH TEXT serial77number"},
		{"search-text", "SEARCH TEXT serial78number"},
		{"search-text-common", "SEARCH TEXT lantern"},
		{"search-subject", "SEARCH SUBJECT 4711"},
		{"search-unseen", "SEARCH UNSEEN SINCE 1-Jan-2026"},
		{"sort-date", "SORT (DATE) UTF-8 ALL"},
		{"thread", "THREAD REFERENCES UTF-8 ALL"},
		{"store-1000", "STORE 1:1000 +FLAGS.SILENT (\\Answered)"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				c.drain(bench.command)
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, sessions := range []int{1, 10} {
		b.Run(fmt.Sprint(sessions), func(b *testing.B) {
			h := filled(b, 1000)
			var all []*client
			for range sessions {
				all = append(all, h.open("INBOX"))
			}
			message := letterOf(1)
			next := make(chan int)
			var wait sync.WaitGroup
			for _, c := range all {
				wait.Go(func() {
					for range next {
						c.drain(fmt.Sprintf("APPEND INBOX {%d+}\r\n%s", len(message), message))
					}
				})
			}
			b.ResetTimer()
			for range b.N {
				next <- 1
			}
			close(next)
			wait.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
