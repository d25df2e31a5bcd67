package test

import (
	"path/filepath"
	"strings"
	"testing"
)

// reach are arguments with which curl reaches names at an address, where a certificate
// of our own is served.
func (i *instance) reach(address string, names ...string) []string {
	args := []string{"--insecure", "--pinnedpubkey", following(i.said(), `--pinnedpubkey (\S+)`)}
	for _, name := range names {
		args = append(args, "--resolve", name+":443:"+address, "--resolve", name+":80:"+address, "--resolve", name+":8082:"+address)
	}
	return args
}

// TestNetstackDav serves calendars over TLS on a TCP/IP stack of its own, under a name
// below the domain, to which the domain's well-known paths lead.
func TestNetstackDav(t *testing.T) {
	n := newNamespace(t)
	i := n.up(filepath.Join(n.dir, "home"), "--ipv4", "192.0.2.2/24", "--domain", "cairn.test", "--tls", "seed")
	const base = "https://dav.cairn.test"
	if i.Dav != base {
		t.Errorf("base URL: got %s, want %s", i.Dav, base)
	}
	tls := i.reach("192.0.2.2", "cairn.test", "dav.cairn.test", "site.cairn.test")
	curl := func(args ...string) string { return n.curl(append(append([]string{}, tls...), args...)...) }
	for _, path := range []string{"/.well-known/caldav", "/.well-known/carddav"} {
		for _, method := range []string{"GET", "PROPFIND"} {
			if got := curl("-o", "out", "-w", "%{http_code} %{redirect_url}", "-X", method, "https://cairn.test"+path); got != "301 "+base+"/" {
				t.Errorf("%s %s: got %s, want 301 %s/", method, path, got, base)
			}
		}
	}
	if got := curl("-o", "out", "-w", "%{redirect_url}", "http://dav.cairn.test/calendars/"); got != base+"/calendars/" {
		t.Errorf("without TLS: led to %q", got)
	}
	login := []string{"-u", "owner:" + i.password}
	write(t, filepath.Join(n.dir, "lunch.ics"), []byte(event("lunch", "Lunch", "20261202T120000Z")))
	const lunch = "/calendars/owner/home/lunch.ics"
	if got := curl(append(login, "-o", "out", "-w", "%{http_version} %{http_code}", "-H", "Content-Type: text/calendar", "-T", "lunch.ics", base+lunch)...); got != "2 201" {
		t.Errorf("PUT over HTTP/2: got %s, want 2 201", got)
	}
	for _, where := range []string{base, "https://dav.cairn.test:8082", "https://192.0.2.2:8082"} {
		for _, version := range []string{"--http1.1", "--http2"} {
			if got := curl(append(login, version, where+lunch)...); got != event("lunch", "Lunch", "20261202T120000Z") {
				t.Errorf("%s %s: got %q", version, where, got)
			}
		}
	}
	if got := curl("-o", "out", "-w", "%{http_code}", "https://site.cairn.test/"); got != "200" {
		t.Errorf("the site: got %s, want 200", got)
	}
	if got := curl("-o", "out", "-w", "%{http_code} %{redirect_url}", "-H", "Accept: text/html", base+"/"); got != "303 "+base+"/self/" {
		t.Errorf("with a browser: got %s, want to be led to the page of one's own", got)
	}
}

// TestNetstackDavClear asks for no password where it could be read on the way.
func TestNetstackDavClear(t *testing.T) {
	n := newNamespace(t)
	i := n.up(filepath.Join(n.dir, "home"), "--ipv4", "192.0.2.2/24")
	for _, login := range [][]string{nil, {"-u", "owner:" + i.password}} {
		for _, path := range []string{"/", "/self/", "/calendars/owner/", "/.well-known/caldav"} {
			got := n.curl(append(login, "-o", "out", "-w", "%{http_code} %header{www-authenticate}", i.Dav+path)...)
			if strings.TrimSpace(got) != "403" {
				t.Errorf("%s in the clear: got %s, want 403 and no question", path, got)
			}
		}
	}
}

// TestNetstackCaldav serves calendars by caldav alone, with TCP/IP of its own.
func TestNetstackCaldav(t *testing.T) {
	n := newNamespace(t)
	cmd := n.command(filepath.Join(binDir, "caldav"), "--home", filepath.Join(n.dir, "home"), "--net", tapDevice, "--ipv4", "192.0.2.4/24", "--tls", "seed", "--domain", "dav.cairn.test")
	i := launchCaldav(t, cmd, filepath.Join(n.dir, "caldav.log"))
	if i.Dav != "https://dav.cairn.test" {
		t.Errorf("base URL: got %s", i.Dav)
	}
	tls := append(i.reach("192.0.2.4", "dav.cairn.test"), "-u", "owner:"+i.password)
	write(t, filepath.Join(n.dir, "bob.vcf"), []byte(card("bob", "Bob")))
	const bob = "/contacts/owner/contacts/bob.vcf"
	if got := n.curl(append(tls, "-o", "out", "-w", "%{http_code}", "-H", "Content-Type: text/vcard", "-T", "bob.vcf", i.Dav+bob)...); got != "201" {
		t.Errorf("PUT: got %s, want 201", got)
	}
	if got := n.curl(append(tls, i.Dav+bob)...); got != card("bob", "Bob") {
		t.Errorf("GET: got %q", got)
	}
}
