package image

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cairn/bench/measure"
	"cairn/libos/metal/vm"
)

// usual is the memory of a machine where nothing else is said, in MiB. Debian's
// kernel needs more than half of it to unpack itself and the initramfs.
const usual = 256

// boot measures from the start of QEMU to the first byte of an answer, and how much of a
// processor QEMU has had until then: what else this machine does disturbs that less. The website
// has fetched its repository by then.
func (b *bench) boot(ctx context.Context, _ string, size int) error {
	for _, c := range []struct {
		work    string
		program program
	}{{"boot: VMM start to the first byte of a page", b.website()}, {"boot: the same, of net/http alone", program{file: b.test}}} {
		if err := b.bootOf(ctx, c.work, c.program, size); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) bootOf(ctx context.Context, work string, p program, size int) error {
	var busy [2][]float64
	side := func(i int, g guest) func() (float64, error) {
		return func() (float64, error) {
			took, processor, err := b.booted(ctx, g, p)
			busy[i] = append(busy[i], processor)
			return took, err
		}
	}
	ours, peer, err := measure.InTurn(b.room.Rounds, side(0, b.ours), side(1, b.peer))
	if err != nil {
		return err
	}
	b.room.Add(measure.Result{
		Work: work, Size: size, Unit: measure.Seconds,
		Ours: ours, Peer: peer, Tool: b.tool(), Goal: measure.Goal{Ratio: 0.15},
	})
	b.room.Add(measure.Result{
		Work: "processor time of QEMU until then", Size: size, Unit: measure.Seconds,
		Ours: busy[0], Peer: busy[1], Tool: b.tool(),
	})
	return nil
}

// booted returns both, in seconds.
func (b *bench) booted(ctx context.Context, g guest, p program) (took, processor float64, err error) {
	m, err := g.machine(p, usual)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	v, err := m.Start()
	if err != nil {
		return 0, 0, err
	}
	defer v.Kill()
	if _, err := b.first(ctx, v, "80"); err != nil {
		return 0, 0, err
	}
	took = time.Since(began).Seconds()
	busy, err := v.Busy()
	return took, busy.Seconds(), err
}

// memory finds the smallest machines that serve every page of the site.
func (b *bench) memory(ctx context.Context, _ string, size int) error {
	for _, c := range []struct {
		work, port string
		program    program
		goal       float64
	}{
		{"smallest memory that serves the site", "80", b.website(), 24 << 20},
		{"the same over TLS, of a site cloned over TLS", "443", b.secureWebsite(), 40 << 20},
	} {
		ours, err := b.smallest(ctx, b.ours, c.program, c.port)
		if err != nil {
			return fmt.Errorf("%s: %w", c.work, err)
		}
		peer, err := b.smallest(ctx, b.peer, c.program, c.port)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", c.work, b.tool(), err)
		}
		b.room.Add(measure.Result{
			Work: c.work, Size: size, Unit: measure.Bytes,
			Ours: []float64{ours}, Peer: []float64{peer}, Tool: b.tool(), Goal: measure.Goal{Value: c.goal},
		})
	}
	return nil
}

// smallest halves the range of what may be enough until it is known to the MiB.
func (b *bench) smallest(ctx context.Context, g guest, p program, port string) (float64, error) {
	little, enough := 1, usual
	if err := b.serves(ctx, g, p, enough, port); err != nil {
		return 0, err
	}
	for enough-little > 1 {
		middle := (little + enough) / 2
		err := b.serves(ctx, g, p, middle, port)
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if err == nil {
			enough = middle
		} else {
			little = middle
			fmt.Fprintf(b.room.Log, "with %d MiB: %.200v\n", middle, err)
		}
	}
	return float64(enough) * (1 << 20), nil
}

func (b *bench) serves(ctx context.Context, g guest, p program, memory int, port string) error {
	return b.run(ctx, g, p, memory, port, func(v *vm.VM) error {
		err := b.fetch(port)
		if err == nil && v.Ended() {
			err = errors.New("it ended after that")
		}
		return err
	})
}
