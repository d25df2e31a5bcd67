package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"

	"cairn/libos"
)

var sample = libos.Manifest{
	Name:  "sample up",
	About: "Sample is one.",
	Ports: []libos.Port{{Name: "listen", Host: "127.0.0.1:0", Help: "Where."}},
	Peers: []libos.Peer{{Arg: "peer", Why: "it is told to"}},
	State: &libos.Folder{Name: "home", Help: "Where things are kept."},
	Args:  []libos.Arg{{Name: "peer", Value: "HOST:PORT", Help: "Whom to call."}},
}

// runSample runs a service and returns its exit status and what it printed.
func runSample(t *testing.T, args string, run Service) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	status = Run(t.Context(), sample, strings.Fields(args), Terminal{Out: &o, Err: &e}, run)
	return status, o.String(), e.String()
}

func TestStatus(t *testing.T) {
	nothing := func(context.Context, libos.Env) error { return nil }
	failing := func(context.Context, libos.Env) error {
		return errors.Join(errors.New("the disk is full"), errors.New("make room"))
	}
	for _, c := range []struct {
		args   string
		run    Service
		status int
		errs   string
	}{
		{"", nothing, 0, ""},
		{"", failing, 1, "sample: the disk is full; make room\n"},
		{"--pear x:1", nothing, 2, "sample: there is no argument --pear: is --peer meant?\nTry: sample up --help\n"},
		{"--mac 02:00:00:00:00:01", nothing, 1, "sample: --mac goes with a TAP device: --net=tap0\n"},
		{"--dns nobody", nothing, 1, "sample: --dns is an address such as 9.9.9.9 or [2620:fe::fe]:53, not \"nobody\"\n"},
		{"--net tap7", nothing, 1, "sample: a TAP device needs an address: --ipv4=ADDR/LEN or dhcp, --ipv6=ADDR/LEN or auto\n"},
	} {
		status, _, errs := runSample(t, c.args, c.run)
		if status != c.status || errs != c.errs {
			t.Errorf("%s: got status %d and %q, want %d and %q", c.args, status, errs, c.status, c.errs)
		}
	}
}

func TestHelp(t *testing.T) {
	status, out, errs := runSample(t, "--help", nil)
	if status != 0 || errs != "" {
		t.Errorf("got status %d and %q", status, errs)
	}
	for _, want := range []string{"sample up", "--home DIR", "--listen HOST:PORT", "--peer HOST:PORT", "--net NET", "--ipv4 ADDR/LEN|dhcp", "--dns ADDR[:PORT]"} {
		if !strings.Contains(out, want) {
			t.Errorf("help lacks %q:\n%s", want, out)
		}
	}
}

// TestManifest reads what --manifest prints, and a whole command line with it.
func TestManifest(t *testing.T) {
	status, out, errs := runSample(t, "--manifest", nil)
	if status != 0 || errs != "" {
		t.Fatalf("got status %d and %q", status, errs)
	}
	var m libos.Manifest
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		t.Fatal(err)
	}
	if m.Name != sample.Name || len(m.Args) != len(sample.Args)+len(Arguments) {
		t.Errorf("got %s with %d arguments, want %s with %d", m.Name, len(m.Args), sample.Name, len(sample.Args)+len(Arguments))
	}
	if _, err := m.Parse(strings.Fields("--peer x:1 --ipv4 dhcp --files disk --seal"), nil); err != nil {
		t.Errorf("its arguments: %v", err)
	}
	if status, out, _ := runSample(t, "--version", nil); status != 0 || !strings.HasPrefix(out, "sample ") || !strings.Contains(out, runtime.Version()) {
		t.Errorf("--version: got status %d and %q", status, out)
	}
}

// TestTold gives a listener of the host's to somebody who is told of no free port.
func TestTold(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	status, _, errs := runSample(t, "--listen "+taken.Addr().String(), func(ctx context.Context, env libos.Env) error {
		_, err := env.Listen(ctx, "listen")
		return err
	})
	if status != 1 || !strings.Contains(errs, "--listen") {
		t.Errorf("got status %d and %q, want 1 and a hint at --listen", status, errs)
	}
}

func TestParseInterface(t *testing.T) {
	m := libos.Manifest{Args: networkArgs}
	for _, c := range []struct {
		args string
		want interfaceConfig
	}{
		{"--ipv4 dhcp", interfaceConfig{dhcp: true}},
		{"--ipv6 auto", interfaceConfig{auto: true}},
		{"--ipv4 192.0.2.7/24 --gateway 192.0.2.1 --ipv6 2001:db8::7/64 --ipv6 auto --gateway fe80::1", interfaceConfig{
			v4:       netip.MustParsePrefix("192.0.2.7/24"),
			v6:       []netip.Prefix{netip.MustParsePrefix("2001:db8::7/64")},
			auto:     true,
			gateways: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fe80::1")},
		}},
		{"--ipv4 dhcp --mac 02:00:5e:10:00:01", interfaceConfig{dhcp: true, mac: net.HardwareAddr{2, 0, 0x5e, 0x10, 0, 1}}},
	} {
		a, err := m.Parse(strings.Fields(c.args), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseInterface(a)
		if err != nil || got.dhcp != c.want.dhcp || got.auto != c.want.auto || got.v4 != c.want.v4 ||
			!slices.Equal(got.v6, c.want.v6) || !slices.Equal(got.gateways, c.want.gateways) || got.mac.String() != c.want.mac.String() {
			t.Errorf("%s: got %+v, %v, want %+v", c.args, got, err, c.want)
		}
	}
	for _, args := range []string{"--ipv4 192.0.2.7", "--ipv4 2001:db8::7/64", "--ipv6 192.0.2.7/24", "--ipv6 ::ffff:192.0.2.7/96",
		"--ipv4 dhcp --gateway router", "--ipv4 dhcp --mac 03:00:5e:10:00:01", "--ipv4 dhcp --mac x"} {
		a, err := m.Parse(strings.Fields(args), nil)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := parseInterface(a); err == nil {
			t.Errorf("%s: got %+v, want an error", args, c)
		}
	}
}
