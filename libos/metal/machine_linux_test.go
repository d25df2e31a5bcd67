package metal

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/libos/metal/pvh"
	"cairn/libos/metal/vm"
)

// image is the program of internal/probe as an image.
var image = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "probe")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "probe")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./internal/probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	elf, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	if elf, err = pvh.Make(elf); err != nil {
		return "", err
	}
	return program, os.WriteFile(program, elf, 0o755)
})

func TestMain(m *testing.M) {
	status := m.Run()
	if file, err := image(); err == nil {
		os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(status)
}

// start boots the probe on m, and ends it with the test.
func start(t *testing.T, m vm.Machine) (*vm.VM, context.Context) {
	t.Helper()
	if _, err := exec.LookPath(vm.Program); err != nil {
		if os.Getenv("CAIRN_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip("without QEMU: ", err)
	}
	file, err := image()
	if err != nil {
		t.Fatal(err)
	}
	m.Kernel, m.Memory = file, 64
	v, err := m.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Kill)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return v, ctx
}

// long skips a test that others come close to, where time is short.
func long(t *testing.T, is bool) {
	t.Helper()
	if is && os.Getenv("CAIRN_LONG") == "" {
		t.Skip("only with CAIRN_LONG=1")
	}
}

// ended waits for the end of the probe and returns what it printed.
func ended(t *testing.T, v *vm.VM, ctx context.Context, want int) string {
	t.Helper()
	got, err := v.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("exit status %d, want %d; the console:\n%s", got, want, v.Console())
	}
	return v.Console()
}

// disks makes two disks and returns the arguments for QEMU, with words for their devices
// for which bus is what the names of devices on that bus end in.
func disks(t *testing.T, bus string) []string {
	t.Helper()
	var words []string
	for _, name := range []string{"data", "fixed"} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		words = append(words, "-drive", "if=none,format=raw,id="+name+",file="+file, "-device", "virtio-blk-"+bus+",drive="+name+",serial="+name)
		if name == "fixed" {
			words[len(words)-3] += ",readonly=on"
		}
	}
	return words
}

// A cable is the other end of the machine's network card: frames, each after its length.
type cable struct {
	net.Listener
	conn net.Conn
}

// plug returns a cable, and the words for QEMU that plug it into a card on bus.
func plug(t *testing.T, bus string) (*cable, []string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "") // t.TempDir's names may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "cable"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &cable{Listener: l}, []string{
		"-netdev", "stream,id=cable,server=off,addr.type=unix,addr.path=" + l.Addr().String(),
		"-device", "virtio-net-" + bus + ",netdev=cable,mac=52:54:00:00:00:07"}
}

var (
	machineMAC = []byte{0x52, 0x54, 0, 0, 0, 7}
	cableMAC   = []byte{0x52, 0x54, 0, 0, 0, 9}
)

// send sends a frame to the machine.
func (c *cable) send(t *testing.T, payload []byte) {
	t.Helper()
	if c.conn == nil {
		conn, err := c.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(2 * time.Minute))
		c.conn = conn
	}
	frame := bytes.Join([][]byte{machineMAC, cableMAC, {0x88, 0xb5}, payload}, nil)
	if _, err := c.conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)); err != nil {
		t.Fatal(err)
	}
}

// receive returns the next frame that is for us.
func (c *cable) receive(t *testing.T) []byte {
	t.Helper()
	for {
		var size [4]byte
		if _, err := io.ReadFull(c.conn, size[:]); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(c.conn, got); err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(got, cableMAC) {
			return got[14:]
		}
	}
}

// TestMachines finds, and drives, a card, disks and an unknown device on each kind of
// machine and bus.
func TestMachines(t *testing.T) {
	mmio := []string{"-device", "virtio-balloon-device"}
	modern := append([]string{"-global", "virtio-mmio.force-legacy=false"}, mmio...)
	legacy := append([]string{"-global", "virtio-mmio.force-legacy=true"}, mmio...)
	tests := []struct {
		name, kind, bus string
		more            []string
		where           string // of devices
		long            bool
	}{
		{"mmio", "microvm", "device", modern, "mmio 0xfeb0", false},
		{"legacy", "microvm", "device", legacy, "mmio 0xfeb0", false},
		{"mmio without ACPI", "microvm,acpi=off,isa-serial=on", "device", modern, "mmio 0xfeb0", false},
		{"legacy without ACPI", "microvm,acpi=off", "device", legacy, "mmio 0xfeb0", true},
		{"PCI of microvm", "microvm,pcie=on", "pci", []string{"-device", "virtio-balloon-pci"}, "pci 0000:00:0", false},
		{"PCI of q35", "q35", "pci", []string{"-device", "virtio-balloon-pci"}, "pci 0000:00:0", false},
		{"behind a bridge", "q35", "pci,bus=behind", []string{"-device", "virtio-balloon-pci"}, "pci 0000:01:0", true},
		{"PCI of i440fx", "pc", "pci", []string{"-device", "virtio-balloon-pci"}, "pci 0000:00:0", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			long(t, tt.long)
			c, words := plug(t, tt.bus)
			bus, _, behind := strings.Cut(tt.bus, ",")
			if behind {
				words = append([]string{"-device", "pcie-root-port,id=behind,chassis=1"}, words...)
			}
			words = append(words, disks(t, bus)...)
			v, ctx := start(t, vm.Machine{Type: tt.kind, Devices: append(words, tt.more...)})
			if _, err := v.Await(ctx, regexp.MustCompile(`network: virtio network card at `+tt.where+`.*, 52:54:00:00:00:07\n`)); err != nil {
				t.Fatal(err)
			}
			for i := range 300 {
				want := bytes.Repeat([]byte{byte(i)}, 46+i*4)
				c.send(t, want)
				if got := c.receive(t); !bytes.Equal(got, want) {
					t.Fatalf("echo of %d bytes of %#x is %#x", len(want), i, got)
				}
			}
			for range 100 { // many at once: an interrupt that is lost is the end
				for range 32 {
					c.send(t, make([]byte, 60))
				}
				for range 32 {
					c.receive(t)
				}
			}
			c.send(t, append([]byte("quit"), make([]byte, 60)...))
			console := awaitEnd(t, v, ctx)
			for _, want := range []string{
				"unknown: virtio balloon at ",
				`, ID "data", 1048576 bytes, read-only false` + "\n",
				`, ID "fixed", 1048576 bytes, read-only true` + "\n",
				"probe: all is well\n",
			} {
				if !strings.Contains(console, want) {
					t.Errorf("no %q on the console:\n%s", want, console)
				}
			}
		})
	}
}

// awaitEnd waits for the last words of the probe. A machine without ACPI may stay on.
func awaitEnd(t *testing.T, v *vm.VM, ctx context.Context) string {
	t.Helper()
	if _, err := v.Await(ctx, regexp.MustCompile(`cairn: exit status 0\n`)); err != nil {
		t.Fatal(err)
	}
	return v.Console()
}

// TestProblems: a device that cannot be used is named, with what is wrong with it.
func TestProblems(t *testing.T) {
	for _, tt := range []struct{ name, device, want string }{
		{"legacy interface only", "virtio-blk-pci,disable-modern=on,disable-legacy=off", "probe: virtio disk at pci 0000:00:01.0: it lacks registers of the modern interface"},
		{"no messages", "virtio-blk-pci,vectors=0", "probe: virtio disk at pci 0000:00:01.0: it has no message-signalled interrupts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			long(t, tt.name == "no messages")
			words := disks(t, "pci")[:2]
			v, ctx := start(t, vm.Machine{Type: "q35", Devices: append(words, "-device", tt.device+",drive=data")})
			if console := ended(t, v, ctx, 1); !strings.Contains(console, tt.want) {
				t.Errorf("no %q on the console:\n%s", tt.want, console)
			}
		})
	}
}

// TestEntropy: without RDRAND random numbers come from the machine, on every bus; if it has
// none either, nothing starts.
func TestEntropy(t *testing.T) {
	const without = "qemu64"
	tests := []struct {
		name, kind string
		more       []string
		status     int
		want       string
	}{
		{"mmio", "microvm", []string{"-global", "virtio-mmio.force-legacy=false", "-device", "virtio-rng-device"}, 0, "probe: all is well\n"},
		{"legacy", "microvm", []string{"-global", "virtio-mmio.force-legacy=true", "-device", "virtio-rng-device"}, 0, "probe: all is well\n"},
		{"PCI", "q35", []string{"-device", "virtio-rng-pci"}, 0, "probe: all is well\n"},
		{"none", "microvm", nil, 2, "random"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			long(t, tt.name == "legacy")
			v, ctx := start(t, vm.Machine{Type: tt.kind, CPU: without, Devices: tt.more})
			if console := ended(t, v, ctx, tt.status); !strings.Contains(console, tt.want) {
				t.Errorf("no %q on the console:\n%s", tt.want, console)
			}
		})
	}
}

// TestPowerButton presses the button: of a machine with an event device, of one with the
// fixed registers of ACPI, and, where there is neither, on the keyboard.
func TestPowerButton(t *testing.T) {
	for _, tt := range []struct {
		kind, press string
		more        []string
	}{
		{"microvm", "system_powerdown", nil},
		{"q35", "system_powerdown", nil},
		{"microvm,acpi=off", "sendkey ctrl-alt-delete", []string{"-device", "i8042"}},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			monitor := filepath.Join(dir, "monitor")
			v, ctx := start(t, vm.Machine{Type: tt.kind, Append: "button", Devices: append(tt.more, "-monitor", "unix:"+monitor+",server=on,wait=off")})
			if _, err := v.Await(ctx, regexp.MustCompile(`press the button\n`)); err != nil {
				t.Fatal(err)
			}
			conn, err := net.Dial("unix", monitor)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, tt.press+"\n"); err != nil {
				t.Fatal(err)
			}
			ended(t, v, ctx, 0)
		})
	}
}

// TestConsole: what is printed is on the virtio console too, from the first line to
// the last, whether or not there is a serial port.
func TestConsole(t *testing.T) {
	for _, tt := range []struct{ name, kind, bus string }{
		{"beside a serial port", "microvm", "device"}, {"alone", "microvm,isa-serial=off", "device"}, {"PCI", "q35", "pci"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			long(t, tt.name == "beside a serial port")
			file := filepath.Join(t.TempDir(), "console")
			v, ctx := start(t, vm.Machine{Type: tt.kind, Devices: []string{"-device", "virtio-serial-" + tt.bus,
				"-chardev", "file,id=console,path=" + file, "-device", "virtconsole,chardev=console"}})
			if _, err := v.Exit(ctx); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if want := "probe: all is well\r\ncairn: exit status 0\r\n"; string(got) != want {
				t.Errorf("the console says %q, want %q", got, want)
			}
		})
	}
}
