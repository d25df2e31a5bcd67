package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cairn/libos/metal/vm"
)

// A program is one that runs in a machine, the same file on both sides.
type program struct {
	file  string            // the image, which is a Linux program too
	args  []string          // that are the same on both sides
	own   []string          // on a network of its own
	host  []string          // on the kernel's
	files map[string][]byte // that arguments name
}

// A guest is a way to run a program in a machine.
type guest interface {
	machine(p program, memory int) (vm.Machine, error)
}

// metal boots the program itself.
type metal struct {
	place *place
	dir   string
}

func (g metal) machine(p program, memory int) (vm.Machine, error) {
	words := append([]string{"--ipv4", guestAddress + "/24"}, append(p.own, p.args...)...)
	m := vm.Machine{Kernel: p.file, Memory: memory, Within: g.place.Command(), Devices: card()}
	if len(p.files) > 0 {
		disk := filepath.Join(g.dir, "files.tar")
		if err := writeTar(disk, p.files); err != nil {
			return m, err
		}
		m.Devices = append(m.Devices, "-drive", "if=none,id=files,format=raw,readonly=on,file="+disk, "-device", "virtio-blk-device,drive=files,serial=files")
	}
	for i, word := range words {
		if strings.ContainsAny(word, ` "`) {
			words[i] = `"` + word + `"`
		}
	}
	m.Append = strings.Join(words, " ")
	return m, nil
}

// underLinux boots Debian's kernel, with the program in an initramfs.
type underLinux struct {
	place  *place
	dir    string
	debian *debian
	init   string // the first process's program
}

// kernelArgs leave out what costs time and finds nothing on such a machine. The time stamp counter is
// trusted, and its rate told: under emulation on a busy host the kernel finds it out wrongly, or
// not at all and hangs, or gives the counter up for a clock of 250 Hz.
const kernelArgs = "console=ttyS0 quiet loglevel=1 panic=-1 reboot=t tsc=reliable no_timer_check mitigations=off random.trust_cpu=on cryptomgr.notests noreplace-smp i8042.noaux i8042.nopnp 8250.nr_uarts=1 tsc_early_khz="

// counterRate is that of this machine's time stamp counter, in kHz, which is also
// the guest's.
func counterRate() (int, error) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "cpu MHz")
	var mhz float64
	if _, err := fmt.Sscanf(rest, "\t\t: %g", &mhz); err != nil {
		return 0, fmt.Errorf("/proc/cpuinfo: cpu MHz: %w", err)
	}
	return int(mhz * 1000), nil
}

func (g underLinux) machine(p program, memory int) (vm.Machine, error) {
	files, err := g.files(p)
	if err != nil {
		return vm.Machine{}, err
	}
	initrd := filepath.Join(g.dir, "initrd")
	f, err := os.Create(initrd)
	if err != nil {
		return vm.Machine{}, err
	}
	defer f.Close()
	if err := writeCPIO(f, files); err != nil {
		return vm.Machine{}, err
	}
	rate, err := counterRate()
	if err != nil {
		return vm.Machine{}, err
	}
	return vm.Machine{
		Kernel: g.debian.kernel, Initrd: initrd, Append: kernelArgs + strconv.Itoa(rate),
		Memory: memory, Within: g.place.Command(), Devices: card(),
	}, f.Close()
}

// files are those of the initramfs.
func (g underLinux) files(p program) (map[string]entry, error) {
	files := map[string]entry{
		"dev/console": {mode: character, device: 5<<8 | 1},
		"proc":        {mode: folder},
		"address":     {mode: regular, data: []byte(guestAddress)},
		"arguments":   {mode: regular, data: []byte(strings.Join(append(p.host, p.args...), "\n"))},
	}
	for name, source := range map[string]string{"init": g.init, "program": p.file} {
		data, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		files[name] = entry{mode: regular, data: data}
	}
	for i, name := range modules {
		files[fmt.Sprintf("modules/%02d-%s.ko", i, name)] = entry{mode: regular, data: g.debian.modules[name]}
	}
	for name, data := range p.files {
		files[strings.TrimPrefix(name, "/")] = entry{mode: regular, data: data}
	}
	return files, nil
}

// compile builds a program of this repository for the initramfs.
func compile(ctx context.Context, dir, pkg, name string) (string, error) {
	file := filepath.Join(dir, name)
	_, err := output(ctx, "", "env", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, pkg)
	return file, err
}
