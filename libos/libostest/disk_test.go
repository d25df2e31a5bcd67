package libostest

import (
	"testing"

	"cairn/libos"
)

func TestDisk(t *testing.T) {
	TestBlock(t, func(_ *testing.T, content []byte, readOnly bool) libos.Block { return NewDisk(content, readOnly) })
}

func TestDiskSynced(t *testing.T) {
	d := NewDisk(make([]byte, 512), false)
	write := func(off int64) {
		if _, err := d.WriteAt([]byte{1}, off); err != nil {
			t.Fatal(err)
		}
	}
	write(0)
	if err := d.Sync(); err != nil {
		t.Fatal(err)
	}
	write(1)
	if got := d.Synced(); got[0] != 1 || got[1] != 0 {
		t.Errorf("got % x, want only the first byte", got[:2])
	}
}
