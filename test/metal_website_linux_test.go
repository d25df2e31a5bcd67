package test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMetalWebsite serves a website from a machine without an operating system: over TLS, from a
// repository that it has over TLS from a stock git host, pushed to by stock git and asked by
// curl; the machine loses its power and comes back, and the host goes away and comes back.
func TestMetalWebsite(t *testing.T) {
	program(t, "curl")
	h, a := newHome(t), newAuthority(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, a.pem)
	files := maps.Clone(h.files)
	files["/etc/cert.pem"], files["/etc/key.pem"] = a.cert, a.key
	start := func() *metal {
		return boot(t, "unipi", setting{files: files, memory: 96}, append(h.args, "--host", "www=localhost", "--tls-cert", "/etc/cert.pem", "--tls-key", "/etc/key.pem")...)
	}
	h.publish(t, "one")
	m := start()
	site := []string{"--cacert", ca, "https://localhost:" + m.tls.Number() + "/"}
	m.shows("one", site...)
	for _, c := range []struct{ version, want string }{{"--http1.1", "1.1 200"}, {"--http2", "2 200"}} {
		if got := m.curl(append([]string{c.version, "-o", os.DevNull, "-w", "%{http_version} %{http_code}"}, site...)...); got != c.want {
			t.Errorf("curl %s: got %s, want %s", c.version, got, c.want)
		}
	}
	if got := m.curl("-o", os.DevNull, "-w", "%{redirect_url}", "http://localhost:"+m.plain.Number()+"/x?y=1"); got != "https://localhost/x?y=1" {
		t.Errorf("without TLS: led to %s, want https://localhost/x?y=1", got)
	}
	h.publish(t, "two")
	m.shows("two", site...)
	tagged := append([]string{"-o", os.DevNull, "-w", "%header{etag}"}, site...)
	tag := m.curl(tagged...)

	m.Kill()
	m = start()
	site[2] = "https://localhost:" + m.tls.Number() + "/"
	m.shows("two", site...)
	tagged[len(tagged)-1] = site[2]
	if got := m.curl(tagged...); got != tag || tag == "" {
		t.Errorf("after the loss of power the entity tag is %q, want %q", got, tag)
	}
	h.Stop()
	m.shows("two", site...)
	h.Start()
	h.publish(t, "three")
	m.shows("three", site...)
}

// TestMetalCalendar keeps calendars in a machine without an operating system and without a
// disk: vdirsyncer and curl are outside, the repository at a stock git host.
func TestMetalCalendar(t *testing.T) {
	program(t, "curl")
	h, a := newHome(t), newAuthority(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, a.pem)
	files := maps.Clone(h.files)
	files["/etc/cert.pem"], files["/etc/key.pem"] = a.cert, a.key
	files["/etc/seed"] = []byte(strings.Repeat("5e", 32) + "\n")
	start := func() *metal {
		return boot(t, "caldav", setting{files: files, memory: 128}, append(h.args, "--seed-file", "/etc/seed", "--tls-cert", "/etc/cert.pem", "--tls-key", "/etc/key.pem")...)
	}
	m := start()
	m.says(`caldav: serving .* on http\S+\n`)
	password := m.says(`(?m)^Password +(\S+) `)[1]
	owner := func(m *metal) *person {
		i := &instance{Dav: "https://localhost:" + m.tls.Number(), log: filepath.Join(m.folder, "log")}
		write(t, i.log, nil)
		return &person{t, i, "owner", password}
	}
	laptop := newTrustingDevice(owner(m), ca)
	laptop.sync()
	write(t, filepath.Join(laptop.dir, "cal", "home", "lunch.ics"), []byte(event("lunch", "Lunch", "20261202T120000Z")))
	laptop.sync()
	m.Kill()

	m = start()
	who := []string{"--cacert", ca, "--user", "owner:" + password}
	calendar := "https://localhost:" + m.tls.Number() + "/calendars/owner/home/"
	if got := m.curl(append(who, calendar+"lunch.ics")...); !strings.Contains(got, "SUMMARY:Lunch") {
		t.Errorf("after the loss of power: got\n%s", got)
	}
	dinner := filepath.Join(t.TempDir(), "dinner.ics")
	write(t, dinner, []byte(event("dinner", "Dinner", "20261203T190000Z")))
	if got := m.curl(append(who, "-o", os.DevNull, "-w", "%{http_code}", "-H", "Content-Type: text/calendar", "-T", dinner, calendar+"dinner.ics")...); got != "201" {
		t.Errorf("PUT: got %s, want 201", got)
	}
	phone := newTrustingDevice(owner(m), ca)
	phone.sync()
	phone.want("cal/home", "SUMMARY", "Dinner", "Lunch")
	h.Git("fsck", "--strict", "--full")
}

// newTrustingDevice is a device that trusts an authority.
func newTrustingDevice(p *person, ca string) *device {
	p.t.Helper()
	d := newDevice(p)
	name := filepath.Join(d.dir, "config")
	verify := "\nverify = \"" + ca + "\"\nusername"
	write(p.t, name, []byte(strings.ReplaceAll(read(p.t, name), "\nusername", verify)))
	return d
}
