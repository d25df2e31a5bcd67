package test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cairn/internal/githost"
)

// loadTime is for how long sealed programs serve under load.
func loadTime() time.Duration {
	if os.Getenv("CAIRN_LONG") != "" {
		return time.Minute
	}
	return 3 * time.Second
}

// Where a sealed program is in the namespace, and where it finds the git host, as in
// the certificates of these tests.
const (
	sealedAt = "10.0.2.15"
	hostAt   = "10.0.2.2"
)

// A seal is a namespace in which a sealed program has a TAP device, and a git host that
// it reaches over TLS.
type seal struct {
	*namespace
	home *home
	ca   string // the file of the authority that the program's certificate is of
	args []string
}

func newSeal(t *testing.T) *seal {
	t.Helper()
	s := &seal{namespace: newNamespace(t), home: newHome(t)}
	s.run("ip", "address", "add", hostAt+"/24", "dev", tapDevice)
	s.forward(s.home.Host)
	a := newAuthority(t)
	file := func(name string, data []byte) string {
		name = filepath.Join(s.dir, name)
		if err := os.WriteFile(name, data, 0o600); err != nil { // root's alone
			t.Fatal(err)
		}
		return name
	}
	s.ca = file("ca.pem", a.pem)
	s.args = []string{"--seal", "--net", tapDevice, "--ipv4", sealedAt + "/24",
		"--seed-file", file("seed", []byte(strings.Repeat("5e", 32)+"\n")),
		"--tls-cert", file("cert.pem", a.cert), "--tls-key", file("key.pem", a.key)}
	for _, arg := range s.home.args {
		if data, ok := s.home.files[arg]; ok {
			arg = file(filepath.Base(arg)+".host", data)
		}
		s.args = append(s.args, arg)
	}
	return s
}

// forward leads from the namespace to the git host, which is outside of it.
func (n *namespace) forward(h *githost.Host) {
	n.t.Helper()
	_, port, err := net.SplitHostPort(h.Addr)
	if err != nil {
		n.t.Fatal(err)
	}
	var l net.Listener
	err = n.Inside(func() (err error) {
		l, err = net.Listen("tcp", net.JoinHostPort(hostAt, port))
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go pipe(c, h.Addr)
		}
	}()
}

// pipe joins a connection with one to address.
func pipe(c net.Conn, address string) {
	defer c.Close()
	d, err := net.Dial("tcp", address)
	if err != nil {
		return // and so does the other side notice
	}
	defer d.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(d, c)
		_ = d.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(c, d)
	_ = c.(*net.TCPConn).CloseWrite()
	<-done
}

// start starts a program with little memory, so that it is always collecting garbage.
func (s *seal) start(program string, args ...string) *exec.Cmd {
	s.t.Helper()
	cmd := s.command(append(append([]string{filepath.Join(binDir, program)}, s.args...), args...)...)
	cmd.Env = append(cmd.Env, "GOMEMLIMIT=64MiB")
	return cmd
}

// isSealed looks at every thread of a process.
func isSealed(t *testing.T, pid int) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("process %d has no threads (%v)", pid, err)
	}
	for _, name := range threads {
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has ended meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for _, want := range []string{"Seccomp:\t2\n", "NoNewPrivs:\t1\n", "Uid:\t65534\t65534\t65534\t65534\n", "CapEff:\t0000000000000000\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q in\n%s", name, want, text)
			}
		}
	}
}

// load has wrk ask for a page until the time is over, while do is done again and again.
func (s *seal) load(url string, do func(round int)) {
	s.t.Helper()
	program(s.t, "wrk")
	wrk := s.command("wrk", "-t", "2", "-c", "16", "--timeout", "60s", "-d", fmt.Sprintf("%ds", loadTime()/time.Second), url)
	out, err := wrk.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := wrk.Start(); err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = wrk.Process.Kill() }() // if do ends the test
	done := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(out)
		done <- string(text)
	}()
	for round := 0; ; round++ {
		select {
		case text := <-done:
			if err := wrk.Wait(); err != nil || !strings.Contains(text, "Requests/sec") || strings.Contains(text, "Non-2xx") {
				s.t.Errorf("wrk: %v\n%s", err, text)
			}
			s.t.Logf("%d rounds beside %s requests/s", round, following(text, `Requests/sec: +(\S+)`))
			return
		default:
			do(round)
		}
	}
}

// TestSealedWebsite serves a site over TLS from a git host that it reaches over TLS,
// sealed, with TCP/IP of its own, while it is asked and changed all the time.
func TestSealedWebsite(t *testing.T) {
	t.Parallel() // a minute of load is enough for both
	s := newSeal(t)
	work := mkdir(t, filepath.Join(s.dir, "work"))
	git(t, work, "init", "-q", "-b", "main")
	publish := func(text string) {
		t.Helper()
		write(t, filepath.Join(work, "index.html"), []byte(text))
		git(t, work, "add", "-A")
		git(t, work, "commit", "-qm", "a page")
		push := exec.Command("git", "-C", work, "push", "-q", s.home.GitURL(), "HEAD:refs/heads/site/www/main")
		push.Env = s.home.GitEnv()
		if out, err := push.CombinedOutput(); err != nil {
			t.Fatalf("push: %v\n%s", err, out)
		}
	}
	publish("first")
	cmd := s.start("unipi", "--host", "www="+sealedAt)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
			t.Errorf("unipi ended with %v\n%s", err, said.String())
		}
	}()
	const site = "https://" + sealedAt + "/"
	shows := func(text string) {
		t.Helper()
		err := wait("a page", func() error {
			if got := s.curl("--cacert", s.ca, site); got != text {
				return fmt.Errorf("got %.20q, want %.20q", got, text)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	shows("first")
	isSealed(t, cmd.Process.Pid)
	s.load(site, func(round int) {
		text := fmt.Sprintf("round %d %s", round, strings.Repeat("and more ", 10000))
		publish(text)
		shows(text)
	})
	isSealed(t, cmd.Process.Pid)
}

// TestSealedOnHost serves a site with the host's sockets and without a folder.
func TestSealedOnHost(t *testing.T) {
	judge(t, os.Getuid() == 0, "the right to become another user")
	h := newHome(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, h.files["/etc/ca.pem"])
	h.publish(t, "one")
	unipi := exec.Command(filepath.Join(binDir, "unipi"), "--seal", "--listen", "127.0.0.1:0", "--remote", strings.Replace(h.GitURL(), "127.0.0.1", "localhost", 1), "--remote-ca", ca)
	log := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unipi.Stderr = f
	if err := unipi.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(unipi.Process.Signal(syscall.SIGTERM), unipi.Wait()); err != nil {
			t.Errorf("unipi ended with %v\n%s", err, read(t, log))
		}
	}()
	var address string
	err = wait("unipi", func() error {
		if address = following(read(t, log), `unipi: serving .* on (\S+)\n`); address == "" {
			return fmt.Errorf("it does not say that it serves: %s", read(t, log))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	shows(t, "http://"+address, "one")
	isSealed(t, unipi.Process.Pid)
}

// TestSealedCalendar keeps calendars at a git host, sealed, for vdirsyncer and curl.
func TestSealedCalendar(t *testing.T) {
	t.Parallel() // a minute of load is enough for both
	s := newSeal(t)
	i := launchCaldav(t, s.start("caldav"), filepath.Join(s.dir, "caldav.log"))
	i.Dav = "https://" + sealedAt
	laptop := newTrustingDevice(&person{t, i, "owner", i.password}, s.ca)
	laptop.command = s.command
	laptop.sync()
	isSealed(t, i.cmd.Process.Pid)
	login := []string{"--cacert", s.ca, "--user", "owner:" + i.password}
	const home = "https://" + sealedAt + "/calendars/owner/home/"
	s.load("https://"+sealedAt+"/.well-known/caldav", func(round int) {
		name := fmt.Sprintf("lunch%d", round)
		write(t, filepath.Join(laptop.dir, "cal", "home", name+".ics"), []byte(eventIn(name, zones[round%len(zones)])))
		laptop.sync()
		// A zone that nobody knows is looked for nowhere, whatever comes of the event.
		write(t, filepath.Join(s.dir, "odd.ics"), []byte(eventIn("odd", fmt.Sprintf("Europe/Atlantis%d", round))))
		s.curl(append(login, "-o", os.DevNull, "-T", "odd.ics", home+"odd.ics")...)
		if got := s.curl(append(login, home+name+".ics")...); !strings.Contains(got, "SUMMARY:"+name) {
			t.Errorf("%s: got\n%s", name, got)
		}
		report := s.curl(append(login, "-X", "REPORT", "-H", "Depth: 1", "-H", "Content-Type: application/xml", "-d", busyDay, home)...)
		if !strings.Contains(report, name+".ics") {
			t.Errorf("%s is not in the report on its day:\n%s", name, report)
		}
	})
	isSealed(t, i.cmd.Process.Pid)
	s.home.Git("fsck", "--strict", "--full")
}

// zones are names that time zones are looked up by.
var zones = []string{"Europe/Vienna", "W. Europe Standard Time", "/example.org/America/New_York", "Pacific/Chatham"}

// eventIn is an event at noon in a time zone.
func eventIn(name, zone string) string {
	const noon = "20261202T120000"
	return strings.Replace(event(name, name, noon), "DTSTART:", "DTSTART;TZID="+zone+":", 1)
}

const busyDay = `<c:calendar-query xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:"><d:prop><d:getetag/></d:prop>` +
	`<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">` +
	`<c:time-range start="20261201T000000Z" end="20261204T000000Z"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`

// TestSealedUp runs a whole cairn sealed, with its home and the sockets of the host, and
// once more on the home that it has made.
func TestSealedUp(t *testing.T) {
	judge(t, os.Getuid() == 0, "the right to become another user")
	dir := t.TempDir()
	for name := dir; name != os.TempDir() && name != "/"; name = filepath.Dir(name) {
		if err := os.Chmod(name, 0o711); err != nil { // nobody has to get to the home
			t.Fatal(err)
		}
	}
	home := filepath.Join(dir, "home")
	work := filepath.Join(dir, "work")
	var password string
	for round, text := range []string{"one", "two"} {
		i, err := start(home, filepath.Join(dir, "up.log"), []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}, "--seal")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = i.stop(syscall.SIGKILL) }) // which it does not live to see, if all is well
		if round == 0 {
			password = i.password
		}
		i.password = password
		isSealed(t, i.cmd.Process.Pid)
		page(t, work, text, i.push(), "main")
		shows(t, i.HTTP, text)
		p := &person{t, i, "owner", password}
		lunch := "/calendars/owner/home/" + text + ".ics"
		p.do(201, "PUT", lunch, eventIn(text, zones[round]), "Content-Type: text/calendar")
		p.do(200, "GET", lunch, "")
		many(t, i, work, text, 40)
		isSealed(t, i.cmd.Process.Pid)
		if err := i.stop(syscall.SIGINT); err != nil {
			t.Errorf("cairn up ended with %v\n%s", err, i.said())
		}
		if strings.Contains(i.said(), "level=ERROR") {
			t.Errorf("cairn up reports errors:\n%s", i.said())
		}
		git(t, dir, "-c", "safe.directory=*", "-C", filepath.Join(home, "repo.git"), "fsck", "--strict", "--full")
	}
}

// many pushes so often that packs have to be merged.
func many(t *testing.T, i *instance, work, name string, pushes int) {
	t.Helper()
	for n := range pushes {
		write(t, filepath.Join(work, fmt.Sprintf("%s%d.bin", name, n)), noise(1000+n))
		git(t, work, "add", "-A")
		git(t, work, "commit", "-qm", "more")
		git(t, work, "push", "-q", i.push()+"/site", "HEAD:main")
	}
}
