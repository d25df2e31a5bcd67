package stack

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	tap "cairn/libos/unix"
)

// need skips a test where a tool or the right to make namespaces is missing; where CI
// has to have them, it fails.
func need(t *testing.T, tools ...string) {
	t.Helper()
	missing := ""
	if os.Geteuid() != 0 {
		missing = "root"
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			missing = tool
		}
	}
	switch {
	case missing == "":
	case os.Getenv("CAIRN_CI") != "":
		t.Fatalf("%s is missing", missing)
	default:
		t.Skipf("%s is missing", missing)
	}
}

// A place is a network namespace with a TAP device.
type place struct {
	t    *testing.T
	name string
}

var places struct {
	sync.Mutex
	n int
}

// newPlace makes one, in which the kernel has addresses on tap0.
func newPlace(t *testing.T, addrs ...string) *place {
	t.Helper()
	places.Lock()
	places.n++
	p := &place{t, fmt.Sprintf("cairn-%d-%d", os.Getpid(), places.n)}
	places.Unlock()
	run(t, "ip", "netns", "add", p.name)
	t.Cleanup(func() { run(t, "ip", "netns", "del", p.name) })
	p.run("ip", "link", "set", "lo", "up")
	p.run("ip", "tuntap", "add", "tap0", "mode", "tap", "vnet_hdr")
	for _, a := range addrs {
		args := []string{"ip", "addr", "add", a, "dev", "tap0"}
		if strings.Contains(a, ":") {
			args = append(args, "nodad")
		}
		p.run(args...)
	}
	p.run("ip", "link", "set", "tap0", "up")
	return p
}

// open attaches to the TAP device.
func (p *place) open() *tap.TAP {
	p.t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		p.t.Fatal(err)
	}
	defer here.Close()
	there, err := os.Open("/var/run/netns/" + p.name)
	if err != nil {
		p.t.Fatal(err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		p.t.Fatal(err)
	}
	link, err := tap.OpenTAP("tap0", nil)
	if back := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); back != nil {
		panic(back)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return link
}

func (p *place) run(args ...string) string {
	p.t.Helper()
	return run(p.t, append([]string{"ip", "netns", "exec", p.name}, args...)...)
}

func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestKernel has the kernel's tools judge: ping and curl over IPv4 and IPv6, pages small and
// large, and the kernel as a server.
func TestKernel(t *testing.T) {
	need(t, "ip", "ping", "curl")
	p := newPlace(t, a4.String(), a6.String())
	s := open(t, p.open(), Options{IPv4: b4, IPv6: []netip.Prefix{b6}})
	serveWeb(t, s)
	for _, host := range []string{b4.Addr().String(), "[" + b6.Addr().String() + "]"} {
		p.run("ping", "-c", "2", "-i", "0.2", "-W", "30", strings.Trim(host, "[]"))
		p.run("ping", "-c", "1", "-s", "4000", "-W", "30", strings.Trim(host, "[]")) // in fragments
		for _, size := range []int{1, 1 << 10, 8 << 20} {
			got := len(p.run("curl", "-sS", "--noproxy", "*", "--max-time", "60", fmt.Sprintf("http://%s/%d", host, size)))
			if got != size {
				t.Errorf("curl of %d bytes from %s: got %d", size, host, got)
			}
		}
	}
}

// serveWeb serves pages of as many bytes as their name says.
func serveWeb(t *testing.T, s *Stack) {
	l := listen(t, s, ":80")
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int64
		fmt.Sscanf(r.URL.Path, "/%d", &n)
		io.CopyN(w, zeroes{}, n)
	})}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
}

type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'z'
	}
	return len(b), nil
}

// TestSmallPath has a link of 1,300 bytes behind a router: what is larger is lost until path MTU
// discovery has found out (RFC 1191, RFC 8201).
func TestSmallPath(t *testing.T) {
	need(t, "ip", "curl")
	router := newPlace(t, a4.String(), a6.String())
	far := newPlace(t)
	router.run("ip", "link", "add", "far", "mtu", "1300", "type", "veth", "peer", "name", "near", "mtu", "1300", "netns", far.name)
	router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
	for _, c := range []struct {
		p         *place
		dev       string
		addresses []string
	}{
		{router, "far", []string{"198.51.100.1/24", "2001:db8:9::1/64"}},
		{far, "near", []string{"198.51.100.2/24", "2001:db8:9::2/64"}},
	} {
		for _, a := range c.addresses {
			args := []string{"ip", "addr", "add", a, "dev", c.dev}
			if strings.Contains(a, ":") {
				args = append(args, "nodad")
			}
			c.p.run(args...)
		}
		c.p.run("ip", "link", "set", c.dev, "up")
	}
	// The far end says that it takes large segments: only the path is in the way.
	far.run("ip", "route", "add", "default", "via", "198.51.100.1", "advmss", "1460")
	far.run("ip", "-6", "route", "add", "default", "via", "2001:db8:9::1", "advmss", "1440")
	s := open(t, router.open(), Options{IPv4: b4, IPv6: []netip.Prefix{b6}, Gateways: []netip.Addr{a4.Addr(), a6.Addr()}})
	serveWeb(t, s)
	for _, host := range []string{b4.Addr().String(), "[" + b6.Addr().String() + "]"} {
		if got := len(far.run("curl", "-sS", "--noproxy", "*", "--max-time", "60", "http://"+host+"/2000000")); got != 2000000 {
			t.Errorf("curl from %s: got %d bytes, want 2000000", host, got)
		}
	}
}

// TestDnsmasq leases an address from dnsmasq, has it renewed, and makes another of what its
// router's advertisement says.
func TestDnsmasq(t *testing.T) {
	need(t, "ip", "ping", "dnsmasq")
	p := newPlace(t, "192.0.2.1/24", "2001:db8:5::1/64")
	heard := p.dnsmasq()
	link := p.open()
	s, err := New(link, Options{DHCP: true, SLAAC: true, Hostname: "station"})
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	defer func() {
		if !closed {
			s.Close()
		}
	}()
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	addrs := s.Addrs()
	if len(addrs) != 2 || !netip.MustParsePrefix("192.0.2.0/24").Contains(addrs[0]) || !netip.MustParsePrefix("2001:db8:5::/64").Contains(addrs[1]) {
		t.Fatalf("addresses %v, want one of 192.0.2.0/24 and one of 2001:db8:5::/64", addrs)
	}
	for _, a := range addrs {
		p.run("ping", "-c", "1", "-W", "30", a.String())
	}
	want := "[192.0.2.53:53 [2001:db8:5::53]:53]"
	if got := fmt.Sprint(s.Servers()); got != want {
		t.Errorf("name servers %v, want %v", got, want)
	}
	if c, err := s.Dial(t.Context(), "udp", "203.0.113.1:9"); err != nil {
		t.Errorf("no route to the world: %v", err)
	} else {
		c.Close()
	}
	heard("DHCPACK")
	if os.Getenv("CAIRN_LONG") != "" { // dnsmasq has no lease shorter than two minutes
		heard("DHCPREQUEST")
		heard("DHCPACK")
	}
	closed = true
	s.Close()
	heard("DHCPRELEASE")
}

// dnsmasq starts it, and returns a function that waits until it has logged a word.
func (p *place) dnsmasq() func(word string) {
	p.t.Helper()
	cmd := exec.Command("ip", "netns", "exec", p.name, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--port=0",
		"--interface=tap0", "--bind-interfaces", "--user=root", "--pid-file=", "--leasefile-ro", "--log-facility=-", "--log-dhcp", "--no-ping",
		"--dhcp-range=192.0.2.100,192.0.2.110,255.255.255.0,2m", "--dhcp-option=option:router,192.0.2.1", "--dhcp-option=option:dns-server,192.0.2.53",
		"--enable-ra", "--dhcp-range=2001:db8:5::,ra-only,64,10m", "--ra-param=tap0,10,600", "--dhcp-option=option6:dns-server,[2001:db8:5::53]")
	out, err := cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			lines <- in.Text()
		}
	}()
	p.t.Cleanup(func() {
		cmd.Process.Kill()
		for range lines {
		}
		cmd.Wait()
	})
	var log []string
	return func(word string) {
		p.t.Helper()
		timeout := time.After(3 * time.Minute)
		for {
			select {
			case line, ok := <-lines:
				log = append(log, line)
				if strings.Contains(line, word+"(") {
					return
				}
				if !ok {
					p.t.Fatalf("dnsmasq has ended before %s:\n%s", word, strings.Join(log, "\n"))
				}
			case <-timeout:
				p.t.Fatalf("dnsmasq says no %s:\n%s", word, strings.Join(log, "\n"))
			}
		}
	}
}
