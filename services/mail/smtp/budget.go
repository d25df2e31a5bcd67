package smtp

import (
	"net/netip"
	"sync"
	"time"
)

// A budget is memory that all messages being received share. A quarter of it is left to others by any one
// network, however many connections it has.
type budget struct {
	all int64 // bytes

	mu   sync.Mutex
	free int64
	held map[netip.Prefix]int64 // by networks
}

func newBudget(all int64) *budget {
	return &budget{all: all, free: all, held: map[netip.Prefix]int64{}}
}

// take takes n bytes for a network, if there are as many; the zero one may have all.
func (b *budget) take(n int64, from netip.Prefix) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > b.free || from.IsValid() && b.held[from]+n > b.all-b.all/4 {
		return false
	}
	b.free -= n
	b.hold(n, from)
	return true
}

func (b *budget) give(n int64, from netip.Prefix) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	b.hold(-n, from)
}

// hold notes what a network has. mu is held.
func (b *budget) hold(n int64, from netip.Prefix) {
	if !from.IsValid() {
		return
	}
	if b.held[from] += n; b.held[from] == 0 {
		delete(b.held, from)
	}
}

// mostTallies bounds who is remembered.
const mostTallies = 1 << 15

// A tally of one client or user fills up as time goes by, to limit.
type tally struct {
	left float64
	at   time.Time
}

// A tallied is whose tally of what it is.
type tallied struct {
	what string
	from netip.Prefix
	user string
}

// rates are the tallies of what clients and users have sent.
type rates struct {
	mu      sync.Mutex
	tallies map[tallied]tally
}

func newRates() *rates { return &rates{tallies: map[tallied]tally{}} }

// take counts n against who, who may have limit in a period, and reports whether there
// was as much left; when there was not, nothing is counted. n may be 0, to ask.
func (r *rates) take(who tallied, n, limit int, period time.Duration, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.tallies[who]
	if !ok {
		t = tally{left: float64(limit), at: now}
	}
	t.left = min(float64(limit), t.left+float64(limit)*float64(now.Sub(t.at))/float64(period))
	t.at = now
	enough := t.left >= float64(max(n, 1))
	if enough {
		t.left -= float64(n)
	}
	if n > 0 {
		r.put(who, t)
	}
	return enough
}

// put remembers a tally; where there are too many, some others are forgotten.
func (r *rates) put(who tallied, t tally) {
	if _, ok := r.tallies[who]; !ok && len(r.tallies) >= mostTallies {
		drop := mostTallies / 8
		for k := range r.tallies {
			if delete(r.tallies, k); drop == 0 {
				break
			}
			drop--
		}
	}
	r.tallies[who] = t
}
