package unipi

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// h2client returns a client of net/http that speaks HTTP/2.
func h2client(t testing.TB) *http.Client {
	tr := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestHTTP2(t *testing.T) {
	sites := wireSites(t, nil)
	woken := make(chan string, 1)
	sites.Webhook = &Webhook{Secret: func(string) ([]byte, bool) { return []byte("key"), true }, Pushed: func(site string) { woken <- site }}
	base := "https://" + listen(t, &Server{Handler: sites, TLS: testTLS()})
	client := h2client(t)
	for _, c := range []struct {
		method, path, header string
		status, size         int
	}{
		{"GET", "/", "", 200, 4}, {"HEAD", "/", "", 200, 0}, {"GET", "/page", "", 200, 7000}, {"GET", "/mid.bin", "", 200, 100 << 10},
		{"GET", "/big.bin", "", 200, 2 << 20}, {"GET", "/big.bin", "Range: bytes=5-1000004", 206, 1000000}, {"GET", "/nothing", "", 404, -1},
		{"GET", "/old/x?a=b", "", 302, 0}, {"GET", "/", "If-None-Match: *", 304, 0}, {"GET", "/", "Host: evil.example", 421, -1},
		{"POST", "/", "", 405, -1}, {"OPTIONS", "/", "", 204, 0}, {"GET", "/page", "Accept-Encoding: br", 200, -1}, {"GET", "/", "If-Match: \"x\"", 412, -1},
	} {
		r, err := http.NewRequest(c.method, base+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "localhost"
		r.Header.Set("Accept-Encoding", "identity")
		if name, value, ok := strings.Cut(c.header, ": "); ok {
			r.Header.Set(name, value)
			if name == "Host" {
				r.Host = value
			}
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got := body(t, res)
		if res.StatusCode != c.status || res.ProtoMajor != 2 || c.size >= 0 && len(got) != c.size || res.Header.Get("Date") == "" {
			t.Errorf("%s %s: got %s %d, %d bytes; want %d, %d bytes", c.method, c.path, res.Proto, res.StatusCode, len(got), c.status, c.size)
		}
	}
	report := strings.Repeat("news ", 10000)
	mac := hmac.New(sha256.New, []byte("key"))
	mac.Write([]byte(report))
	for _, key := range []string{hex.EncodeToString(mac.Sum(nil)), hex.EncodeToString(make([]byte, 32))} {
		r, _ := http.NewRequest("POST", base+WebhookPath, strings.NewReader(report))
		r.Host = "localhost"
		r.Header.Set("X-Hub-Signature-256", "sha256="+key)
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(res.Status, body(t, res))
	}
	if got := <-woken; got != "www" {
		t.Errorf("webhook woke %q, want www", got)
	}
	if len(woken) > 0 {
		t.Error("a report with a wrong signature was believed")
	}
}

// TestHTTP2Concurrent reads pages of all sizes, from memory and streamed, at once.
func TestHTTP2Concurrent(t *testing.T) {
	for _, cache := range []int64{0, 256 << 10} {
		sites := wireSites(t, nil)
		sites.Cache = &Cache{Bytes: cache}
		sites.Set([]SiteConfig{{Name: "www"}})
		base := "https://" + listen(t, &Server{Handler: sites, TLS: testTLS()})
		client := h2client(t)
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				path := []string{"/", "/mid.bin", "/big.bin"}[i%3]
				r, _ := http.NewRequest("GET", base+path, nil)
				r.Host = "localhost"
				res, err := client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				defer res.Body.Close()
				if i%10 == 0 {
					return // leave in the middle
				}
				n, err := io.Copy(io.Discard, res.Body)
				if want := []int64{4, 100 << 10, 2 << 20}[i%3]; n != want || err != nil {
					t.Errorf("%s: got %d bytes, %v; want %d", path, n, err, want)
				}
			})
		}
		wg.Wait()
	}
}
