package managesieve

import (
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the server says into testdata; then hold it against RFC 5804")

// TestTranscripts says what testdata has behind C: and compares with what it has behind S:, where … stands for
// anything. LOGIN stands for alice's PLAIN response. T: begins TLS.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		check(t, err)
		for i := range a.Files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+a.Files[i].Name, func(t *testing.T) {
				a.Files[i].Data = []byte(play(t, string(a.Files[i].Data)))
			})
		}
		if *update && !t.Failed() {
			check(t, os.WriteFile(file, txtar.Format(a), 0o666))
		}
	}
}

// play says the lines of a transcript and returns them as they were.
func play(t *testing.T, script string) string {
	c := newHouse(t, nil).dial()
	secret := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + alicePassword))
	var out strings.Builder
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		who, text, _ := strings.Cut(line, ": ")
		switch who {
		case "C":
			c.write(strings.ReplaceAll(text, "LOGIN", secret) + "\r\n")
		case "T":
			c.secure()
		case "S":
			got, err := c.r.ReadString('\n')
			if err != nil {
				t.Fatalf("after\n%s want %q: %v", out.String(), text, err)
			}
			if got = strings.TrimRight(got, "\r\n"); !same(got, text) {
				if !*update {
					t.Fatalf("after\n%s got %q\nwant %q", out.String(), got, text)
				}
				line = "S: " + got
			}
		case "E": // the connection ends
			if got := c.rest(); got != "" {
				t.Errorf("after\n%s got %q, want the end", out.String(), got)
			}
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

// same compares a line with one in which … stands for anything.
func same(got, want string) bool {
	before, after, any := strings.Cut(want, "…")
	if !any {
		return got == want
	}
	return strings.HasPrefix(got, before) && strings.HasSuffix(got[len(before):], after)
}
