package unipi

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneralHandler serves a handler that is no site: net/http does the work,
// behind the same strict reading.
func TestGeneralHandler(t *testing.T) {
	addr := listen(t, &Server{TLS: testTLS(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %v", r.Proto, r.TLS != nil)
	})})
	plain := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer plain.CloseIdleConnections()
	for want, client := range map[string]*http.Client{"HTTP/1.1 true": plain, "HTTP/2.0 true": h2client(t)} {
		r, err := client.Get("https://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := body(t, r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	r, err := http.NewRequest("GET", "https://"+addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxHeadFields + 1 {
		r.Header.Set(fmt.Sprint("X-", i), "y")
	}
	res, err := h2client(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if body(t, res); res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%d fields: got %d, want 431", maxHeadFields+1, res.StatusCode)
	}
}

// TestCurl lets curl judge: it fetches, unpacks, resumes and revalidates over
// HTTP/1.1 and HTTP/2.
func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		if os.Getenv("CAIRN_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	port := func(addr string) string { return addr[strings.LastIndex(addr, ":"):] }
	plain := "http://localhost" + port(listen(t, &Server{Handler: wireSites(t, nil)}))
	secure := "https://localhost" + port(listen(t, &Server{Handler: wireSites(t, nil), TLS: testTLS()}))
	big := strings.Repeat("0123456789abcdef", 1<<17)
	half := filepath.Join(t.TempDir(), "half")
	for _, c := range []struct {
		args string
		want string
	}{
		{"--http1.1 " + plain + "/", "home"},
		{"--http1.1 " + secure + "/", "home"},
		{"--http2 " + secure + "/", "home"},
		{"--http2 " + secure + "/big.bin", big},
		{"--http1.1 " + plain + "/big.bin", big},
		{"--http2 --compressed " + secure + "/page", strings.Repeat("<p>text", 1000)},
		{"--http1.1 --compressed " + plain + "/page", strings.Repeat("<p>text", 1000)},
		{"--http2 -r 16-19 " + secure + "/big.bin", "0123"},
		{"--http2 -I -o /dev/null -w %{http_code} " + secure + "/big.bin", "200"},
		{"--http1.1 -o /dev/null -w %{http_code} --path-as-is " + plain + "/../../etc/passwd", "400"},
		{"--http2 -o /dev/null -w %{http_code} --path-as-is " + secure + "/../../etc/passwd", "400"},
		{"--http2 -o /dev/null -w %{http_code} -d x=y " + secure + "/", "405"},
		{"--http1.1 -o /dev/null -w %{http_code} -d x=y " + plain + "/", "405"},
		{"--http2 -o /dev/null -w %{redirect_url} " + secure + "/old/a?b=c", secure + "/new/a?b=c"},
		{"--http2 -o /dev/null -w %{http_code} --parallel " + secure + "/big.bin", "200"},
		{"--http1.1 -C - -o " + half + " " + plain + "/big.bin", ""},
	} {
		if strings.Contains(c.args, " -C - ") {
			if err := os.WriteFile(half, []byte(big[:1<<20]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(curl, append([]string{"-sk", "--max-time", "120"}, strings.Fields(c.args)...)...)
		out, err := cmd.Output()
		if err != nil || string(out) != c.want {
			t.Errorf("curl %s: %v, got %d bytes %.40q, want %d bytes %.40q", c.args, err, len(out), out, len(c.want), c.want)
		}
	}
	if got, err := os.ReadFile(half); err != nil || !bytes.Equal(got, []byte(big)) {
		t.Errorf("resumed: got %d bytes, %v; want %d", len(got), err, len(big))
	}
}

// TestRuleProblemsAreLogged pushes a rule file with a mistake.
func TestRuleProblemsAreLogged(t *testing.T) {
	s, _ := newSite(t, files{"index.html": "x", "_redirects": "/a\n"})
	var out bytes.Buffer
	s.Log = textLog(&out)
	get(t, s, "/")
	if want := "_redirects line 1: there is no target; left out"; !strings.Contains(out.String(), want) {
		t.Errorf("log %q does not say %q", out.String(), want)
	}
}

// TestUnreadable takes the store away: 503 while it is gone, and nothing of
// that is remembered.
func TestUnreadable(t *testing.T) {
	b := newBranch()
	push(t, b, files{"index.html": "x"})
	broken := &flaky{Backend: b.Repo().Backend()}
	branch := broken.repo().Branch(b.Name())
	s := &Site{Tree: Follow(branch)}
	broken.down.Store(true)
	if r := get(t, s, "/"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("without the ref: got %d, want 503", r.StatusCode)
	}
	broken.down.Store(false)
	if r := get(t, s, "/"); r.StatusCode != 200 {
		t.Errorf("with it again: got %d, want 200", r.StatusCode)
	}
	push(t, b, files{"index.html": "y", "sub/page.html": "z"})
	if _, err := s.Tree(t.Context()); err != nil {
		t.Fatal(err)
	}
	broken.noObjects.Store(true)
	if r := get(t, s, "/sub/page"); r.StatusCode != 503 {
		t.Errorf("without objects: got %d, want 503", r.StatusCode)
	}
	broken.noObjects.Store(false)
	if r := get(t, s, "/sub/page"); r.StatusCode != 200 {
		t.Errorf("with them again: got %d, want 200", r.StatusCode)
	}
}
