package auth

import (
	"context"
	"net/netip"
	"time"
)

// Of the questions for one message, those that a sender's own records can multiply,
// and those about the From domain, which nobody must be able to use up.
const (
	questions      = 200
	questionsDMARC = MaxQuestions - questions
)

// DefaultTimeout is how long a message may be checked (RFC 7208 §4.6.4 asks for 20 s).
const DefaultTimeout = 20 * time.Second

// A Checker checks messages, any number at a time.
type Checker struct {
	Resolver Resolver
	ID       string           // this server's name: the authserv-id of RFC 8601 §2.5
	Now      func() time.Time // nil: time.Now
	Timeout  time.Duration    // of one message; zero: DefaultTimeout
}

func (c *Checker) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

func (c *Checker) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.Timeout <= 0 {
		return context.WithTimeout(ctx, DefaultTimeout)
	}
	return context.WithTimeout(ctx, c.Timeout)
}

// Check finds out all there is to know of a message: raw is it as it came, with
// CRLF. It waits for the DNS, at most for the Timeout; what is not known by then is TempError.
func (c *Checker) Check(ctx context.Context, from Source, raw []byte) *Result {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	ask := newAsker(c.Resolver, questions)
	l := newLetter(raw)
	r := &Result{ID: c.ID, Source: from}
	var authors authors

	var wg group
	wg.Go(func() { authors = readAuthors(ctx, l, newAsker(c.Resolver, questionsDMARC)) })
	wg.Go(func() { r.SPF = checkSPF(ctx, from, ask) })
	wg.Go(func() { r.Helo = checkHelo(ctx, from, ask) })
	if from.Reverse == nil {
		wg.Go(func() { r.IPRev = checkReverse(ctx, from.IP, ask) })
	} else {
		r.IPRev = *from.Reverse
	}
	if l.whole {
		wg.Go(func() { r.ARC = checkARC(ctx, l, ask) })
		r.DKIM = checkDKIM(ctx, l, ask, c.now())
	} else {
		r.ARC = Chain{Verdict: Fail, Reason: "header is too long"}
	}
	wg.Wait()
	r.DMARC = authors.judge(r, raw)
	return r
}

// Reverse says whether an address has a name that leads back to it. It may be asked
// when a client connects, and its answer given to Check with every message of that client.
func (c *Checker) Reverse(ctx context.Context, ip netip.Addr) IPRev {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	return checkReverse(ctx, ip, newAsker(c.Resolver, questions))
}
