package virtio

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"sync"
	"testing"

	"cairn/libos"
	"cairn/libos/libostest"
)

const diskAll = blockAccepts &^ blockReadOnly

// A simDisk is what a simulated disk keeps.
type simDisk struct {
	*simulated
	mu      sync.Mutex
	content []byte
	id      string
	flushes int
	fail    map[int64]byte // status of requests, by sector
	short   bool           // tells lengths as some do, of what it read
	block   int

	unsynced bool // the next flush fails

	evil func(*simQueue, *simChain) // what it does with the first read

	silent  int           // so many reads it does not answer
	reached chan struct{} // closed when there were so many
}

func newDisk(t testing.TB, content []byte, offers uint64) *simDisk {
	d := &simDisk{simulated: newSimulated(t, Disk, offers), content: content, id: "state", block: 512, reached: make(chan struct{})}
	d.max = [3]int{64, 0, 0}
	binary.LittleEndian.PutUint64(d.config, uint64(len(content)/512))
	binary.LittleEndian.PutUint32(d.config[8:], 1<<20)
	binary.LittleEndian.PutUint32(d.config[20:], 512)
	return d
}

// run serves requests until the disk is stopped, two at a time and the later one first.
func (d *simDisk) run() {
	q := d.queues[0]
	for {
		c := q.await()
		if c == nil {
			return
		}
		chains := []*simChain{c}
		if later := q.pop(); later != nil {
			chains = []*simChain{later, c}
		}
		for _, c := range chains {
			if d.evil != nil && binary.LittleEndian.Uint32(c.out[0]) == typeIn {
				d.evil(q, c)
				continue
			}
			if d.ignores(c) {
				continue
			}
			q.put([]uint16{c.head}, []int{d.serve(c)})
		}
	}
}

// ignores reports whether the disk does not answer a request.
func (d *simDisk) ignores(c *simChain) bool {
	if d.silent == 0 || binary.LittleEndian.Uint32(c.out[0]) != typeIn {
		return false
	}
	if d.silent--; d.silent == 0 {
		close(d.reached)
	}
	return true
}

// serve does what a request says, and returns what the disk says of its length.
func (d *simDisk) serve(c *simChain) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(c.out) == 0 || len(c.out[0]) != 16 || len(c.in) == 0 || len(c.in[len(c.in)-1]) != 1 {
		d.t.Errorf("a request of %d and %d buffers", len(c.out), len(c.in))
		return 0
	}
	kind := binary.LittleEndian.Uint32(c.out[0])
	at := int64(binary.LittleEndian.Uint64(c.out[0][8:]))
	status, n := d.do(kind, at*512, c)
	c.in[len(c.in)-1][0] = status
	return n
}

func (d *simDisk) do(kind uint32, at int64, c *simChain) (status byte, n int) {
	for bad, status := range d.fail {
		if last := at/512 + int64(len(c.in[0])/512); kind == typeIn && at/512 <= bad && bad < last || kind == typeOut && at/512 == bad {
			return status, 1
		}
	}
	switch {
	case kind == typeFlush && d.unsynced:
		d.unsynced = false
		return statusError, 1
	case kind == typeFlush && len(c.in) == 1 && len(c.out) == 1 && at == 0:
		d.flushes++
		return statusOK, 1
	case kind == typeGetID && len(c.in) == 2 && len(c.in[0]) == 20:
		copy(c.in[0], d.id+"\x00")
		return statusOK, 21
	case kind == typeIn && len(c.in) == 2 && d.fits(at, len(c.in[0])):
		return statusOK, copy(c.in[0], d.content[at:]) + 1
	case kind == typeOut && len(c.in) == 1 && len(c.out) == 2 && d.fits(at, len(c.out[1])):
		if n := copy(d.content[at:], c.out[1]); d.short {
			return statusOK, n
		}
		return statusOK, 1
	}
	d.t.Errorf("a request of kind %d at %d with %d and %d buffers", kind, at, len(c.out), len(c.in))
	return statusUnsupported, 1
}

func (d *simDisk) fits(at int64, n int) bool {
	return at >= 0 && n > 0 && at%int64(d.block) == 0 && n%d.block == 0 && at+int64(n) <= int64(len(d.content))
}

// openDisk opens it and runs it until the test ends.
func openDisk(t testing.TB, d *simDisk, memory int) *Block {
	t.Helper()
	var wg sync.WaitGroup
	d.startHook = func() { wg.Go(d.run) }
	b, err := OpenBlock(d, d.memory, memory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Close()
		wg.Wait()
	})
	return b
}

func TestBlock(t *testing.T) {
	for _, c := range []struct {
		name   string
		offers uint64
		memory int
		change func(*simDisk)
	}{
		{"All", diskAll, 0, nil},
		{"WithoutEventIndex", diskAll &^ EventIndex, 0, nil},
		{"Legacy", diskAll &^ (Version1 | AnyLayout), 0, nil},
		{"OnlyReads", Version1, 0, nil},
		{"LittleMemory", diskAll, 5000, nil},
		{"LeastMemory", diskAll, 1, nil},
		{"ShortQueue", diskAll, 0, func(d *simDisk) { d.max[0] = 4 }},
		{"LargeBlocks", diskAll, 0, func(d *simDisk) {
			d.block = 4096
			binary.LittleEndian.PutUint32(d.config[20:], 4096)
		}},
		{"ShortSegments", diskAll, 0, func(d *simDisk) { binary.LittleEndian.PutUint32(d.config[8:], 1000) }},
		{"OddLengths", diskAll, 0, func(d *simDisk) { d.short = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			libostest.TestBlock(t, func(t *testing.T, content []byte, readOnly bool) libos.Block {
				offers := c.offers
				if readOnly {
					offers |= blockReadOnly
				}
				d := newDisk(t, append([]byte(nil), content...), offers)
				if c.change != nil {
					c.change(d)
				}
				return openDisk(t, d, c.memory)
			})
		})
	}
}

func TestBlockID(t *testing.T) {
	for _, want := range []string{"", "state", "exactly twenty bytes"} {
		d := newDisk(t, make([]byte, 4096), diskAll)
		d.id = want
		if got := openDisk(t, d, 0).ID(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestBlockSync(t *testing.T) {
	for _, c := range []struct {
		offers uint64
		want   int
	}{{diskAll, 1}, {diskAll &^ blockFlush, 0}} {
		d := newDisk(t, make([]byte, 4096), c.offers)
		if err := openDisk(t, d, 0).Sync(); err != nil {
			t.Error(err)
		}
		if d.flushes != c.want {
			t.Errorf("features %#x: %d flushes, want %d", c.offers, d.flushes, c.want)
		}
	}
}

// TestBlockLost: what a Sync has once lost is not there after the next.
func TestBlockLost(t *testing.T) {
	d := newDisk(t, make([]byte, 4096), diskAll)
	d.unsynced = true
	b := openDisk(t, d, 0)
	for range 2 {
		if err := b.Sync(); !errors.Is(err, errIO) {
			t.Errorf("got %v, want %v", err, errIO)
		}
	}
}

// TestBlockErrors has single sectors fail. The rest of the disk goes on working.
func TestBlockErrors(t *testing.T) {
	d := newDisk(t, make([]byte, 1<<20), diskAll)
	d.fail = map[int64]byte{1024: statusError, 1300: statusUnsupported}
	b := openDisk(t, d, 0)
	buf := make([]byte, 512)
	if _, err := b.ReadAt(buf, 1024*512); !errors.Is(err, errIO) {
		t.Errorf("read: %v, want %v", err, errIO)
	}
	if _, err := b.WriteAt(buf, 1300*512); !errors.Is(err, errUnsupported) {
		t.Errorf("write: %v, want %v", err, errUnsupported)
	}
	if _, err := b.WriteAt(buf[:5], 1024*512); !errors.Is(err, errIO) {
		t.Errorf("write of a part: %v, want %v", err, errIO)
	}
	if n, err := b.ReadAt(make([]byte, 1<<20), 0); n != 0 || !errors.Is(err, errIO) {
		t.Errorf("read of all: %d, %v, want %v", n, err, errIO)
	}
	for range 100 { // more than there are requests: none is lost
		if _, err := b.ReadAt(buf, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBlockImpossible has disks that say what cannot be.
func TestBlockImpossible(t *testing.T) {
	for name, change := range map[string]func(*simDisk){
		"capacity":     func(d *simDisk) { binary.LittleEndian.PutUint64(d.config, 1<<63) },
		"blocks of 0":  func(d *simDisk) { binary.LittleEndian.PutUint32(d.config[20:], 0) },
		"blocks odd":   func(d *simDisk) { binary.LittleEndian.PutUint32(d.config[20:], 1000) },
		"blocks huge":  func(d *simDisk) { binary.LittleEndian.PutUint32(d.config[20:], 1<<31) },
		"segments":     func(d *simDisk) { binary.LittleEndian.PutUint32(d.config[8:], 100) },
		"no queue":     func(d *simDisk) { d.max[0] = 0 },
		"little queue": func(d *simDisk) { d.max[0] = 2 },
		"no memory":    func(d *simDisk) { d.memory.left = 10 },
		"no rest":      func(d *simDisk) { d.memory.left = 20 << 10 },
	} {
		d := newDisk(t, make([]byte, 4096), diskAll)
		change(d)
		if b, err := OpenBlock(d, d.memory, 0); err == nil {
			t.Errorf("%s: the disk was opened", name)
			b.Close()
		} else if !d.isClosed() {
			t.Errorf("%s: the device was not stopped: %v", name, err)
		}
	}
}

func TestOpenOther(t *testing.T) {
	if b, err := OpenBlock(newCard(t, 1, netAll), nil, 0); err == nil {
		t.Error("a card was opened as a disk")
		b.Close()
	}
	if n, err := OpenNet(newDisk(t, nil, diskAll), nil, 0); err == nil {
		t.Error("a disk was opened as a card")
		n.Close()
	}
}

// TestBlockGivesUp has a disk die while somebody waits for it.
func TestBlockGivesUp(t *testing.T) {
	d := newDisk(t, make([]byte, 1<<20), diskAll)
	d.silent = 3
	b := openDisk(t, d, 0)
	done := make(chan error)
	for range 3 {
		go func() {
			_, err := b.ReadAt(make([]byte, 512), 0)
			done <- err
		}()
	}
	<-d.reached
	d.broken.Store(true)
	d.change(func([]byte) {})
	for range 3 {
		if err := <-done; err == nil || errors.Is(err, fs.ErrClosed) {
			t.Errorf("got %v, want that the disk gave up", err)
		}
	}
	if !d.isClosed() {
		t.Error("the device was not stopped")
	}
}
