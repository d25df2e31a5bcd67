// Command probe is what the tests of package metal boot: it says what the machine
// has, tries it, and ends.
//
// It prints a line for each device, writes to each disk that can be written and reads
// it back, and returns frames to whom they come from until there is one that says
// quit. With the argument button it waits for the power button instead.
package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"slices"

	"cairn/libos"
	"cairn/libos/metal"
)

func main() {
	if err := run(); err != nil {
		fmt.Println("probe:", err)
		os.Exit(1)
	}
	fmt.Println("probe: all is well")
}

func run() error {
	if slices.Contains(os.Args, "button") {
		pressed := metal.PowerButton()
		if pressed == nil {
			return fmt.Errorf("no power button")
		}
		fmt.Println("probe: press the button")
		<-pressed
		return nil
	}
	m, err := metal.Open()
	if err != nil {
		return err
	}
	for _, u := range m.Unknown {
		fmt.Println("unknown:", u)
	}
	for _, d := range m.Disks {
		fmt.Printf("disk: %s, ID %q, %d bytes, read-only %t\n", d.Name, d.ID, d.Size(), d.ReadOnly())
		if err := tryDisk(d); err != nil {
			return err
		}
	}
	for _, n := range m.Networks {
		fmt.Printf("network: %s, %s\n", n.Name, n.MAC())
		if err := echo(n); err != nil {
			return err
		}
	}
	return nil
}

// tryDisk writes random bytes across the disk's blocks and reads them back.
func tryDisk(d metal.Disk) error {
	if d.ReadOnly() {
		return nil
	}
	want, got := make([]byte, 100_001), make([]byte, 100_001)
	rand.Read(want)
	for _, off := range []int64{0, 777, d.Size() - int64(len(want))} {
		if _, err := d.WriteAt(want, off); err != nil {
			return err
		}
		if err := d.Sync(); err != nil {
			return err
		}
		if _, err := d.ReadAt(got, off); err != nil && err != io.EOF {
			return err
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%s does not keep what is written to it", d.Name)
		}
	}
	return nil
}

// echo returns frames to whom they come from.
func echo(n metal.Network) error {
	defer n.Close()
	buf := make([]byte, libos.MaxFrame)
	for {
		size, h, err := n.Receive(buf)
		if err != nil {
			return err
		}
		frame := buf[:size]
		copy(frame, frame[6:12])
		copy(frame[6:], n.MAC())
		if err := n.Send(h, frame); err != nil {
			return err
		}
		if bytes.Contains(frame, []byte("quit")) {
			return nil
		}
	}
}
