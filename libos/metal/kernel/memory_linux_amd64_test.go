package kernel_test

import (
	"context"
	"debug/elf"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"cairn/libos/metal/vm"
)

// TestMachines boots machines that differ in memory, processor and devices.
func TestMachines(t *testing.T) {
	img := image(t)
	common := "mappings reserving permissions agree"
	for _, c := range []struct {
		name, cases string
		m           vm.Machine
		long        bool
	}{
		{"little memory", common + " returning areas cheap idle", vm.Machine{Memory: 48}, false},
		{"hardly more than the image", "running channels", vm.Machine{Memory: 10}, false},
		{"memory above 4 GiB", common + " above", vm.Machine{Memory: 5120}, false},
		{"the same without pages of 1 GiB", common + " above", vm.Machine{Memory: 5120, CPU: "max,pdpe1gb=off"}, true},
		{"the same on a PC", common + " above", vm.Machine{Memory: 5120, Type: "q35"}, true},
		{"no ACPI", common, vm.Machine{Memory: 48, Type: "microvm,acpi=off"}, true},
		{"a real-time clock", common, vm.Machine{Memory: 48, Type: "microvm,rtc=on"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.long && os.Getenv("CAIRN_LONG") == "" {
				t.Skip("only with CAIRN_LONG=1")
			}
			c.m.Kernel, c.m.Append = img, c.cases
			out, status := boot(t, c.m)
			if status != 0 || strings.Count(out, "\nok ") != len(strings.Fields(c.cases)) {
				t.Errorf("exit status %d\n%s", status, out)
			}
		})
	}
	t.Run("no entropy", func(t *testing.T) { noEntropy(t, img) })
	t.Run("power-off", func(t *testing.T) { powerOff(t, img) })
	t.Run("date", func(t *testing.T) { date(t, img) })
	t.Run("no console", func(t *testing.T) { noConsole(t, img) })
}

// noEntropy: the machine does not start, and says what to do about it.
func noEntropy(t *testing.T, img string) {
	out, status := boot(t, vm.Machine{Kernel: img, CPU: "qemu64", Append: "running"})
	if status != 2 || !strings.Contains(out, "no source of randomness") || !strings.Contains(out, "-device virtio-rng") || strings.Contains(out, "ok running") {
		t.Errorf("exit status %d\n%s", status, out)
	}
}

// powerOff ends machines that have no device for the exit status: by ACPI with fixed registers
// (a PC), by ACPI without (microvm), and without ACPI.
func powerOff(t *testing.T, img string) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for _, machine := range []string{"q35", "microvm", "microvm,acpi=off"} {
		v, err := vm.Machine{Kernel: img, Append: "exit", Type: machine}.Start()
		if err != nil {
			t.Fatal(err)
		}
		defer v.Kill()
		if status, err := v.Wait(ctx); err != nil || status != 7 {
			t.Errorf("%s: exit status %d, %v, want that of os.Exit(7)", machine, status, err)
		}
	}
}

// date compares a machine's date with that of its host: its clock may have been read
// to the second only, and that clock set to the second only.
func date(t *testing.T, img string) {
	before := time.Now()
	out, status := boot(t, vm.Machine{Kernel: img, Append: "date"})
	after := time.Now()
	_, said, _ := strings.Cut(out, "\ndate ")
	said, _, _ = strings.Cut(said, "\n")
	got, err := time.Parse(time.RFC3339Nano, said)
	if err != nil || status != 0 || got.Before(before.Add(-2*time.Second)) || got.After(after) {
		t.Errorf("%v (%v, exit status %d), want from %v to %v", got, err, status, before, after)
	}
}

// noConsole boots a machine that has no serial port: the status is all that is left.
func noConsole(t *testing.T, img string) {
	m := vm.Machine{Kernel: img, Type: "microvm,isa-serial=off", Append: "exit", Devices: []string{"-device", "isa-debug-exit,iobase=0xf4,iosize=1"}}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	words := slices.DeleteFunc(m.Command(), func(w string) bool { return w == "-serial" || w == "stdio" })
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 7<<1|1 {
		t.Errorf("QEMU ends with %d (%v), want that of os.Exit(7)\n%s", code, err, out)
	}
}

// TestResidentPart makes sure that all variables of the kernel lie where memory is from the start.
func TestResidentPart(t *testing.T) {
	f, err := elf.Open(program(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	address := map[string]elf.Symbol{}
	for _, s := range symbols {
		if name, ok := strings.CutPrefix(s.Name, "cairn/libos/metal/kernel."); ok {
			address[name] = s
		}
	}
	end := max(address["space"].Value+address["space"].Size, address["stackArea"].Value+address["stackArea"].Size)
	for name, s := range address {
		if elf.ST_TYPE(s.Info) == elf.STT_OBJECT && s.Value+s.Size > end {
			t.Errorf("%s is at %#x, beyond the kernel's end %#x", name, s.Value, end)
		}
	}
}
