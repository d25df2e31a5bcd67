package sts

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Policy{
		"version: STSv1\r\nmode: enforce\r\nmx: MX.example.org\r\nmx: *.example.net\r\nmax_age: 604800\r\n": {Enforce, []string{"mx.example.org", "*.example.net"}, 7 * 24 * time.Hour},
		"version:STSv1\nmode:testing\nmx:a.test\nmax_age:1":                                                 {Testing, []string{"a.test"}, time.Second},
		"version: STSv1\nmode: none\nmax_age: 99999999\nother: x\n\n":                                       {None, nil, maxAge},
		"mode: enforce\nmode: none\nmx: a.test\nmax_age: 5\nversion: STSv1\n":                               {Enforce, []string{"a.test"}, 5 * time.Second},
	} {
		if got, err := Parse([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "hello", "<html>", "version: STSv2\nmode: none\nmax_age: 1", "version: STSv1\nmode: enforce\nmax_age: 1", "version: STSv1\nmode: what\nmx: a\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: a\n", "version: STSv1\nmode: enforce\nmx: a\nmax_age: -1", "version: STSv1\nmode: enforce\nmax_age: 1\n" + strings.Repeat("mx: a\n", 300), strings.Repeat("x: y\n", 20000),
	} {
		if got, err := Parse([]byte(text)); err == nil {
			t.Errorf("%.60q: got %+v, want an error", text, got)
		}
	}
}

func TestMatch(t *testing.T) {
	p := Policy{MX: []string{"mx.example.org", "*.example.net"}}
	for host, want := range map[string]bool{
		"mx.example.org": true, "MX.Example.ORG.": true, "a.mx.example.org": false, "a.example.net": true, "a.b.example.net": false, "example.net": false, ".example.net": false, "": false,
	} {
		if got := p.Match(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}

func TestParseRecord(t *testing.T) {
	for _, test := range []struct {
		records []string
		want    string
	}{
		{[]string{"v=STSv1; id=20160831085700Z;"}, "20160831085700Z"}, {[]string{"v=STSv1;id=1"}, "1"}, {[]string{"other", "v=STSv1; x=y; id = 5 "}, "5"},
		{nil, ""}, {[]string{"v=STSv1"}, ""}, {[]string{"v=STSv1; id=1", "v=STSv1; id=2"}, ""}, {[]string{"v=STSv10; id=1"}, ""}, {[]string{"v=STSv1; id=a b"}, ""},
		{[]string{"v=STSv1; id=" + strings.Repeat("1", 33)}, ""},
	} {
		id, ok := ParseRecord(test.records)
		if ok != (test.want != "") || ok && id != test.want {
			t.Errorf("%q: got %q, %v, want %q", test.records, id, ok, test.want)
		}
	}
}

type dns map[string][]string

func (d dns) LookupTXT(_ context.Context, name string) ([]string, error) {
	if r, ok := d[name]; ok {
		return r, nil
	}
	return nil, errors.New("no such host")
}

type web struct {
	answer  func() (*http.Response, error)
	fetched int
}

func (w *web) RoundTrip(r *http.Request) (*http.Response, error) {
	w.fetched++
	res, err := w.answer()
	if res != nil {
		res.Request = r
	}
	return res, err
}

// TestCache: a policy is fetched when its id changes, what cannot be fetched leaves the old one in force
// for its time, and is not asked for all the time.
func TestCache(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d := dns{"_mta-sts.example.org.": {"v=STSv1; id=1"}}
	page := func(code int, kind, text string) func() (*http.Response, error) {
		return func() (*http.Response, error) {
			return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(text))}, nil
		}
	}
	policy := func(mode string) string {
		return "version: STSv1\nmode: " + mode + "\nmx: mx.example.org\nmax_age: 86400\n"
	}
	w := &web{answer: page(200, "text/plain", policy("enforce"))}
	c := &Cache{Resolver: d, HTTP: &http.Client{Transport: w}, Now: func() time.Time { return now }}
	check := func(step string, domain string, mode Mode, fetched int) {
		t.Helper()
		if got := c.Policy(t.Context(), domain).Mode; got != mode || w.fetched != fetched {
			t.Errorf("%s: got %q after %d fetches, want %q after %d", step, got, w.fetched, mode, fetched)
		}
	}
	check("a domain without", "example.net", "", 0)
	check("at first", "example.org", Enforce, 1)
	check("again", "example.org", Enforce, 1)
	d["_mta-sts.example.org."] = []string{"v=STSv1; id=2"}
	w.answer = page(200, "text/html", policy("none"))
	check("a page that is none", "example.org", Enforce, 2)
	check("soon after", "example.org", Enforce, 2)
	now = now.Add(time.Hour)
	w.answer = page(404, "text/plain", policy("none"))
	check("not there", "example.org", Enforce, 3)
	now = now.Add(time.Hour)
	w.answer = func() (*http.Response, error) { return nil, errors.New("away") }
	check("away", "example.org", Enforce, 4)
	delete(d, "_mta-sts.example.org.")
	check("no record", "example.org", Enforce, 4)
	now = now.Add(23 * time.Hour)
	check("a day later", "example.org", "", 4)
	d["_mta-sts.example.org."] = []string{"v=STSv1; id=3"}
	w.answer = page(200, "text/plain", policy("testing"))
	check("a new one", "example.org", Testing, 5)
	for i := range 2 * maxKnown {
		c.keep(strings.Repeat("x", i%100)+string(rune(i)), &known{expires: now.Add(time.Hour)})
	}
	if len(c.known) > maxKnown {
		t.Errorf("%d are known, want %d at most", len(c.known), maxKnown)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("version: STSv1\r\nmode: enforce\r\nmx: *.example.org\r\nmax_age: 604800\r\n"), "v=STSv1; id=1", "mx.example.org")
	f.Fuzz(func(t *testing.T, text []byte, record, host string) {
		if p, err := Parse(text); err == nil {
			p.Match(host)
			if p.MaxAge < 0 || p.MaxAge > maxAge || len(p.MX) > maxMX {
				t.Fatalf("got %+v", p)
			}
		}
		ParseRecord([]string{record})
	})
}
