package dial

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// A race is one Dial: the lookups and attempts that are under way and what is
// left to try. One goroutine, in run, owns all its fields; lookups and attempts send
// to it and end soon after ctx.
type race struct {
	Dialer
	network string
	host    string
	port    uint16

	resolved chan answer
	ended    chan attempt
	lookups  int // under way
	attempts int // under way

	addresses []netip.Addr // not tried yet, in order
	last4     bool         // the attempt before was of IPv4
	failed    failures
	noName    error // of a lookup; the first, unless a later one says more
}

// An answer is what a lookup gave, an attempt what a connect did.
type (
	answer struct {
		network   string // "ip4" or "ip6"
		addresses []netip.Addr
		err       error
	}
	attempt struct {
		conn net.Conn
		err  error
	}
)

// run looks up the host in the families named and connects. It returns when
// everything it began has ended.
func (r *race) run(ctx context.Context, networks ...string) (net.Conn, error) {
	work, cancel := context.WithCancel(ctx)
	r.lookups = len(networks)
	for _, network := range networks {
		go r.lookup(work, network)
	}
	conn := r.win(ctx, work)
	cancel()
	r.drain()
	if conn != nil {
		return conn, nil
	}
	return nil, r.verdict(ctx)
}

// win starts attempts until one connects, all have failed or ctx ends.
func (r *race) win(ctx, work context.Context) net.Conn {
	ready := r.lookups == 0 // attempts may begin
	due := false            // one may begin beside those under way (§5)
	grace := stopped()      // for IPv6 to be looked up (§3)
	delay := stopped()      // since the last attempt began
	defer grace.Stop()
	defer delay.Stop()
	for {
		if ready && len(r.addresses) > 0 && (due || r.attempts == 0) {
			r.begin(work)
			due = false
			delay.Reset(r.Delay)
		}
		if r.lookups == 0 && r.attempts == 0 {
			return nil
		}
		select {
		case a := <-r.resolved:
			r.take(a)
			if r.lookups == 0 || a.network == "ip6" && a.err == nil {
				ready = true
			}
			grace.Reset(resolutionDelay)
		case <-grace.C:
			ready = ready || len(r.addresses) > 0
		case <-delay.C:
			due = true
		case a := <-r.ended:
			r.attempts--
			if a.err == nil {
				return a.conn
			}
			r.failed = append(r.failed, a.err)
			due = true
		case <-ctx.Done():
			return nil
		}
	}
}

// stopped returns a timer that does not run.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func (r *race) lookup(ctx context.Context, network string) {
	addresses, err := r.Resolver.LookupNetIP(ctx, network, r.host)
	r.resolved <- answer{network, keepFamily(addresses, network[2:]), err}
}

// take adds the addresses of a lookup to those to be tried.
func (r *race) take(a answer) {
	r.lookups--
	if a.err != nil {
		r.noName = worse(r.noName, a.err)
		return
	}
	r.addresses = append(r.addresses, a.addresses[:min(len(a.addresses), maxAddresses)]...)
}

// begin starts an attempt with the next address: of the other family than the one
// before, if there is one (§4).
func (r *race) begin(ctx context.Context) {
	pick := 0
	for i, a := range r.addresses {
		if a.Is4() != r.last4 {
			pick = i
			break
		}
	}
	a := r.addresses[pick]
	r.addresses = append(r.addresses[:pick:pick], r.addresses[pick+1:]...)
	r.last4 = a.Is4()
	r.attempts++
	go func() {
		conn, err := r.Connect(ctx, r.network, netip.AddrPortFrom(a, r.port))
		r.ended <- attempt{conn, err}
	}()
}

// drain waits for what was cancelled and closes connections that came too late.
func (r *race) drain() {
	for ; r.lookups > 0; r.lookups-- {
		<-r.resolved
	}
	for ; r.attempts > 0; r.attempts-- {
		if a := <-r.ended; a.err == nil {
			a.conn.Close()
		}
	}
}

// verdict says why there is no connection.
func (r *race) verdict(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case len(r.failed) == 1:
		return r.failed[0]
	case len(r.failed) > 1:
		return r.failed
	case r.noName != nil:
		return r.noName
	}
	return &net.DNSError{Err: "no address of this family", Name: r.host, IsNotFound: true}
}
