package smtp

import (
	"net/netip"
	"sync"
	"time"
)

// A budget is memory that all messages being received share.
type budget struct {
	mu   sync.Mutex
	free int64 // bytes
}

func (b *budget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > b.free {
		return false
	}
	b.free -= n
	return true
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
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
