package acme

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for name, want := range map[string]string{
		"example.org":      "example.org",
		"WWW.Example.ORG.": "www.example.org",
		"*.example.org":    "*.example.org",
		"bücher.example":   "xn--bcher-kva.example",
		"a.b.c.example":    "a.b.c.example",
		"":                 "", "org": "", "*": "", "*.org": "",
		"a.*.example.org": "", "*.*.example.org": "", "a..example.org": "",
		"127.0.0.1": "", "::1": "", "1.2": "",
		"my host.example.org": "", "a_b.example.org": "", "example.org/x": "", "a\x00.example.org": "",
		"x.localhost": "", "x.invalid": "",
		strings.Repeat("a", 64) + ".org":  "",
		strings.Repeat("a.", 130) + "org": "",
	} {
		got, err := CheckName(name)
		if got != want || (want == "") != errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: got %q, %v, want %q", name, got, err, want)
		}
	}
}

func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"example.org", "*.example.org", "bücher.example", "xn--", "127.0.0.1", "*.", "..", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, err := CheckName(name)
		if err != nil {
			return
		}
		if again, err := CheckName(got); again != got || err != nil {
			t.Errorf("%q gives %q, which gives %q, %v", name, got, again, err)
		}
		if strings.Trim(safe(got), "abcdefghijklmnopqrstuvwxyz0123456789-._") != "" || strings.Contains(got, "..") {
			t.Errorf("%q gives %q", name, got)
		}
	})
}

func TestOptions(t *testing.T) {
	good := Options{Names: []string{"example.org"}, HTTP01: true}
	if err := good.check(); err != nil || good.Directory != LetsEncrypt {
		t.Errorf("got %v, directory %q", err, good.Directory)
	}
	key := DNS01{Server: "192.0.2.1:53", Key: "k", Secret: "AAAA"}
	for what, o := range map[string]Options{
		"no challenge":       {},
		"not https":          {Directory: "http://example.org/dir", HTTP01: true},
		"no URL":             {Directory: "letsencrypt", HTTP01: true},
		"asterisk, no DNS":   {Names: []string{"*.example.org"}, HTTP01: true},
		"no name":            {Names: []string{"localhost"}, HTTP01: true},
		"DNS without port":   {DNS01: &DNS01{Server: "192.0.2.1", Key: key.Key, Secret: key.Secret}},
		"DNS without key":    {DNS01: &DNS01{Server: key.Server, Secret: key.Secret}},
		"DNS with no base64": {DNS01: &DNS01{Server: key.Server, Key: key.Key, Secret: "!"}},
		"DNS with md5":       {DNS01: &DNS01{Server: key.Server, Key: key.Key, Secret: key.Secret, Algorithm: "hmac-md5"}},
		"DNS seen nowhere":   {DNS01: &DNS01{Server: key.Server, Key: key.Key, Secret: key.Secret, Visible: []string{"ns"}}},
	} {
		if err := o.check(); err == nil {
			t.Errorf("%s: got no error", what)
		}
	}
}

// TestMain runs several tests at once, as they wait more than they work.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// acmez does not raise its voice.
func TestQuiet(t *testing.T) {
	var levels levels
	log := quiet(slog.New(&levels))
	log.Error("bad")
	log.With("a", 1).Info("good")
	for _, l := range levels {
		if l > slog.LevelDebug {
			t.Errorf("logged at level %v", l)
		}
	}
	if len(levels) != 2 {
		t.Errorf("got %d lines, want 2", len(levels))
	}
}

// levels is a slog.Handler that keeps those of what it is given.
type levels []slog.Level

func (l *levels) Enabled(context.Context, slog.Level) bool { return true }
func (l *levels) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *levels) WithGroup(string) slog.Handler            { return l }
func (l *levels) Handle(_ context.Context, r slog.Record) error {
	*l = append(*l, r.Level)
	return nil
}
