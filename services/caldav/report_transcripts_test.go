package caldav

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what was answered into the transcripts")

// TestReportTranscripts goes through testdata/reports: examples of the RFCs with objects of our own. A section "put PATH" stores
// an object, "delete PATH" removes one, "C: …" is a request (first line, headers, empty line, body), the
// "S:" behind it the answer. Entity tags and tokens have names there, as they differ each time.
func TestReportTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/reports/*.txtar")
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
				if f.Name != "S:" {
					tr.step(f)
				} else if got := tr.heard(); got != string(f.Data) {
					if *update {
						a.Files[i].Data = []byte(got)
						continue
					}
					t.Errorf("%s: got\n%s\nwant\n%s", a.Files[i-1].Name, got, f.Data)
				}
			}
			if *update {
				check(t, os.WriteFile(name, txtar.Format(a), 0o644))
			}
		})
	}
}

// A transcript is a conversation on its way.
type transcript struct {
	*house
	answer *answer
	tokens []string
}

func (tr *transcript) step(f txtar.File) {
	tr.t.Helper()
	verb, path, _ := strings.Cut(f.Name, " ")
	switch verb {
	case "put":
		tr.put(path, string(f.Data))
	case "delete":
		tr.do("alice", "DELETE", path, "").want(http.StatusNoContent)
	case "C:":
		head, body, _ := strings.Cut(string(f.Data), "\n\n")
		lines := strings.Split(head, "\n")
		method, path, _ := strings.Cut(lines[0], " ")
		for i, token := range tr.tokens {
			body = strings.ReplaceAll(body, fmt.Sprint("TOKEN", i+1), token)
		}
		tr.answer = tr.do("alice", method, path, body, lines[1:]...)
	default:
		tr.t.Fatalf("there is no step %q", f.Name)
	}
}

var (
	anETag    = regexp.MustCompile(`"[0-9a-f]{40}"`)
	namespace = regexp.MustCompile(` xmlns:[a-z]+="[^"]*"`)
	dtstamp   = regexp.MustCompile(`DTSTAMP:2[0-9TZ]+`)
)

// heard is the answer in a form that does not change and that people can read.
func (tr *transcript) heard() string {
	body := tr.answer.body
	if m := syncToken.FindStringSubmatch(body); m != nil {
		tr.tokens = append(tr.tokens, m[1])
		body = strings.ReplaceAll(body, m[1], fmt.Sprint("TOKEN", len(tr.tokens)))
	}
	body = anETag.ReplaceAllString(body, `"ETAG"`)
	body = namespace.ReplaceAllString(body, "")
	if strings.HasPrefix(tr.answer.header.Get("Content-Type"), "text/calendar") {
		body = dtstamp.ReplaceAllString(body, "DTSTAMP:NOW")
	}
	const begin, end = "<d:response>", "</d:response>"
	if from, to := strings.Index(body, begin), strings.LastIndex(body, end); from >= 0 { // in what order does not matter
		parts := strings.Split(body[from+len(begin):to], end+"\n"+begin)
		slices.Sort(parts)
		body = body[:from+len(begin)] + strings.Join(parts, end+"\n"+begin) + body[to:]
	}
	body = strings.ReplaceAll(strings.ReplaceAll(body, "><", ">\n<"), "\r", "")
	return fmt.Sprintf("%d %s\n%s\n\n%s", tr.answer.status, http.StatusText(tr.answer.status), tr.answer.header.Get("Content-Type"), body)
}
