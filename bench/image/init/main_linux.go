// Init is the first process of the Linux machines that the images are compared with. It does
// what a program needs there and nothing else: it loads the drivers of the network card,
// mounts /proc, gives the card its address and becomes the program.
//
// In the initramfs lie /modules/NN-name.ko, loaded in that order; /address, the card's
// IPv4 address; /arguments, the program's, one a line; and /program.
package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "init:", err)
		os.Exit(1) // which makes the kernel panic, and the machine end
	}
}

func run() error {
	modules, err := filepath.Glob("/modules/*.ko")
	if err != nil {
		return err
	}
	for _, name := range modules {
		if err := load(name); err != nil {
			return fmt.Errorf("load %s: %w", name, err)
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	address, err := os.ReadFile("/address")
	if err != nil {
		return err
	}
	if err := configure(string(address)); err != nil {
		return err
	}
	arguments, err := os.ReadFile("/arguments")
	if err != nil {
		return err
	}
	return unix.Exec("/program", append([]string{"/program"}, strings.FieldsFunc(string(arguments), func(r rune) bool { return r == '\n' })...), nil)
}

func load(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.FinitModule(int(f.Fd()), "", 0)
}

// configure brings eth0 up with an address in a network of 256.
func configure(text string) error {
	address, err := netip.ParseAddr(text)
	if err != nil {
		return err
	}
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	if err := appear(s); err != nil {
		return err
	}
	for _, step := range []struct {
		request uint
		set     func(*unix.Ifreq) error
	}{
		{unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(address.AsSlice()) }},
		{unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{255, 255, 255, 0}) }},
		{unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING); return nil }},
	} {
		r, err := unix.NewIfreq("eth0")
		if err != nil {
			return err
		}
		if err := step.set(r); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(s, step.request, r); err != nil {
			return fmt.Errorf("eth0: %w", err)
		}
	}
	return nil
}

// appear waits until the driver has found the card.
func appear(s int) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		ifreq, err := unix.NewIfreq("eth0")
		if err != nil {
			return err
		}
		if err = unix.IoctlIfreq(s, unix.SIOCGIFINDEX, ifreq); err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("eth0: %w", err)
		}
	}
}
