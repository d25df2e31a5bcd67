package suites

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"cairn/libos/libostest"
	"cairn/libos/metal/pvh"
	"cairn/libos/metal/vm"
)

// How many devices the suites take: one for each of their tests.
const (
	pairs = 8
	disks = 8 // and one that is only read
)

func TestMachines(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("images are for amd64")
	}
	if _, err := exec.LookPath(vm.Program); err != nil {
		if os.Getenv("CAIRN_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip("without QEMU: ", err)
	}
	image, dir := image(t), t.TempDir()
	const modern = "virtio-mmio.force-legacy=off"
	for _, c := range []struct {
		suite, machine, device string
		global                 string
		long                   bool
	}{
		{suite: "Link", machine: "microvm", device: "virtio-net-device", global: modern},
		{suite: "Block", machine: "q35", device: "virtio-blk-pci"},

		{suite: "Link", machine: "q35", device: "virtio-net-pci", long: true},
		{suite: "Link", machine: "microvm", device: "virtio-net-device", long: true},
		{suite: "Link", machine: "q35", device: "virtio-net-pci,event_idx=off,mrg_rxbuf=off", long: true},
		{suite: "Block", machine: "microvm", device: "virtio-blk-device", global: modern, long: true},
		{suite: "Block", machine: "microvm", device: "virtio-blk-device,event_idx=off,queue-size=4,seg-max-adjust=off", long: true},
		{suite: "Block", machine: "q35", device: "virtio-blk-pci,logical_block_size=4096,physical_block_size=4096", long: true},
	} {
		t.Run(c.suite+"/"+c.machine+"/"+c.device, func(t *testing.T) {
			if c.long && os.Getenv("CAIRN_LONG") == "" {
				t.Skip("only with CAIRN_LONG=1")
			}
			m := vm.Machine{Kernel: image, Type: c.machine, Memory: 256, Append: "-test.v -test.timeout=4m -test.run=^TestInside$/^" + c.suite + "$"}
			if c.global != "" {
				m.Devices = append(m.Devices, "-global", c.global)
			}
			tests := pairs
			if c.suite == "Link" {
				m.Devices = append(m.Devices, cards(dir, c.device)...)
			} else {
				m.Devices = append(m.Devices, drives(t, dir, c.device)...)
				tests = disks + 1
			}
			try(t, m, c.suite, tests)
		})
	}
}

// try boots a machine and wants so many tests of the suite to pass.
func try(t *testing.T, m vm.Machine, suite string, tests int) {
	t.Helper()
	v, err := m.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	status, err := v.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	text := v.Console()
	if got := strings.Count(text, "--- PASS: TestInside/"+suite+"/"); status != 0 || got != tests {
		t.Errorf("exit status %d and %d tests passed, want 0 and %d; the console:\n%s", status, got, tests, text)
	}
}

// image builds this test, and makes it boot.
func image(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "suites")
	build := exec.Command("go", "test", "-c", "-trimpath", "-ldflags=-s -w", "-o", file, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	elf, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if elf, err = pvh.Make(elf); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, elf, 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// cards are pairs of network cards, each on a cable of its own, which loses nothing: two
// sockets for datagrams. QEMU's hubs do lose frames, and its connected sockets now and
// then are not.
func cards(dir, device string) (words []string) {
	end := func(i int) string { return filepath.Join(dir, fmt.Sprint("end", i)) }
	for i := range 2 * pairs {
		words = append(words,
			"-netdev", fmt.Sprintf("dgram,id=n%d,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", i, end(i), end(i^1)),
			"-device", fmt.Sprintf("%s,netdev=n%d", device, i))
	}
	return words
}

// drives are disks as the suite wants them, with files in dir.
func drives(t *testing.T, dir, device string) (words []string) {
	t.Helper()
	for i := range disks + 1 {
		file := filepath.Join(dir, fmt.Sprint("disk", i))
		if err := os.WriteFile(file, libostest.DiskContent(), 0o600); err != nil {
			t.Fatal(err)
		}
		drive := fmt.Sprintf("if=none,format=raw,id=d%d,file=%s", i, file)
		if i == disks {
			drive += ",readonly=on"
		}
		words = append(words, "-drive", drive, "-device", fmt.Sprintf("%s,drive=d%d", device, i))
	}
	return words
}
