package kernel_test

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"cairn/libos/metal/pvh"
	"cairn/libos/metal/vm"
)

// TestBoot runs testdata/selftest as a virtual machine: the cases that a program
// survives all in one, those that end it each for itself.
func TestBoot(t *testing.T) {
	m := vm.Machine{Kernel: image(t), Memory: 96}
	t.Run("survived", func(t *testing.T) {
		faults := "running nil-read nil-write nil-call divide index map text rodata nx high nested"
		load := "channels preemption sleeps threads deadlines collector registers vectors files time random poll unserved calls"
		m.Append = faults + " " + load + " exit"
		out, status := boot(t, m)
		for name := range strings.FieldsSeq(faults + " " + load) {
			if !strings.Contains(out, "\nok "+name+"\n") {
				t.Errorf("case %s is not reported as ok", name)
			}
		}
		if status != 7 {
			t.Errorf("exit status %d, want that of os.Exit(7)", status)
		}
		if !strings.Contains(out, "system call 101 (ptrace) is not served") || strings.Count(out, "is not served") != 2 {
			t.Error("there are not two calls that are not served, ptrace and an unknown one, each reported once")
		}
		if t.Failed() {
			t.Log(out)
		}
	})
	for name, c := range map[string]struct {
		status int
		want   []string // in this order
	}{
		"panic":                   {2, []string{"panic: as it should", "goroutine 1 [running]:", "main.main()", "main.go:"}},
		"overflow":                {2, []string{"fatal error: stack overflow", "main.recurse("}},
		"deadlock":                {2, []string{"all goroutines are asleep - deadlock!", "main.deadlock()"}},
		"memory":                  {2, []string{"out of memory: ", "SIGBUS", "main.outOfMemory()"}},
		"abort":                   {2, []string{"SIGABRT: abort", "main.abort()"}},
		"fatalfault":              {2, []string{"unexpected fault address 0x123456000", "SIGSEGV", "main.fatalFault()"}},
		"handlerfault":            {128 + 11, []string{"ended by signal 11", "page fault", "rip=0x", "stack:", "main.handlerFault", "main.main", "thread 1 runs"}},
		"GOTRACEBACK=crash panic": {128 + 6, []string{"panic: as it should", "ended by signal 6: nobody handles it", "runtime.raise", "runtime.gopanic", "main.main"}},
		"badpointer":              {2, []string{"kernel: fault inside the kernel", "address 0x10", "rip=0x", "stack:", "kernel.sysWrite", "kernel.trap", "main.badPointer", "thread 1 runs"}},
		"kernelstack":             {2, []string{"kernel: kernel stack overflow", "page fault", "rip=0x", "main.recurseForEver"}},
		"nmi":                     {2, []string{"kernel: non-maskable interrupt", "rip=0x", "main.nmi", "main.main"}},
		"doublefault":             {2, []string{"kernel: double fault", "rip=0x", "main.doubleFault", "main.main"}},
		"faultloop":               {2, []string{"kernel: one fault causes another"}},
		"machinecheck":            {2, []string{"kernel: machine check", "rip=0x", "main.machineCheck", "main.main"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := m
			m.Append = name
			out, status := boot(t, m)
			if status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
			rest := out
			for _, want := range c.want {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Errorf("the console does not say %q, or not at its place", want)
				}
				rest = after
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// TestOldProcessor boots on one without XSAVE, AVX and RDRAND.
func TestOldProcessor(t *testing.T) {
	m := vm.Machine{Kernel: image(t), Memory: 96}
	m.CPU, m.Append = "qemu64", "registers random preemption nil-read"
	if out, status := boot(t, m); status == 0 || !strings.Contains(out, "kernel: ") {
		t.Errorf("it starts without any source of randomness: exit status %d\n%s", status, out)
	}
	m.Devices = []string{"-object", "rng-random,id=r,filename=/dev/urandom", "-device", "virtio-rng-device,rng=r"}
	if out, status := boot(t, m); status != 0 || strings.Count(out, "\nok ") != 4 {
		t.Errorf("exit status %d\n%s", status, out)
	}
}

// TestEveryCall: those that are not served are reported, each by its name and once.
func TestEveryCall(t *testing.T) {
	out, status := boot(t, vm.Machine{Kernel: image(t), Append: "every nil-read channels", Memory: 96})
	if status != 0 || strings.Count(out, "\nok ") != 3 {
		t.Fatalf("exit status %d\n%s", status, out)
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`system call (\d+) \((\w+)\) is not served`).FindAllStringSubmatch(out, -1) {
		if seen[m[1]] {
			t.Errorf("system call %s is reported twice", m[1])
		}
		seen[m[1]] = true
		if n, _ := strconv.Atoi(m[1]); n < 335 && m[2] == "unknown" {
			t.Errorf("system call %d has no name", n)
		}
	}
	for _, want := range []string{"41 (socket)", "59 (execve)", "101 (ptrace)", "334 (rseq)", "424 (pidfd_send_signal)", "462 (mseal)", "999 (unknown)"} {
		if !strings.Contains(out, "system call "+want+" is not served") {
			t.Errorf("no word of system call %s", want)
		}
	}
	if seen["0"] || seen["1"] || seen["202"] {
		t.Error("read, write or futex is reported")
	}
}

// TestTooLittleMemory takes away parts of what the image needs, and of what its runtime needs
// to begin. Each time it says so.
func TestTooLittleMemory(t *testing.T) {
	requireQEMU(t)
	name := program(t, "")
	file, stacks := fileEnd(t, name), symbol(t, name, "cairn/libos/metal/kernel.stackArea")
	m := vm.Machine{Kernel: bootable(t, name), Append: "channels"}
	const less, more = "less memory than the image needs", "give the machine more"
	for what, c := range map[string]struct {
		bytes uint64
		want  string
	}{
		"a page of the file":                {0x402000, less},
		"some code":                         {0x480000, less},
		"all but the end of the file":       {file - 0x1000, less},
		"the file, and nothing behind it":   {file + 0x1fff, less},
		"all as far as the stacks":          {stacks, less},
		"hardly more than the image":        {stacks + 0x20000, more},
		"not enough for the runtime, quite": {stacks + 0x40000, more},
	} {
		t.Run(what, func(t *testing.T) {
			m := m
			m.Devices = []string{"-m", fmt.Sprintf("%dK", c.bytes>>13<<3)} // QEMU rounds up to 8 KiB
			out, status := boot(t, m)
			if status != 2 || !strings.Contains(out, c.want) {
				t.Errorf("exit status %d, want 2 and %q\n%s", status, c.want, out)
			}
		})
	}
	t.Run("no device that ends it", func(t *testing.T) {
		v, err := vm.Machine{Kernel: m.Kernel, Devices: []string{"-m", "4104K"}}.Start()
		if err != nil {
			t.Fatal(err)
		}
		defer v.Kill()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		if status, err := v.Wait(ctx); status != 2 || err != nil {
			t.Errorf("exit status %d, %v", status, err)
		}
	})
}

// fileEnd is where in memory the part of a program ends that its file fills.
func fileEnd(t *testing.T, name string) (end uint64) {
	t.Helper()
	f, err := elf.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			end = max(end, p.Vaddr+p.Filesz)
		}
	}
	return end
}

// symbol is the address of a symbol.
func symbol(t *testing.T, name, symbol string) uint64 {
	t.Helper()
	f, err := elf.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Name == symbol {
			return s.Value
		}
	}
	t.Fatalf("there is no %s", symbol)
	return 0
}

// TestCommandLine: words become arguments and environment.
func TestCommandLine(t *testing.T) {
	m := vm.Machine{Kernel: image(t), Memory: 96}
	m.Append = `reboot=k console=ttyS0 arguments --a "b  c" "" d="e f" GODEBUG=x=1 ro --ro HOME="/a b"`
	out, _ := boot(t, m)
	want := `["--a" "b  c" "" "d=e f" "--ro"] GODEBUG="x=1" HOME="/a b"`
	if !strings.Contains(out, want) {
		t.Errorf("got\n%s\nwant %s", out, want)
	}
}

// TestProcess runs the bootable file as a process.
func TestProcess(t *testing.T) {
	out, err := exec.Command(image(t), "nil-read", "channels", "preemption", "poll").Output()
	if err != nil || string(out) != "ok nil-read\nok channels\nok preemption\nok poll\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

// boot starts a machine and returns what is on its console and the exit status
// that is said there, once it has ended.
func boot(t *testing.T, m vm.Machine) (console string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	m.Devices = append([]string{"-device", "isa-debug-exit,iobase=0xf4,iosize=1"}, m.Devices...)
	v, err := m.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Kill()
	status, err = v.Wait(ctx)
	if err != nil {
		t.Fatalf("%v; on the console:\n%s", err, v.Console())
	}
	if got, err := v.Exit(ctx); err != nil || got != (status<<1|1)&0xff {
		t.Errorf("QEMU ends with %d, %v; the console says status %d", got, err, status)
	}
	return "\n" + v.Console(), status
}

// image builds the bootable selftest.
func image(t *testing.T) string {
	t.Helper()
	requireQEMU(t)
	return bootable(t, program(t, "-s -w"))
}

// requireQEMU skips a test without it, but not where all has to be there.
func requireQEMU(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath(vm.Program); err != nil {
		if os.Getenv("CAIRN_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// bootable makes an image of a program.
func bootable(t *testing.T, elf string) string {
	t.Helper()
	b, err := os.ReadFile(elf)
	if err != nil {
		t.Fatal(err)
	}
	b, err = pvh.Make(b)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "selftest.img")
	if err := os.WriteFile(name, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// program builds the selftest as the toolchain leaves it.
func program(t *testing.T, ldflags string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "selftest")
	build := exec.Command("go", "build", "-trimpath", "-ldflags="+ldflags, "-o", name, "./testdata/selftest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOAMD64=v1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return name
}
