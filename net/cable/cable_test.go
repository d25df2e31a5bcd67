package cable_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"cairn/libos"
	"cairn/libos/libostest"
	"cairn/net/cable"
)

func TestLink(t *testing.T) {
	for _, c := range []struct {
		name string
		opts cable.Options
	}{
		{"Perfect", cable.Options{}},
		{"Slow", cable.Options{Delay: 2 * time.Millisecond, Jitter: 2 * time.Millisecond, Rate: 10 << 20}},
		{"NarrowQueue", cable.Options{Delay: time.Millisecond, Rate: 50 << 20, Queue: 64 << 10, MTU: 1280}},
		{"Offload", cable.Options{Offload: []bool{true, true}}},
		{"OffloadOnOneSide", cable.Options{Offload: []bool{true, false}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			libostest.TestLink(t, func(t *testing.T) (libos.Link, libos.Link) {
				a, b := cable.New(c.opts)
				libostest.KeepPcap(t, a)
				return a, b
			})
		})
	}
	t.Run("Switch", func(t *testing.T) {
		libostest.TestLink(t, func(t *testing.T) (libos.Link, libos.Link) {
			s := cable.NewSwitch(4, cable.Options{})
			return s.Port(3), s.Port(1)
		})
	})
}

// send puts a frame with a number on a wire.
func send(t *testing.T, from *cable.Port, to net.HardwareAddr, n int) {
	t.Helper()
	frame := append(append([]byte(nil), to...), from.MAC()...)
	frame = binary.BigEndian.AppendUint16(frame, 0x88b5)
	frame = binary.BigEndian.AppendUint32(frame, uint32(n))
	if err := from.Send(libos.FrameHeader{}, frame); err != nil {
		t.Fatalf("send: %v", err)
	}
}

// arrival is a frame's number and how long after the start of collect it came.
type arrival struct {
	n  int
	at time.Duration
}

// collect starts to receive; the function it returns closes the port and returns
// what arrived until then.
func collect(p *cable.Port) func() []arrival {
	start := time.Now()
	done := make(chan []arrival)
	go func() {
		var all []arrival
		buf := make([]byte, libos.MaxFrame)
		for {
			n, _, err := p.Receive(buf)
			if err != nil {
				done <- all
				return
			}
			all = append(all, arrival{int(binary.BigEndian.Uint32(buf[14:n])), time.Since(start)})
		}
	}()
	return func() []arrival {
		synctest.Wait()
		p.Close()
		return <-done
	}
}

// run sends so many frames over a cable and returns what arrived within a minute.
func run(t *testing.T, o cable.Options, frames int) (all []arrival) {
	synctest.Test(t, func(t *testing.T) {
		a, b := cable.New(o)
		arrived := collect(b)
		for i := range frames {
			send(t, a, b.MAC(), i)
		}
		time.Sleep(time.Minute)
		all = arrived()
	})
	return all
}

func TestSeedDecides(t *testing.T) {
	o := cable.Options{Seed: 1, Loss: 0.1, Duplicate: 0.1, Reorder: 0.1, Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond}
	first := run(t, o, 500)
	if again := run(t, o, 500); !slices.Equal(first, again) {
		t.Error("the same seed gave another outcome")
	}
	o.Seed = 2
	if other := run(t, o, 500); slices.Equal(first, other) {
		t.Error("another seed gave the same outcome")
	}
}

func TestLoss(t *testing.T) {
	const frames = 10000
	if got := len(run(t, cable.Options{Loss: 0.2}, frames)); got < 7700 || got > 8300 {
		t.Errorf("%d of %d frames arrived, want about 8000", got, frames)
	}
	if got := len(run(t, cable.Options{Duplicate: 0.2}, frames)); got < 11700 || got > 12300 {
		t.Errorf("%d copies of %d frames arrived, want about 12000", got, frames)
	}
}

func TestJitterKeepsOrderAndReorderDoesNot(t *testing.T) {
	o := cable.Options{Delay: 10 * time.Millisecond, Jitter: 10 * time.Millisecond}
	all := run(t, o, 100)
	if !slices.IsSortedFunc(all, func(a, b arrival) int { return a.n - b.n }) {
		t.Error("jitter changed the order")
	}
	for _, a := range all {
		if a.at < o.Delay || a.at > o.Delay+o.Jitter {
			t.Errorf("frame %d took %v, want between %v and %v", a.n, a.at, o.Delay, o.Delay+o.Jitter)
		}
	}
	o.Reorder = 0.2
	all = run(t, o, 100)
	if len(all) != 100 {
		t.Errorf("%d frames arrived, want 100", len(all))
	}
	if slices.IsSortedFunc(all, func(a, b arrival) int { return a.n - b.n }) {
		t.Error("nothing was overtaken")
	}
}

func TestRate(t *testing.T) {
	all := run(t, cable.Options{Rate: 18_000, Delay: time.Second}, 1000) // frames of 18 bytes: one each millisecond
	if got, want := all[len(all)-1].at, 2*time.Second; got != want {
		t.Errorf("the last frame arrived after %v, want %v", got, want)
	}
}

func TestFullWireMakesTheSenderWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := cable.New(cable.Options{Rate: 18_000, Queue: 10 * (18 + 64)})
		arrived := collect(b)
		start := time.Now()
		for i := range 1010 {
			send(t, a, b.MAC(), i)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("sending took %v, want the second in which the wire made room", took)
		}
		time.Sleep(time.Second)
		if got := len(arrived()); got != 1010 {
			t.Errorf("%d frames arrived, want all 1010", got)
		}
	})
}

func TestFullPortDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := cable.New(cable.Options{Queue: 10 * (18 + 64)})
		for i := range 100 {
			send(t, a, b.MAC(), i)
		}
		if got := len(collect(b)()); got != 10 {
			t.Errorf("%d frames waited at the port, want 10", got)
		}
	})
}

func TestCloseEndsSendThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := cable.New(cable.Options{Delay: time.Hour, Queue: 1})
		send(t, a, b.MAC(), 0)
		done := make(chan error)
		go func() {
			done <- a.Send(libos.FrameHeader{}, make([]byte, 60))
		}()
		synctest.Wait()
		a.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Send: %v, want net.ErrClosed", err)
		}
	})
}

func TestCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := cable.New(cable.Options{Delay: time.Second})
		arrived := collect(b)
		step := func(n int, change func()) {
			send(t, a, b.MAC(), n)
			time.Sleep(500 * time.Millisecond)
			change()
			time.Sleep(time.Second)
		}
		step(1, func() {})
		step(2, b.Cut) // it was under way
		step(3, b.Restore)
		step(4, a.Cut) // it had left a already
		step(5, a.Restore)
		step(6, func() {})
		var got []int
		for _, x := range arrived() {
			got = append(got, x.n)
		}
		if want := []int{1, 3, 4, 6}; !slices.Equal(got, want) {
			t.Errorf("arrived: %v, want %v", got, want)
		}
	})
}

func TestSwitchLearns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := cable.NewSwitch(3, cable.Options{})
		a, b, c := s.Port(0), s.Port(1), s.Port(2)
		all := []func() []arrival{collect(a), collect(b), collect(c)}
		send(t, a, b.MAC(), 1)                                        // b is not known: to all
		send(t, b, a.MAC(), 2)                                        // a is known
		send(t, a, b.MAC(), 3)                                        // now b is too
		send(t, c, net.HardwareAddr{255, 255, 255, 255, 255, 255}, 4) // broadcast
		send(t, c, net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1}, 5)       // multicast
		send(t, b, b.MAC(), 6)                                        // behind the port it came from
		for i, want := range [][]int{{2, 4, 5}, {1, 3, 4, 5}, {1}} {
			var got []int
			for _, x := range all[i]() {
				got = append(got, x.n)
			}
			if !slices.Equal(got, want) {
				t.Errorf("port %d received %v, want %v", i, got, want)
			}
		}
	})
}

func TestUnfinishedFrameNeedsOffload(t *testing.T) {
	a, _ := cable.New(cable.Options{Offload: []bool{false, true}})
	if err := a.Send(libos.FrameHeader{Flags: libos.NeedsChecksum}, make([]byte, 60)); err == nil {
		t.Error("a port without offload took an unfinished frame")
	}
}

func BenchmarkCable(b *testing.B) {
	x, y := cable.New(cable.Options{})
	frame, buf := make([]byte, 1514), make([]byte, libos.MaxFrame)
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		if err := x.Send(libos.FrameHeader{}, frame); err != nil {
			b.Fatal(err)
		}
		if _, _, err := y.Receive(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleNew() {
	a, b := cable.New(cable.Options{Seed: 7, Delay: 10 * time.Millisecond, Loss: 0.01})
	defer a.Close()
	defer b.Close()

	frame := append(append(b.MAC(), a.MAC()...), 0x88, 0xb5)
	a.Send(libos.FrameHeader{}, frame, []byte("hello"))

	buf := make([]byte, libos.MaxFrame)
	n, _, err := b.Receive(buf)
	fmt.Printf("%s %v\n", bytes.TrimPrefix(buf[:n], frame), err)
	// Output: hello <nil>
}
