package virtio

import (
	"testing"

	"cairn/libos"
	"cairn/libos/libostest"
)

// cards are kinds of network cards that there are.
var cards = []struct {
	name   string
	offers uint64
	memory int
	queue  int
}{
	{"All", netAll, 0, 256},
	{"WithoutEventIndex", netAll &^ EventIndex, 0, 256},
	{"WithoutMergeable", netAll &^ netMergeable, 0, 256},
	{"WithoutOffload", Version1 | netMAC, 0, 256},
	{"LittleMemory", netAll, 300 << 10, 256},
	{"LeastMemory", netAll, 24 << 10, 256},
	{"LeastMemoryWithoutEventIndex", netAll &^ EventIndex, 24 << 10, 256},
	{"ShortQueue", netAll, 0, 4},
	{"OddQueue", netAll, 0, 1000},
	{"Legacy", netAll &^ Version1, 0, 256},
	{"LegacyLeast", AnyLayout | netMAC, 0, 16},
}

func TestLink(t *testing.T) {
	for _, c := range cards {
		t.Run(c.name, func(t *testing.T) {
			libostest.TestLink(t, func(t *testing.T) (a, b libos.Link) {
				return openCable(t, c.offers, c.memory, func(s *simulated) { s.max = [3]int{c.queue, c.queue, 0} })
			})
		})
	}
}
