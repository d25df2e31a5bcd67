package unipi

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestOtherHosts serves another handler beside the sites, under a host name of its own.
func TestOtherHosts(t *testing.T) {
	other := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "other %s %s", r.Method, r.Proto)
	})
	hosts := map[string]http.Handler{"dav.example": other}
	plain := listen(t, &Server{Handler: wireSites(t, nil), Hosts: hosts})
	secure := listen(t, &Server{Handler: wireSites(t, nil), Hosts: hosts, TLS: testTLS()})
	for _, c := range []struct {
		base, sni, host, method string
		h2                      bool
		status                  int
		want                    string
	}{
		{"http://" + plain, "", "dav.example", "GET", false, 200, "other GET HTTP/1.1"},
		{"http://" + plain, "", "DAV.example:80", "PROPFIND", false, 200, "other PROPFIND HTTP/1.1"},
		{"http://" + plain, "", "localhost", "GET", false, 200, "home"},
		{"http://" + plain, "", "localhost", "PROPFIND", false, 405, ""},
		{"https://" + secure, "dav.example", "dav.example", "GET", false, 200, "other GET HTTP/1.1"},
		{"https://" + secure, "localhost", "dav.example", "GET", false, 200, "other GET HTTP/1.1"},
		{"https://" + secure, "dav.example", "dav.example", "PROPFIND", true, 200, "other PROPFIND HTTP/2.0"},
		{"https://" + secure, "dav.example", "localhost", "GET", true, 200, "home"},
		{"https://" + secure, "localhost", "localhost", "GET", true, 200, "home"},
		{"https://" + secure, "localhost", "dav.example", "PROPFIND", true, 421, ""},
	} {
		tr := &http.Transport{ForceAttemptHTTP2: c.h2, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: c.sni}}
		r, err := http.NewRequest(c.method, c.base+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		res, err := tr.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := body(t, res); res.StatusCode != c.status || c.want != "" && got != c.want {
			t.Errorf("%s %s of %s, connected for %q: got %d %.40q, want %d %q", c.method, c.base, c.host, c.sni, res.StatusCode, got, c.status, c.want)
		}
		tr.CloseIdleConnections()
	}
}

// TestKnown leads from a well-known path elsewhere, whatever the method and
// whether or not a site has the host name.
func TestKnown(t *testing.T) {
	sites := wireSites(t, nil)
	const to = "https://dav.example/calendars/"
	sites.Known = map[string]string{"example/.well-known/caldav": to, "localhost/.well-known/caldav": to}
	plain := "http://" + listen(t, &Server{Handler: sites})
	secure := "https://" + listen(t, &Server{Handler: sites, TLS: testTLS()})
	for _, base := range []string{plain, secure} {
		for _, c := range []struct {
			method, host, path, want string
		}{
			{"GET", "example", "/.well-known/caldav", to},
			{"PROPFIND", "Example:8080", "/.well-known/caldav", to},
			{"PROPFIND", "localhost", "/.well-known/caldav", to},
			{"GET", "localhost", "/.well-known/carddav", ""},
			{"GET", "evil.example", "/.well-known/caldav", ""},
		} {
			r, err := http.NewRequest(c.method, base+c.path, strings.NewReader("<x/>"))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = c.host
			res, err := h2client(t).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body(t, res)
			if got := res.Header.Get("Location"); got != c.want || c.want != "" && res.StatusCode != http.StatusMovedPermanently {
				t.Errorf("%s %s of %s: got %d %q, want %q", c.method, base+c.path, c.host, res.StatusCode, got, c.want)
			}
		}
	}
}

// TestAlso: what is no site's is answered by another, whatever the host, and with its body.
func TestAlso(t *testing.T) {
	sites := wireSites(t, nil)
	sites.Also = func(r *http.Request) http.Handler {
		if r.URL.Path != "/settings.xml" {
			return nil
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			data, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Type", "text/xml")
			w.Write(append(data, r.Method+" "+r.Host...))
		})
	}
	for _, base := range []string{"http://" + listen(t, &Server{Handler: sites}), "https://" + listen(t, &Server{Handler: sites, TLS: testTLS()})} {
		for _, c := range []struct {
			method, path, send, want string
			status                   int
		}{
			{"GET", "/settings.xml", "", "GET elsewhere.example", 200},
			{"POST", "/settings.xml", "ask ", "ask POST elsewhere.example", 200},
			{"GET", "/", "", "", 421},
		} {
			r, err := http.NewRequest(c.method, base+c.path, strings.NewReader(c.send))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = "elsewhere.example"
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
			res, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if got := body(t, res); res.StatusCode != c.status || c.want != "" && got != c.want {
				t.Errorf("%s %s: got %d %q", c.method, c.path, res.StatusCode, got)
			}
			client.CloseIdleConnections()
		}
	}
}
