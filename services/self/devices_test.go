package self

import (
	"bytes"
	"context"
	"encoding/xml"
	"image/png"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"cairn/services/accounts"
)

var secret = regexp.MustCompile(`[a-z2-7]{5}(-[a-z2-7]{5}){3}-[a-z2-7]{6}`)

func TestDevices(t *testing.T) {
	h := newHouse(t)
	b := h.as("alice")
	b.get("/self/").says(t, 200, "There is none yet.", h.server.URL)
	a := b.submit("/self/", "/self/devices/make", "name", "  My   telephone ")
	a.says(t, 200, "Connect My telephone", "This is shown once.")
	password := secret.FindString(a.text)
	if _, err := h.accounts.Authenticate(t.Context(), "alice", password, netip.MustParseAddr("192.0.2.1")); err != nil {
		t.Errorf("the password %q: %v", password, err)
	}
	if !strings.Contains(a.body, `href="caldav://alice:`+password+`@`+strings.TrimPrefix(h.server.URL, "http://")+`/"`) {
		t.Errorf("the link for programs is missing:\n%s", a.body)
	}
	again := b.get("/self/")
	if again.says(t, 200, "My telephone", "since"); strings.Contains(again.body, password) {
		t.Error("the password is shown again")
	}
	b.submit("/self/", "/self/devices/make", "name", "My telephone").says(t, 422, "There is a device of that name already.")
	b.submit("/self/", "/self/devices/revoke", "name", "My telephone").says(t, 200, "The device can no longer log in.", "There is none yet.")
	if _, err := h.accounts.Authenticate(t.Context(), "alice", password, netip.MustParseAddr("192.0.2.1")); err == nil {
		t.Error("the password works after it was revoked")
	}
	b.post("/self/devices/revoke", "token", b.token(), "name", "My telephone").says(t, 404, "not there any more")
}

func TestDeviceNames(t *testing.T) {
	b := newHouse(t).as("bob")
	token := b.token()
	for name, code := range map[string]int{
		"telephone": 200, "Bobs Äpfel 🍏": 200, strings.Repeat("ä", 60): 200,
		"": 422, "  ": 422, strings.Repeat("ä", 61): 422, "a\x00b": 422, "a<b": 422, "a\nb": 200, "\xff": 422, "a\u202eb": 422,
	} {
		if a := b.post("/self/devices/make", "token", token, "name", name); a.code != code {
			t.Errorf("%q: got %d, want %d", name, a.code, code)
		}
	}
}

// The link is what DAVx⁵ reads: user and password before the host, https for caldavs.
func TestDeviceLink(t *testing.T) {
	for _, c := range []struct{ base, want string }{
		{"https://dav.example.org", "caldavs://alice:abc-def@dav.example.org/"},
		{"https://dav.example.org:8443", "caldavs://alice:abc-def@dav.example.org:8443/"},
		{"http://127.0.0.1:8082", "caldav://alice:abc-def@127.0.0.1:8082/"},
		{"https://[2001:db8::1]", "caldavs://alice:abc-def@[2001:db8::1]/"},
	} {
		if got := deviceLink(&newDevice{User: "alice", Password: "abc-def", Base: c.base}); got != c.want {
			t.Errorf("%s: got %s, want %s", c.base, got, c.want)
		}
	}
}

// What is drawn is the code, module by module, with white around it.
func TestCode(t *testing.T) {
	const text = "caldavs://alice:abcde-abcde-abcde-abcde-abcdef@dav.example.org/"
	drawn, err := qrCode(text, "x")
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	var black [200][200]bool
	for _, run := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(string(drawn), -1) {
		for i := range atoi(t, run[3]) {
			black[atoi(t, run[2])][atoi(t, run[1])+i] = true
		}
	}
	for y := range 200 {
		for x := range 200 {
			if got, want := black[y][x], code.Black(x-quiet, y-quiet); got != want {
				t.Fatalf("module %d, %d: got %v, want %v", x, y, got, want)
			}
		}
	}
	if _, err := qrCode(strings.Repeat("x", 5000), "x"); err == nil {
		t.Error("a text that is too long was drawn")
	}
}

// Somebody else's reader reads it.
func TestCodeIsRead(t *testing.T) {
	reader, err := exec.LookPath("zbarimg")
	if err != nil {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatal("zbarimg is missing: install zbar-tools")
		}
		t.Skip("zbarimg is not installed (zbar-tools)")
	}
	const text = "caldavs://alice:abcde-abcde-abcde-abcde-abcdef@dav.example.org/"
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "code.png")
	if err := os.WriteFile(file, code.PNG(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(code.PNG())); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(reader, "--quiet", "--raw", file).Output()
	if err != nil || strings.TrimSpace(string(out)) != text {
		t.Errorf("got %q, %v, want %q", out, err, text)
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n := 0
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n
}

func TestProfile(t *testing.T) {
	h := newHouse(t)
	h.page.Base = "https://dav.example.org:8443/"
	h.serve()
	b := h.as("alice")
	a := b.submit("/self/", "/self/devices/make", "name", "iPad &")
	link := regexp.MustCompile(`href="(/self/devices/profile\?for=[^"]+)"`).FindStringSubmatch(a.body)
	if link == nil {
		t.Fatalf("there is no profile:\n%s", a.body)
	}
	p := b.get(link[1])
	if p.code != 200 || p.header.Get("Content-Type") != "application/x-apple-aspen-config" || p.header.Get("Cache-Control") != "no-store" ||
		!strings.HasPrefix(p.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("got %d, %v", p.code, p.header)
	}
	for _, want := range []string{
		"<key>CalDAVHostName</key>\n<string>dav.example.org</string>", "<key>CalDAVPort</key>\n<integer>8443</integer>", "<key>CalDAVUseSSL</key>\n<true/>",
		"<key>CardDAVUsername</key>\n<string>alice</string>", "<key>CardDAVPassword</key>\n<string>" + secret.FindString(a.text) + "</string>",
		"<string>com.apple.caldav.account</string>", "<string>com.apple.carddav.account</string>", "on iPad &amp;.",
	} {
		if !strings.Contains(p.body, want) {
			t.Errorf("the profile lacks %q:\n%s", want, p.body)
		}
	}
	checkPlist(t, p.body)
	if a := h.browser().get(link[1]); a.code != 200 || a.body != p.body {
		t.Errorf("on a telephone that has scanned it: got %d", a.code)
	}
	if a := b.get(link[1][:len(link[1])-2]); a.code != 422 {
		t.Errorf("cut off: got %d", a.code)
	}
	h.clock.add(profileFor + time.Second)
	if a := b.get(link[1]); a.code != 422 {
		t.Errorf("too late: got %d", a.code)
	}
	a = b.submit("/self/", "/self/devices/make", "name", "lost")
	link = regexp.MustCompile(`href="(/self/devices/profile\?for=[^"]+)"`).FindStringSubmatch(a.body)
	b.submit("/self/", "/self/devices/revoke", "name", "lost")
	if a := b.get(link[1]); a.code != 422 || strings.Contains(a.body, "CalDAVPassword") {
		t.Errorf("of a device that was revoked: got %d", a.code)
	}
}

// Mail is in the same profile, and on the page for programs that ask.
func TestMailProfile(t *testing.T) {
	h := newHouse(t)
	h.page.Base = "https://dav.example.org"
	h.page.Mail = func(_ context.Context, u *accounts.User) *Mail {
		return &Mail{Name: "Alice", Address: u.Addresses[0], Host: "mail.example.org", IMAP: 993, Submission: 465, TLS: true}
	}
	h.serve()
	b := h.as("alice")
	b.get("/self/").says(t, 200, "mail.example.org", "993", "465", "alice@example.org")
	a := b.submit("/self/", "/self/devices/make", "name", "iPad")
	a.says(t, 200, "Mail programs", "mail.example.org")
	link := regexp.MustCompile(`href="(/self/devices/profile\?for=[^"]+)"`).FindStringSubmatch(a.body)
	if link == nil || strings.Count(a.body, `class="qr"`) != 2 {
		t.Fatalf("the profile and its code are not there")
	}
	p := b.get(link[1])
	for _, want := range []string{
		"<string>com.apple.mail.managed</string>", "<key>EmailAddress</key>\n<string>alice@example.org</string>", "<key>IncomingMailServerPortNumber</key>\n<integer>993</integer>",
		"<key>OutgoingMailServerUseSSL</key>\n<true/>", "<string>com.apple.caldav.account</string>", "Calendars, contacts, mail at dav.example.org",
		"<key>IncomingPassword</key>\n<string>" + secret.FindString(a.text) + "</string>",
	} {
		if !strings.Contains(p.body, want) {
			t.Errorf("the profile lacks %q:\n%s", want, p.body)
		}
	}
	checkPlist(t, p.body)
}

// checkPlist makes sure that it is XML in which each dict has a key before each value.
func checkPlist(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	type open struct {
		name string
		keys int
		vals int
	}
	var stack []open
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if n := len(stack); n > 0 && stack[n-1].name == "dict" {
				if tok.Name.Local == "key" {
					stack[n-1].keys++
				} else if stack[n-1].vals++; stack[n-1].vals != stack[n-1].keys {
					t.Fatal("a value without a key")
				}
			}
			stack = append(stack, open{name: tok.Name.Local})
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
}

func TestPlistEscapes(t *testing.T) {
	data, err := (&setUp{base: "http://localhost", user: "alice", device: "a<b>&c", password: "x", calendars: true}).profile()
	if err != nil {
		t.Fatal(err)
	}
	checkPlist(t, string(data))
	for _, want := range []string{"a&lt;b&gt;&amp;c", "<integer>80</integer>", "<false/>"} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the profile lacks %q:\n%s", want, data)
		}
	}
}
