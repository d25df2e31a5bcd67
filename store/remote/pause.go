package remote

import (
	"context"
	"math/rand/v2"
	"time"
)

// A pause is how long to wait before another try: at first a short time, then twice as
// long each time, with an element of chance. The zero pause goes from 50 ms
// to a second.
type pause struct {
	first, most time.Duration
	next        time.Duration
}

// step returns how long to wait this time.
func (p *pause) step() time.Duration {
	if p.first == 0 {
		p.first, p.most = 50*time.Millisecond, time.Second
	}
	if p.next == 0 {
		p.next = p.first
	}
	d := p.next/2 + rand.N(p.next)
	p.next = min(2*p.next, p.most)
	return min(d, p.most)
}

// sleep waits; false means that ctx has ended.
func (p *pause) sleep(ctx context.Context) bool {
	t := time.NewTimer(p.step())
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
