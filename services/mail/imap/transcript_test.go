package imap

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cairn/services/mail/mailbox"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the server says into testdata; then hold it against the RFC")

// TestTranscripts says what testdata has behind C: and compares with what it has behind S:. C2: and S2: are a
// second client's. Each client has logged in as alice, but in files whose first line has the word stranger. D: delivers a file
// of the archive into the mailbox that is its folder. A message's line ends are CRLF.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := &play{t: t, h: newHouse(t, func(h *house) {
				h.Boxes = mailbox.Open(h.repo, mailbox.Options{Now: now, Quota: func(string) mailbox.Quota { return mailbox.Quota{Bytes: 1 << 20, Messages: 100} }})
			}), archive: a, clients: map[string]*client{}}
			p.stranger = strings.Contains(strings.SplitN(string(a.Comment), "\n", 2)[0], "stranger")
			for i := range a.Files {
				if f := &a.Files[i]; f.Name == "transcript" {
					f.Data = []byte(p.run(string(f.Data)))
				}
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(a), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A play is a transcript being run.
type play struct {
	t        *testing.T
	h        *house
	archive  *txtar.Archive
	clients  map[string]*client
	stranger bool
}

func (p *play) client(name string) *client {
	c := p.clients[name]
	if c == nil {
		if c = p.h.dial(); !p.stranger {
			c.ok(`LOGIN alice "` + alicePassword + `"`)
		}
		p.clients[name] = c
	}
	return c
}

// run runs the lines of a transcript and returns them as they were.
func (p *play) run(script string) string {
	var out strings.Builder
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		who, text, _ := strings.Cut(line, ":")
		text = strings.TrimPrefix(text, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case who == "D":
			p.deliver(text)
		case who[0] == 'C':
			p.client(who[1:]).write(text + "\r\n")
		case who[0] == 'S':
			got, err := p.client(who[1:]).r.ReadString('\n')
			if err == io.EOF && text == "EOF" {
				got = text
			} else if err != nil {
				p.t.Fatalf("want %q: %v", text, err)
			}
			if got = strings.TrimRight(got, "\r\n"); !same(got, text) {
				if !*update {
					p.t.Fatalf("after %s\n got %q\nwant %q", tail(out.String()), got, text)
				}
				line = who + ": " + got
			}
		default:
			p.t.Fatalf("line %q", line)
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

func tail(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "\n")
}

// same compares a line with one in which "…" stands for anything.
func same(got, want string) bool {
	before, after, any := strings.Cut(want, "…")
	if !any {
		return got == want
	}
	return strings.HasPrefix(got, before) && strings.HasSuffix(got[len(before):], after)
}

func (p *play) deliver(name string) {
	for _, f := range p.archive.Files {
		if f.Name == name {
			p.h.put("alice", filepath.Dir(name), strings.ReplaceAll(string(f.Data), "\n", "\r\n"))
			return
		}
	}
	p.t.Fatalf("no file %q", name)
}
