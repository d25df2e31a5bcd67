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
	Disks: []Disk{{Name: "data", Required: true, Help: "A disk."}, {Name: "media", ReadOnly: true, Help: "Another."}},
	State: &Folder{Name: "home", Help: "Where things are kept.", Env: "SAMPLE_HOME"},
	Args: []Arg{
		{Name: "base", Default: "example.org", Help: "A name."},
		{Name: "private", Kind: Bool, Help: "Whether."},
		{Name: "poll", Kind: Duration, Default: "5m", Help: "How often."},
		{Name: "host", Kind: Repeated, Value: "SITE=HOST", Help: "A host."},
		{Name: "cert", Needs: "key", Help: "A certificate."},
		{Name: "key", Help: "A key."},
		{Name: "seed-file", Kind: File, Env: "SAMPLE_SEED_FILE", Help: "A secret."},
		{Name: "trust", Kind: Files, Value: "KEYFILE", Help: "Keys."},
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
	for word, want := range map[string]error{"-help": ErrHelp, "-h": ErrHelp, "--version": ErrVersion, "version": ErrVersion, "--manifest": ErrManifest} {
		if _, err := sample.Parse([]string{"--base", "x", word}, nil); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", word, err, want)
		}
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
  --data DISK       A disk. Required.
  --media DISK      Another.
  --base BASE       A name. Default: example.org.
  --private         Whether.
  --poll TIME       How often. Default: 5m.
  --host SITE=HOST  A host. May be repeated.
  --cert CERT       A certificate.
  --key KEY         A key.
  --seed-file FILE  A secret. [$SAMPLE_SEED_FILE]
  --trust KEYFILE   Keys. May be repeated.

Besides: --help, --version, and --manifest, which prints all this as JSON.
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
	if err := json.Unmarshal([]byte(`{"args":[{"name":"a","kind":"colour","help":""}]}`), &got); err == nil {
		t.Error("a kind that there is not: got no error")
	}
}

// TestJSON holds the form in which images carry manifests.
func TestJSON(t *testing.T) {
	text, err := json.Marshal(Manifest{
		Name: "a", About: "A.",
		Ports: []Port{{Name: "p", Own: ":1", Help: "P."}},
		Peers: []Peer{{Arg: "f", Why: "w"}},
		State: &Folder{Name: "s", Help: "S."},
		Disks: []Disk{{Name: "d", Help: "D.", ReadOnly: true}},
		Args:  []Arg{{Name: "f", Kind: File, Help: "F."}, {Name: "g", Help: "G.", Required: true}},
	})
	want := `{"name":"a","about":"A.","ports":[{"name":"p","help":"P.","own":":1"}],"peers":[{"arg":"f","why":"w"}],` +
		`"state":{"name":"s","help":"S."},"disks":[{"name":"d","help":"D.","readOnly":true}],` +
		`"args":[{"name":"f","kind":"file","help":"F."},{"name":"g","help":"G.","required":true}]}`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}

func TestFiles(t *testing.T) {
	a, err := sample.Parse(strings.Fields("--seed-file s --trust b --trust a --trust s --base base"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.Files(), []string{"a", "b", "s"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := a.String("seed-file")+a.Strings("trust")[0], "sb"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e := Env{Args: a, Files: func(name string) ([]byte, error) { return []byte("in " + name), nil }}
	if got, err := e.ReadFile("b"); string(got) != "in b" || err != nil {
		t.Errorf("b: got %q, %v", got, err)
	}
	for _, name := range []string{"base", "x", "./s", ""} {
		if got, err := e.ReadFile(name); !errors.Is(err, ErrNotNamed) {
			t.Errorf("%q, which no argument names: got %q, %v", name, got, err)
		}
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
		"a file that is text":    func() { a.Strings("seed-file") },
		"a disk":                 func() { Env{Manifest: sample}.Disk("home") },
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
