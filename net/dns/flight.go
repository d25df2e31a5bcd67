package dns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// A flight is a question under way, for all who ask it meanwhile. Resolver.mu guards
// waiting; answer and err are set when done is closed.
type flight struct {
	waiting int
	cancel  context.CancelFunc
	done    chan struct{}
	answer  answer
	err     error
}

// lookup returns the records of one type that a name has. None is an error.
func (r *Resolver) lookup(ctx context.Context, name string, qtype uint16) (answer, error) {
	if !isName(name) {
		return answer{}, notFound(name, "")
	}
	a, err := r.follow(ctx, question{key(name), qtype})
	if e := (*net.DNSError)(nil); errors.As(err, &e) {
		own := *e // the error is shared with others who asked
		own.Name = name
		return answer{}, &own
	}
	if err != nil {
		return answer{}, err
	}
	if len(a.records) == 0 {
		return a, notFound(name, a.server)
	}
	return a, nil
}

// follow asks a question, and for the end of its aliases where a server did not say.
func (r *Resolver) follow(ctx context.Context, q question) (answer, error) {
	next := q
	for range maxAliases {
		a, err := r.ask(ctx, next)
		if err != nil || !a.partial {
			return a, err
		}
		next.name = a.name
	}
	return answer{}, &net.DNSError{Err: "too many aliases", Name: q.name}
}

// ask answers from what is known and remembered, or asks the servers, once for all
// who have the same question.
func (r *Resolver) ask(ctx context.Context, q question) (answer, error) {
	if a, ok := local(q); ok {
		return a, nil
	}
	servers := r.opts.Servers()
	servers = servers[:min(len(servers), maxServers)]
	r.mu.Lock()
	r.adopt(servers)
	if a, ok := r.cache.lookup(q, time.Now()); ok {
		r.mu.Unlock()
		return a, nil
	}
	f := r.flights[q]
	if f == nil {
		f = r.launch(ctx, q)
	}
	f.waiting++
	r.mu.Unlock()

	select {
	case <-f.done:
		return f.answer, f.err
	case <-ctx.Done():
		r.leave(q, f)
		err := ctx.Err()
		return answer{}, &net.DNSError{
			UnwrapErr: err, Err: err.Error(), Name: q.name,
			IsTimeout: errors.Is(err, context.DeadlineExceeded), IsTemporary: true,
		}
	}
}

// adopt takes note of the servers. When they are others than before, what is
// remembered of the old ones goes. r.mu is held.
func (r *Resolver) adopt(servers []netip.AddrPort) {
	if slices.Equal(servers, r.servers) {
		return
	}
	r.servers = slices.Clone(servers)
	r.epoch++
	clear(r.failing)
	clear(r.flights) // those under way go on for who waits
	r.cache.clear()
}

// launch begins to ask. r.mu is held.
func (r *Resolver) launch(ctx context.Context, q question) *flight {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{cancel: cancel, done: make(chan struct{})}
	r.flights[q] = f
	servers, epoch := r.order(time.Now()), r.epoch
	go func() {
		defer close(f.done)
		defer cancel()
		f.answer, f.err = r.query(work, servers, q)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.flights[q] == f {
			delete(r.flights, q)
		}
		if f.err == nil && r.epoch == epoch {
			r.cache.add(q, f.answer, time.Now())
		}
	}()
	return f
}

// leave gives up waiting. The last one ends the flight and sees it out.
func (r *Resolver) leave(q question, f *flight) {
	r.mu.Lock()
	f.waiting--
	last := f.waiting == 0
	if last && r.flights[q] == f {
		delete(r.flights, q)
	}
	r.mu.Unlock()
	if last {
		f.cancel()
		<-f.done
	}
}

// typeName is a type as people write it, for errors.
func (q question) typeName() string { return dns.TypeToString[q.qtype] }
