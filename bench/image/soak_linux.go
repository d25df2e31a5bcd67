package image

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cairn/bench/measure"
	"cairn/bench/stack"
	"cairn/libos/metal/vm"
)

// metricsPort is where the website tells how it is.
const metricsPort = "9100"

// soak keeps a website under load for as long as the room says, with new connections every few
// seconds and handshakes in between, and looks for what grows and for a clock that goes wrong.
func (b *bench) soak(ctx context.Context, _ string, size int) error {
	if b.room.Soak == 0 {
		return nil
	}
	p := b.secureWebsite()
	p.args = append(p.args, "--metrics", ":"+metricsPort)
	return b.run(ctx, b.ours, p, usual, "443", func(v *vm.VM) error {
		var heaps, rates, drifts []float64
		began, zero := time.Now(), time.Duration(0)
		for n := 0; time.Since(began) < b.room.Soak; n++ {
			if _, err := stack.Load(ctx, b.place.Space, "handshake", guestAddress, 5); err != nil {
				return fmt.Errorf("after %v: %w; the console:\n%s", time.Since(began), err, v.Console())
			}
			if err := b.fetch("443"); err != nil {
				return fmt.Errorf("after %v: %w; the console:\n%s", time.Since(began), err, v.Console())
			}
			rate, err := b.secureRate(ctx)
			if err != nil {
				return err
			}
			now, err := b.look(ctx)
			if err != nil {
				return err
			}
			if n == 0 {
				zero = now.ahead
			}
			heaps, rates, drifts = append(heaps, now.heap), append(rates, rate), append(drifts, (now.ahead-zero).Abs().Seconds())
			fmt.Fprintf(b.room.Log, "soak: %v, %.0f pages/s, heap %.1f MiB, clock %v\n", time.Since(began).Round(time.Second), rate, now.heap/(1<<20), now.ahead.Round(time.Millisecond))
		}
		if text := v.Console(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "cairn: kernel") {
			return fmt.Errorf("there are errors on the console:\n%s", text)
		}
		b.room.Add(measure.Result{Work: "soak of " + b.room.Soak.String() + ": pages over TLS", Size: size, Unit: measure.PerSecond, Ours: rates})
		b.room.Add(measure.Result{Work: "soak: heap in the second half", Size: size, Unit: measure.Bytes, Ours: []float64{measure.Median(heaps[len(heaps)/2:])}, Peer: []float64{measure.Median(heaps[:(len(heaps)+1)/2])}, Tool: "in the first half", Goal: measure.Goal{Ratio: 1.2}})
		b.room.Add(measure.Result{Work: "soak: how far the clock was off", Size: size, Unit: measure.Seconds, Ours: drifts, Goal: measure.Goal{Value: 1}})
		return nil
	})
}

// secureRate is how many pages a second come over one TLS connection.
func (b *bench) secureRate(ctx context.Context) (float64, error) {
	client := b.client()
	defer client.CloseIdleConnections()
	began, n := time.Now(), 0
	for ; time.Since(began) < 5*time.Second; n++ {
		res, err := client.Get(site("443") + "/")
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(io.Discard, res.Body) // or the connection is not kept
		res.Body.Close()
		if err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), ctx.Err()
}

// A sample is how a machine is.
type sample struct {
	heap  float64       // in bytes
	ahead time.Duration // its clock, of ours
}

func (b *bench) look(ctx context.Context) (s sample, err error) {
	client := b.client()
	defer client.CloseIdleConnections()
	res, err := client.Get("http://" + guestAddress + ":" + metricsPort + "/metrics")
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), heapMetric+" "); ok {
			if s.heap, err = strconv.ParseFloat(value, 64); err != nil {
				return s, err
			}
		}
	}
	if s.heap == 0 {
		return s, fmt.Errorf("there is no %s among the metrics", heapMetric)
	}
	s.ahead, err = b.clock(client)
	return s, err
}

// heapMetric is what the heap is called among the metrics.
const heapMetric = "go_memstats_heap_inuse_bytes"

// clock compares our clock with the machine's, which tells seconds: it asks until one
// begins.
func (b *bench) clock(client *http.Client) (time.Duration, error) {
	var before time.Time
	for range 4000 {
		res, err := client.Head(site("443") + "/")
		if err != nil {
			return 0, err
		}
		res.Body.Close()
		now, err := http.ParseTime(res.Header.Get("Date"))
		if err != nil {
			return 0, err
		}
		if !before.IsZero() && now.After(before) {
			return time.Until(now), nil
		}
		before = now
		time.Sleep(time.Millisecond)
	}
	return 0, fmt.Errorf("the machine's clock stands still at %v", before)
}
