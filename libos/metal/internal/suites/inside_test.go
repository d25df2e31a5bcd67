package suites

import (
	"testing"

	"cairn/libos"
	"cairn/libos/libostest"
	"cairn/libos/metal"
)

// TestInside runs in the machine, and takes another pair of cards, or another
// disk, for each test of a suite.
func TestInside(t *testing.T) {
	if !metal.Running() {
		t.Skip("runs in machines that TestMachines starts")
	}
	m, err := metal.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("Link", func(t *testing.T) {
		cards := m.Networks
		libostest.TestLink(t, func(t *testing.T) (a, b libos.Link) {
			if len(cards) < 2 {
				t.Fatalf("no more cards of %d", len(m.Networks))
			}
			a, b, cards = cards[0], cards[1], cards[2:]
			return a, b
		})
	})
	t.Run("Block", func(t *testing.T) {
		disks := m.Disks
		libostest.TestBlock(t, func(t *testing.T, content []byte, readOnly bool) libos.Block {
			for i, d := range disks {
				if d.ReadOnly() == readOnly {
					disks = disks[i+1:]
					return prepared(t, d, content)
				}
			}
			t.Fatalf("no more disks of %d", len(m.Disks))
			return nil
		})
	})
}

// prepared returns a disk that holds content, as one that is only read does already.
func prepared(t *testing.T, d metal.Disk, content []byte) libos.Block {
	t.Helper()
	if !d.ReadOnly() {
		if _, err := d.WriteAt(content, 0); err != nil {
			t.Fatal(err)
		}
	}
	return d
}
