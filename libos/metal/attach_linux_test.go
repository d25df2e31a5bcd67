//go:build amd64

package metal

import (
	"testing"

	"cairn/libos/metal/kernel"
)

func TestPlace(t *testing.T) {
	for _, tt := range []struct {
		d    kernel.Device
		want string
	}{
		{kernel.Device{Bus: kernel.BusMMIO, Place: 0xfeb00e00}, "mmio 0xfeb00e00"},
		{kernel.Device{Bus: kernel.BusPCI, Place: 1<<16 | 2<<8 | 31<<3 | 7}, "pci 0001:02:1f.7"},
	} {
		if got := place(tt.d); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// TestWindow: what lies outside of a device's memory is not touched.
func TestWindow(t *testing.T) {
	w := window{Address: 8, Size: 0x100} // nothing can be read there
	for _, off := range []int{-1, 0xfd, 0x100, 1 << 40, -1 << 63} {
		if got := w.Load32(off); got != 0xffffffff {
			t.Errorf("load at %#x: %#x", off, got)
		}
		w.Store32(off, 1)
	}
	if w.Load8(0x100) != 0xff || w.Load16(0xff) != 0xffff {
		t.Error("the end is not the end")
	}
	w.Store8(0x100, 1)
	w.Store16(0xff, 1)
}

func TestShares(t *testing.T) {
	for _, tt := range []struct {
		total      int64
		card, disk int
	}{
		{10 << 20, 300 << 10, 64 << 10},
		{48 << 20, 1 << 20, 192 << 10},
		{1<<63 - 1, 2 << 20, 256 << 10},
	} {
		if card, disk := shares(tt.total); card != tt.card || disk != tt.disk {
			t.Errorf("of %d bytes a card gets %d and a disk %d, want %d and %d", tt.total, card, disk, tt.card, tt.disk)
		}
	}
}
