package sieve

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzScript makes sure that no script and no message brings anything down, and that what comes out is
// within its bounds.
func FuzzScript(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, s := range txtar.Parse(data).Files {
			f.Add(s.Data, []byte(letter))
		}
	}
	f.Add([]byte(`require ["variables", "body", "date"]; if anyof (body :matches "*a*", date :zone "+0000" "date" "hour" "1") { set "x" "${1}"; }`), []byte("Date: 1\r\n\r\nbanana"))
	f.Add([]byte(`require ["envelope", "subaddress", "relational"]; if envelope :detail :value "gt" "to" "${1}" { redirect "a@b.example"; }`), []byte(letter))
	f.Fuzz(func(t *testing.T, script, raw []byte) {
		s, err := Parse(script)
		if err != nil {
			return
		}
		in := input("")
		in.Raw = raw
		o, err := s.Run(in)
		if err != nil {
			return
		}
		if len(o.Redirect) > MaxRedirects || len(o.File) > maxActions+1 || o.Reject != "" && len(o.File)+len(o.Redirect) > 0 {
			t.Errorf("got %s", told(o))
		}
		if v := o.Vacation; v != nil {
			v.Silence(raw, in.From, func(string) bool { return false })
			v.Compose(raw, Stamp{To: in.From, Now: now, Host: "localhost"})
		}
	})
}
