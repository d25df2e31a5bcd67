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

// TestMachines boots machines of different memory and processor.
func TestMachines(t *testing.T) {
	m := vm.Machine{Kernel: image(t)}
	common := "mappings reserving permissions agree"
	for _, c := range []struct {
		name, cases string
		m           vm.Machine
		long        bool
	}{
		{"little memory", common + " returning areas cheap idle", vm.Machine{Memory: 48}, false},
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
			c.m.Kernel, c.m.Append = m.Kernel, c.cases
			out, status := boot(t, c.m)
			if status != 0 || strings.Count(out, "\nok ") != len(strings.Fields(c.cases)) {
				t.Errorf("exit status %d\n%s", status, out)
			}
		})
	}
}

// TestNoEntropyNoStart also reads what to do about it.
func TestNoEntropyNoStart(t *testing.T) {
	out, status := boot(t, vm.Machine{Kernel: image(t), CPU: "qemu64", Append: "running"})
	if status != 2 || !strings.Contains(out, "no source of randomness") || !strings.Contains(out, "-device virtio-rng") || strings.Contains(out, "ok running") {
		t.Errorf("exit status %d\n%s", status, out)
	}
}

// TestPowerOff ends machines that have no device for the exit status: by ACPI with fixed registers
// (a PC), by ACPI without (microvm), and without ACPI.
func TestPowerOff(t *testing.T) {
	m := vm.Machine{Kernel: image(t), Append: "exit"}
	for _, m.Type = range []string{"q35", "microvm", "microvm,acpi=off"} {
		v, err := m.Start()
		if err != nil {
			t.Fatal(err)
		}
		defer v.Kill()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		if status, err := v.Wait(ctx); err != nil || status != 7 {
			t.Errorf("%s: exit status %d, %v, want that of os.Exit(7)", m.Type, status, err)
		}
	}
}

// TestTimeOfDay compares a machine's date with that of its host: its clock may have
// been read to the second only, and that clock set to the second only.
func TestTimeOfDay(t *testing.T) {
	before := time.Now()
	out, status := boot(t, vm.Machine{Kernel: image(t), Append: "date"})
	after := time.Now()
	_, date, _ := strings.Cut(out, "\ndate ")
	date, _, _ = strings.Cut(date, "\n")
	got, err := time.Parse(time.RFC3339Nano, date)
	if err != nil || status != 0 || got.Before(before.Add(-2*time.Second)) || got.After(after) {
		t.Errorf("%v (%v, exit status %d), want from %v to %v", got, err, status, before, after)
	}
}

// TestWithoutConsole boots a machine that has no serial port: the status is all that is left.
func TestWithoutConsole(t *testing.T) {
	m := vm.Machine{Kernel: image(t), Type: "microvm,isa-serial=off", Append: "exit", Devices: []string{"-device", "isa-debug-exit,iobase=0xf4,iosize=1"}}
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
	const room = "cairn/libos/metal/kernel."
	address := map[string]elf.Symbol{}
	for _, s := range symbols {
		if name, ok := strings.CutPrefix(s.Name, room); ok {
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

// TestSmallMachine runs in little more than the image takes, which begins at 4 MiB.
func TestSmallMachine(t *testing.T) {
	out, status := boot(t, vm.Machine{Kernel: image(t), Memory: 10, Append: "running channels"})
	if status != 0 {
		t.Errorf("exit status %d\n%s", status, out)
	}
}
