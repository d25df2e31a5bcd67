package caldav

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestSetupTranscripts goes through testdata/setup: what clients send when an account
// is set up and synchronized for the first time, written from their sources and from
// the RFCs. It is as in TestReportTranscripts; "nobody:" is a request without a
// log-in, and an answer begins with the headers that matter.
func TestSetupTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/setup/*.txtar")
	check(t, err)
	if len(files) == 0 {
		t.Fatal("there are no transcripts")
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			check(t, err)
			tr := transcript{house: open(t)}
			for i, f := range a.Files {
				if f.Name == "C:" && !strings.Contains(string(f.Data), "\n\n") {
					f.Data = append(f.Data[:len(f.Data):len(f.Data)], '\n') // headers alone
				}
				switch {
				case f.Name == "nobody:":
					lines := strings.Split(strings.TrimSuffix(string(f.Data), "\n"), "\n")
					method, path, _ := strings.Cut(lines[0], " ")
					tr.answer = tr.do("", method, path, "", lines[1:]...)
				case f.Name != "S:":
					tr.step(f)
				default:
					got := tr.heardHeaders() + aHash.ReplaceAllString(tr.heard(), "HASH")
					if *update {
						a.Files[i].Data = []byte(got)
					} else if got != string(f.Data) {
						t.Errorf("%s: got\n%s\nwant\n%s", a.Files[i-1].Name, got, f.Data)
					}
				}
			}
			if *update {
				check(t, os.WriteFile(name, txtar.Format(a), 0o644))
			}
		})
	}
}

var aHash = regexp.MustCompile(`\b[0-9a-f]{40}\b`)

// heardHeaders are the headers of the answer that clients look at.
func (tr *transcript) heardHeaders() string {
	var b strings.Builder
	for _, name := range []string{"DAV", "Allow", "Location", "WWW-Authenticate", "Preference-Applied"} {
		if v := tr.answer.header.Get(name); v != "" {
			b.WriteString(name + ": " + v + "\n")
		}
	}
	return b.String()
}
