package unix

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"cairn/libos"
	"cairn/libos/libostest"
)

var bridges atomic.Int32

// TestTAP has two TAP devices on a bridge.
func TestTAP(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil || os.Geteuid() != 0 {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatal("ip and root are needed")
		}
		t.Skip("ip and root are needed")
	}
	libostest.TestLink(t, func(t *testing.T) (a, b libos.Link) {
		n := bridges.Add(1)
		bridge := fmt.Sprintf("cb%d-%d", os.Getpid(), n)
		ip(t, "link", "add", bridge, "type", "bridge", "mcast_snooping", "0")
		t.Cleanup(func() { ip(t, "link", "del", bridge) })
		ip(t, "link", "set", bridge, "up")
		return attach(t, bridge, "a"), attach(t, bridge, "b")
	})
}

// attach makes a TAP device on a bridge. It is gone when it is closed.
func attach(t *testing.T, bridge, suffix string) *TAP {
	t.Helper()
	tap, err := OpenTAP(bridge+suffix, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tap.Name() != bridge+suffix {
		t.Errorf("got name %q, want %q", tap.Name(), bridge+suffix)
	}
	ip(t, "link", "set", tap.Name(), "master", bridge, "up")
	return tap
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

func TestOpenTAPRefuses(t *testing.T) {
	for _, name := range []string{"", "a-name-much-too-long"} {
		if tap, err := OpenTAP(name, nil); err == nil {
			t.Errorf("%q: got a TAP", name)
			tap.Close()
		}
	}
}

func TestNeighbour(t *testing.T) {
	of := net.HardwareAddr{0x00, 0x16, 0x3e, 1, 2, 3}
	got, want := neighbour(of), "02:16:3e:01:02:83"
	if got.String() != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
