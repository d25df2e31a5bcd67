package image

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"time"

	"cairn/bench/measure"
	"cairn/libos/metal/vm"
)

// idleTime is how long a machine is left alone.
const idleTime = 20 * time.Second

// idle measures the processor time that a machine takes while nobody asks for anything.
func (b *bench) idle(ctx context.Context, _ string, size int) error {
	busy := func(g guest) (figure float64, err error) {
		err = b.run(ctx, g, b.website(), usual, "80", func(v *vm.VM) error {
			if err := sleep(ctx, 5*time.Second); err != nil { // what the start has left to do
				return err
			}
			before, err := v.Busy()
			if err != nil {
				return err
			}
			if err := sleep(ctx, idleTime); err != nil {
				return err
			}
			after, err := v.Busy()
			figure = (after - before).Seconds() / idleTime.Seconds()
			return err
		})
		return figure, err
	}
	ours, err := busy(b.ours)
	if err != nil {
		return err
	}
	peer, err := busy(b.peer)
	if err != nil {
		return err
	}
	b.room.Add(measure.Result{
		Work: "processor time of QEMU in an idle second", Size: size, Unit: measure.Seconds,
		Ours: []float64{ours}, Peer: []float64{peer}, Tool: b.tool(), Goal: measure.Goal{Value: 0.01},
	})
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// size measures the image, as it is and packed, beside the kernel that a machine of Debian
// needs for the same program, with nothing else of Debian.
func (b *bench) size(_ context.Context, _ string, size int) error {
	var whole, packed [2]float64
	for i, file := range []string{b.unipi, b.debian.kernel} {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		whole[i], packed[i] = float64(len(data)), float64(squeezed(data))
	}
	for _, m := range b.debian.modules {
		whole[1] += float64(len(m))
		packed[1] += float64(squeezed(m))
	}
	for _, r := range []struct {
		work string
		size [2]float64
		goal float64
	}{{"size of the image", whole, 20e6}, {"the same, gzip -9", packed, 7e6}} {
		b.room.Add(measure.Result{
			Work: r.work, Size: size, Unit: measure.Bytes, Ours: r.size[:1], Peer: []float64{r.size[0] + r.size[1]},
			Tool: "the same and " + b.tool(), Goal: measure.Goal{Value: r.goal},
		})
	}
	return nil
}

// squeezed is how many bytes gzip -9 makes of data.
func squeezed(data []byte) int64 {
	var n counter
	w, _ := gzip.NewWriterLevel(&n, gzip.BestCompression) // a level that there is
	_, _ = w.Write(data)                                  // a counter takes everything
	_ = w.Close()
	return int64(n)
}

// A counter counts what is written to it.
type counter int64

var _ io.Writer = new(counter)

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }
