package libos

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var sample = Manifest{
	Name:  "sample",
	About: "Sample is one.",
	Ports: []Port{
		{Name: "http", Host: "127.0.0.1:8080", Own: ":80", Help: "Where."},
		{Name: "dns", Network: "udp", Help: "Where too."},
	},
	State: &Folder{Name: "home", Help: "Where things are kept.", Env: "SAMPLE_HOME"},
	Args: []Arg{
		{Name: "base", Default: "example.org", Help: "A name."},
		{Name: "private", Kind: Bool, Help: "Whether."},
		{Name: "poll", Kind: Duration, Default: "5m", Help: "How often."},
		{Name: "host", Kind: Repeated, Value: "SITE=HOST", Help: "A host."},
		{Name: "cert", Needs: "key", Help: "A certificate."},
		{Name: "key", Help: "A key."},
	},
}

func TestParse(t *testing.T) {
	a, err := sample.Parse(strings.Fields("-base example.net --private --poll=90s --host a=b -host=c=d --http [::]:80"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.String("base"), "example.net"; got != want {
		t.Errorf("base: got %q, want %q", got, want)
	}
	if !a.Bool("private") {
		t.Error("private: got false, want true")
	}
	if got, want := a.Duration("poll"), 90*time.Second; got != want {
		t.Errorf("poll: got %v, want %v", got, want)
	}
	if got, want := a.Strings("host"), []string{"a=b", "c=d"}; !slices.Equal(got, want) {
		t.Errorf("host: got %q, want %q", got, want)
	}
	if got, want := a.String("http"), "[::]:80"; got != want {
		t.Errorf("http: got %q, want %q", got, want)
	}
	if a.Given("home") || !a.Given("http") {
		t.Error("Given: got home or not http, want http and not home")
	}
}

func TestParseDefaults(t *testing.T) {
	variables := map[string]string{"SAMPLE_HOME": "/var/lib/sample"}
	a, err := sample.Parse(nil, func(name string) string { return variables[name] })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.String("home"), "/var/lib/sample"; got != want {
		t.Errorf("home: got %q, want %q", got, want)
	}
	if got, want := a.String("base"), "example.org"; got != want {
		t.Errorf("base: got %q, want %q", got, want)
	}
	if got, want := a.Duration("poll"), 5*time.Minute; got != want {
		t.Errorf("poll: got %v, want %v", got, want)
	}
	if a.Bool("private") || len(a.Strings("host")) != 0 || a.String("key") != "" {
		t.Error("got something of what nobody said")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--bass x", "there is no argument --bass: is --base meant?"},
		{"--frobnicate", "there is no argument --frobnicate"},
		{"file", `"file" is not an argument: they begin with --`},
		{"-", `"-" is not an argument: they begin with --`},
		{"--", `"--" is not an argument: they begin with --`},
		{"--base", "--base lacks its BASE"},
		{"--private=maybe", `--private is true or false, not "maybe"`},
		{"--poll soon", `--poll is a time such as 90s or 5m, not "soon"`},
		{"--poll -1s", `--poll is a time such as 90s or 5m, not "-1s"`},
		{"--cert c", "--cert goes with --key"},
	} {
		if _, err := sample.Parse(strings.Fields(c.args), nil); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.args, err, c.want)
		}
	}
	if _, err := sample.Parse([]string{"-help"}, nil); !errors.Is(err, ErrHelp) {
		t.Errorf("-help: got %v, want ErrHelp", err)
	}
	required := Manifest{Args: []Arg{{Name: "repo", Value: "DIR", Required: true}}}
	if _, err := required.Parse(nil, nil); err == nil || err.Error() != "--repo DIR is required" {
		t.Errorf("nothing: got %v, want that --repo is required", err)
	}
}

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	if err := sample.Help(&out); err != nil {
		t.Fatal(err)
	}
	want := `Usage: sample [arguments]

Sample is one.

  --home DIR        Where things are kept. [$SAMPLE_HOME]
  --http HOST:PORT  Where. Default: 127.0.0.1:8080 or a free port; with a network of its own :80.
  --dns HOST:PORT   Where too.
  --base BASE       A name. Default: example.org.
  --private         Whether.
  --poll TIME       How often. Default: 5m.
  --host SITE=HOST  A host. May be repeated.
  --cert CERT       A certificate.
  --key KEY         A key.
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestPlain makes sure that a manifest can be written down and read again.
func TestPlain(t *testing.T) {
	text, err := json.Marshal(sample)
	if err != nil {
		t.Fatal(err)
	}
	var got Manifest
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, sample) {
		t.Errorf("got %+v, %v, want %+v", got, err, sample)
	}
}

func TestUndeclared(t *testing.T) {
	a, err := sample.Parse(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func(){
		"a name nobody declared": func() { a.String("colour") },
		"another kind":           func() { a.Bool("base") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: got an answer, want a panic", name)
				}
			}()
			ask()
		}()
	}
}

func FuzzParse(f *testing.F) {
	f.Add("--base example.net --private --poll=90s --host a=b")
	f.Add("--home= -http :0 --=x - -- --private=maybe")
	f.Fuzz(func(t *testing.T, line string) {
		a, err := sample.Parse(strings.Fields(line), nil)
		if err == nil {
			a.Duration("poll")
			a.Bool("private")
			a.Strings("host")
		}
	})
}
