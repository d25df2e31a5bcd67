package message

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"
)

// corpus is the public mail corpus of SpamAssassin: 6046 messages of real people and programs.
const corpus = "/var/cache/cairn-judges/datasets-spam-assassin-0.2.3.tgz"

// python reads JSON strings, a message each, and writes what its email package finds
// in them: the types of the parts, the addresses in From, the date.
const python = `
import sys, json, email, email.utils
for line in sys.stdin:
    m = email.message_from_bytes(json.loads(line).encode('utf-8', 'surrogatepass'))
    date = email.utils.parsedate_tz(m.get('date') or '')
    try:
        date = email.utils.mktime_tz(date) if date else None
    except (ValueError, OverflowError):
        date = None
    print(json.dumps({
        'Types': ' '.join(p.get_content_type() for p in m.walk()),
        'From': ' '.join(a for _, a in email.utils.getaddresses([str(v) for v in m.get_all('from', [])]) if a),
        'Date': date,
    }))
`

// reading is what one of us finds in a message.
type reading struct {
	Types, From string
	Date        *int64
}

func read(raw []byte) (r reading) {
	var types, from []string
	h := ParseHeader(raw)
	for p := range Parts(raw) {
		types = append(types, p.Type)
	}
	for _, a := range h.Addresses("From") {
		from = append(from, a.Local+"@"+a.Domain)
	}
	if t, ok := h.Date(); ok {
		unix := t.Unix()
		r.Date = &unix
	}
	r.Types, r.From = strings.Join(types, " "), strings.Join(from, " ")
	return r
}

// TestPython compares with what Python's email package finds in real messages. They differ on
// purpose about some two dozen: zones such as BST and GMT+1, times in PM, multiparts without any part, the
// insides of delivery reports.
func TestPython(t *testing.T) {
	if os.Getenv("CAIRN_LONG") == "" {
		t.Skip("only in the long campaign")
	}
	program, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	messages := readCorpus(t)
	var in, out bytes.Buffer
	for _, raw := range messages {
		b, _ := json.Marshal(string(raw))
		in.Write(append(b, '\n'))
	}
	cmd := exec.Command(program, "-c", python)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &out, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	var types, from, date int
	theirs := json.NewDecoder(&out)
	for _, raw := range messages {
		var want reading
		if err := theirs.Decode(&want); err != nil {
			t.Fatal(err)
		}
		got := read(raw)
		if got.Types != want.Types {
			types++
			t.Logf("parts: %s, to Python %s", got.Types, want.Types)
		}
		if got.From != want.From {
			from++
			t.Logf("from: %q, to Python %q", got.From, want.From)
		}
		if fmt.Sprint(unix(got.Date)) != fmt.Sprint(unix(want.Date)) {
			date++
			t.Logf("date: %v, to Python %v", unix(got.Date), unix(want.Date))
		}
	}
	if types > 10 || from > 24 || date > 24 {
		t.Errorf("of %d messages we read the parts of %d, the sender of %d and the date of %d otherwise than Python", len(messages), types, from, date)
	}
}

func unix(t *int64) any {
	if t == nil {
		return "none"
	}
	return *t
}

func readCorpus(t *testing.T) (all [][]byte) {
	t.Helper()
	f, err := os.Open(corpus)
	if errors.Is(err, fs.ErrNotExist) {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatalf("no corpus of mail at %s, which .ci/run fetches", corpus)
		}
		t.Skipf("no corpus of mail at %s", corpus)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for in := tar.NewReader(unzip); ; {
		h, err := in.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		var m struct{ Text string }
		if path.Ext(h.Name) == ".json" && json.NewDecoder(in).Decode(&m) == nil && m.Text != "" {
			all = append(all, []byte(m.Text))
		}
	}
}
