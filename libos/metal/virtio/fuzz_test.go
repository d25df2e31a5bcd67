package virtio

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"net"
	"slices"
	"testing"

	"cairn/libos"
)

// A scripted device does what a fuzzer says, whenever its driver waits for it. It ends with
// the script, so that a driver that does not wait hangs, and one that waits for nothing
// ends.
type scripted struct {
	*simulated
	script []byte
	had    []simChain // chains of both queues that it has taken
}

// byte returns the next byte of the script.
func (s *scripted) byte() int {
	if len(s.script) == 0 {
		return 0
	}
	b := s.script[0]
	s.script = s.script[1:]
	return int(b)
}

func (s *scripted) word() int { return s.byte() | s.byte()<<8 }

func (s *scripted) Notify(i int) {}

func (s *scripted) Wait(i int) error {
	if len(s.script) == 0 || s.isClosed() {
		return net.ErrClosed
	}
	for s.step() {
	}
	return nil
}

// step does one thing. It reports false when it is time for an interrupt.
func (s *scripted) step() bool {
	op := s.byte()
	q := s.queues[queueIn]
	if op&1 != 0 && s.queues[queueOut] != nil {
		q = s.queues[queueOut]
	}
	switch op >> 1 % 8 {
	case 0:
		return false
	case 1: // use a buffer as it should be
		if c := q.pop(); c != nil {
			s.had = append(s.had, *c)
			s.fill(c)
			q.put([]uint16{c.head}, []int{s.word()})
		}
	case 2: // use one again, or any
		head := uint16(s.word())
		if len(s.had) > 0 && op&16 != 0 {
			head = s.had[int(head)%len(s.had)].head
		}
		q.put([]uint16{head}, []int{s.word() << (s.byte() & 31)})
	case 3: // move the index
		q.jump(int(int8(s.byte())))
	case 4: // scribble into the rings, which is where the descriptors are too
		s.scribble(q)
	case 5: // scribble into what it had
		if len(s.had) > 0 {
			s.fill(&s.had[s.byte()%len(s.had)])
		}
	case 6: // the configuration changes
		s.change(func(config []byte) { config[s.byte()%24] = byte(s.byte()) })
	case 7:
		s.broken.Store(op&32 != 0)
		s.changes.Add(1)
	}
	return len(s.script) > 0
}

// fill writes into buffers of a chain.
func (s *scripted) fill(c *simChain) {
	for _, b := range c.in {
		at, n := s.byte(), s.byte()
		n = min(n, len(s.script))
		copy(b[min(at, len(b)):], s.script[:n])
		s.script = s.script[n:]
	}
}

func (s *scripted) scribble(q *simQueue) {
	at, v := s.word(), s.byte()
	switch v & 3 {
	case 0:
		q.desc[at%len(q.desc)] = descriptor{addr: uint64(at) << 20, length: uint32(v), flags: uint16(v), next: uint16(at)}
	case 1:
		q.ring[at%len(q.ring)] = uint16(v)
	case 2:
		q.used[at%len(q.used)].Store(uint32(at * v))
	case 3:
		q.avail.Store(uint32(at * v))
	}
}

// seeds are scripts that lead somewhere.
func seeds(f *testing.F) {
	frame := append([]byte{2, 0, 76, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, make([]byte, 64)...)
	for _, script := range [][]byte{
		nil,
		append([]byte{255, 255, 220, 5, 255}, frame...),
		append([]byte{255, 255, 220, 5, 100}, slices.Repeat(append(frame, 0), 8)...),
		{255, 255, 220, 5, 4, 4, 1, 0, 64, 0, 0, 6, 1, 0},
		{255, 255, 220, 5, 16, 3, 76, 0, 3, 76, 0, 0, 8, 1, 1, 1, 0, 14, 0, 46, 0},
		{0, 0, 0, 0, 16, 12, 17, 0, 0, 12, 1, 200, 0},
	} {
		f.Add(script)
	}
}

func FuzzNet(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, script []byte) {
		s := &scripted{script: script}
		offers := uint64(s.word())<<3&netAll | uint64(s.byte()&3)<<28 | Version1
		s.simulated = newCard(t, 1, offers)
		s.simulated.t = discard{t} // a device that scribbles finds chains that lead nowhere
		binary.LittleEndian.PutUint16(s.config[10:], uint16(s.word()))
		for i := range 2 {
			s.max[i] = s.byte() << (s.byte() & 7)
		}
		n, err := OpenNet(s, s.memory, 1+s.word()<<(s.byte()&7))
		if err != nil {
			return
		}
		defer n.Close()
		buf := make([]byte, libos.MaxFrame)
		frame := make([]byte, n.MTU())
		for err == nil {
			if s.byte()&1 == 0 {
				var size int
				if size, _, err = n.Receive(buf); err == nil && size > len(buf) {
					t.Fatalf("a frame of %d bytes", size)
				}
			} else if err = n.Send(libos.FrameHeader{}, frame[:s.word()%len(frame)]); isDown(err) {
				err = nil
			}
			if len(s.script) == 0 && err == nil {
				s.Close()
			}
		}
		if _, _, again := n.Receive(buf); !errors.Is(again, net.ErrClosed) && again != err || !s.isClosed() {
			t.Errorf("Receive says %v after %v; the device was stopped: %v", again, err, s.isClosed())
		}
	})
}

func isDown(err error) bool { return errors.Is(err, errDown) }

// discard takes no notice of what a simulated device complains about.
type discard struct{ testing.TB }

func (discard) Errorf(string, ...any) {}

func FuzzBlock(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, script []byte) {
		s := &scripted{script: script}
		s.simulated = newSimulated(discard{t}, Disk, diskAll&^(uint64(s.byte())<<1|uint64(s.byte()&1)<<29))
		for i := range 24 {
			s.config[i] = byte(s.byte()) >> (s.byte() & 7)
		}
		s.max[0] = s.byte()
		b, err := OpenBlock(s, s.memory, 1+s.word())
		if err != nil {
			return
		}
		buf := make([]byte, 3000)
		for err == nil {
			if _, err = b.WriteAt(buf, 100); err == nil || !errors.Is(err, fs.ErrInvalid) {
				_, err = b.ReadAt(buf, 511)
			}
		}
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if _, err := b.ReadAt(buf, 0); err == nil {
			t.Error("a disk that was closed can be read")
		}
	})
}
