package test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A person is a user of a cairn that is up, with their devices' password.
type person struct {
	t        *testing.T
	i        *instance
	name     string
	password string
}

// secret is the password that people in these tests choose.
const secret = "correct-horse-battery"

// newPerson lets somebody log in.
func newPerson(t *testing.T, i *instance, name string) *person {
	t.Helper()
	cmd := exec.Command(filepath.Join(binDir, "cairn"), "--home", i.home, "user", "add", name, "--password-stdin")
	cmd.Stdin = strings.NewReader(secret + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("user add: %v\n%s", err, out)
	}
	return &person{t, i, name, secret}
}

// An answer is what came back.
type answer struct {
	status int
	head   http.Header
	body   string
}

// patient waits for answers of a slow machine.
var patient = &http.Client{Timeout: 5 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// try sends a request; head has fields as "Name: value".
func (p *person) try(method, path, body string, head ...string) (answer, error) {
	r, err := http.NewRequest(method, p.i.Dav+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.SetBasicAuth(p.name, p.password)
	for _, field := range head {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	res, err := patient.Do(r)
	if err != nil {
		return answer{}, err
	}
	return readAnswer(res)
}

func readAnswer(res *http.Response) (answer, error) {
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(data)}, err
}

// do is try for what has to have an answer of that status.
func (p *person) do(want int, method, path, body string, head ...string) answer {
	p.t.Helper()
	a, err := p.try(method, path, body, head...)
	if err != nil {
		p.t.Fatal(err)
	}
	if a.status != want {
		p.t.Fatalf("%s %s: got %d, want %d\n%s", method, path, a.status, want, a.body)
	}
	return a
}

// event is a calendar object of an hour.
func event(uid, summary, start string) string {
	return strings.ReplaceAll(fmt.Sprintf(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Test//EN
BEGIN:VEVENT
UID:%s
DTSTAMP:20261121T120000Z
DTSTART:%s
DURATION:PT1H
SUMMARY:%s
END:VEVENT
END:VCALENDAR
`, uid, start, summary), "\n", "\r\n")
}

// card is a contact.
func card(uid, name string) string {
	return strings.ReplaceAll(fmt.Sprintf(`BEGIN:VCARD
VERSION:3.0
UID:%s
FN:%s
N:;%s;;;
END:VCARD
`, uid, name, name), "\n", "\r\n")
}

// program finds a client that is to judge.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	judge(t, err == nil, name)
	return path
}

// cleanEnv is an environment in which a program sees nothing of this machine's
// users.
func cleanEnv(home string) []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=" + home, "XDG_CONFIG_HOME=" + home + "/.config", "XDG_DATA_HOME=" + home + "/.data",
		"XDG_CACHE_HOME=" + home + "/.cache", "LC_ALL=C.UTF-8", "TZ=Europe/Vienna"}
}

// mkdir makes a folder.
func mkdir(t *testing.T, name string) string {
	t.Helper()
	if err := os.MkdirAll(name, 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// read reads a file.
func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
