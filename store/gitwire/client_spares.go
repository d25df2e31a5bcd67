package gitwire

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Of spares, which are streams opened ahead:
const (
	spareAge  = time.Minute      // after which one is replaced: servers close what is idle for longer
	spareKeep = 10 * time.Minute // for how long they are kept ready after the last use
	spareRush = 2 * time.Second  // who comes back within this should not have to wait
	maxSpares = 3                // of one service; sshd allows 10 sessions of a connection
)

// A streamTransport opens a stream for each conversation. Once a service has been
// used, it keeps spares of it: streams whose greeting has been read, so that a
// question goes out and its answer comes in one round trip. A spare says what the
// host can do at the time it is made. One of upload-pack before protocol v2 would
// list the refs of that time, so there are none of these; the refs that receive-pack
// lists are not looked at, in a spare or otherwise.
type streamTransport struct {
	client *Client
	dial   func(ctx context.Context, service string) (*stream, error)
	shut   func() // ends what dial keeps

	life context.Context
	end  context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	busy   map[*stream]struct{}
	spares map[string]*spares
	modest bool // the host has no room for spares
}

// spares are those of one service, oldest first.
type spares struct {
	list   []*spare
	target int       // how many to have
	used   time.Time // last
}

// A spare is a stream that is ready or being made.
type spare struct {
	ready  chan struct{} // closed when stream or err is set
	stream *stream
	err    error
	expiry *time.Timer

	unwanted bool // nobody is going to take it
}

func newStreamTransport(c *Client, dial func(context.Context, string) (*stream, error), shut func()) *streamTransport {
	t := &streamTransport{client: c, dial: dial, shut: shut, busy: make(map[*stream]struct{}), spares: make(map[string]*spares)}
	t.life, t.end = context.WithCancel(context.Background())
	return t
}

func (t *streamTransport) open(ctx context.Context, service string, listing bool) (*remoteWire, error) {
	s := t.take(ctx, service)
	kept := s != nil
	if s == nil {
		var err error
		s, err = t.dial(ctx, service)
		for try := 0; try < yields && errors.Is(err, errNoRoom) && t.yield(); try++ {
			pause(ctx, patience) // until the host knows
			s, err = t.dial(ctx, service)
		}
		if err != nil {
			return nil, err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.life.Err() != nil {
		s.rw.Close()
		return nil, net.ErrClosed
	}
	t.busy[s] = struct{}{}
	if kept {
		t.refill(service) // for the next, while this one is under way
	}
	c := &streamCarrier{s: s, ctx: ctx, done: func(c *streamCarrier) { t.done(service, c) }}
	c.release = context.AfterFunc(ctx, func() { s.rw.Close() })
	return &remoteWire{carrier: c, greeting: s.greeting, kept: kept, progress: t.client.progress()}, nil
}

// yields is how often a stream is tried once more after making room for it.
const yields = 3

// errNoRoom says that a host does not let more streams be open.
var errNoRoom = errors.New("the host allows no more sessions")

// yield gives up all spares for good, in favour of streams that are needed; false when
// there have been none.
func (t *streamTransport) yield() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	some := t.modest
	t.modest = true
	for _, sp := range t.spares {
		some = some || len(sp.list) > 0
		t.discard(sp)
	}
	return some
}

// take returns a spare, or nil.
func (t *streamTransport) take(ctx context.Context, service string) *stream {
	for {
		p := t.pop(service)
		if p == nil {
			return nil
		}
		select {
		case <-p.ready:
		case <-ctx.Done():
			t.mu.Lock()
			defer t.mu.Unlock()
			p.drop()
			return nil
		}
		switch {
		case p.err != nil:
		case p.stream.idle():
			return p.stream
		default:
			p.stream.rw.Close()
		}
	}
}

// pop takes the oldest spare out of the list. Where there is none, or it is still
// being made although one was used just now, there should be more.
func (t *streamTransport) pop(service string) *spare {
	t.mu.Lock()
	defer t.mu.Unlock()
	sp := t.spares[service]
	if sp == nil {
		return nil
	}
	late := len(sp.list) == 0
	var p *spare
	if !late {
		p, sp.list = sp.list[0], sp.list[1:]
		p.stop()
		select {
		case <-p.ready:
		default:
			late = true
		}
	}
	if late && time.Since(sp.used) < spareRush {
		sp.target = min(sp.target+1, maxSpares)
	}
	sp.used = time.Now()
	return p
}

// done ends a conversation. A stream that nothing was asked of is a spare.
func (t *streamTransport) done(service string, c *streamCarrier) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.busy, c.s)
	worthy := t.life.Err() == nil && !t.modest && (service == pushService || c.s.greeting.version == 2)
	if worthy && t.spares[service] == nil {
		t.spares[service] = &spares{target: 1, used: time.Now()}
	}
	if worthy && c.out == nil && c.ctx.Err() == nil && time.Since(c.s.born) < spareAge {
		p := &spare{ready: make(chan struct{}), stream: c.s}
		if c.s.watched == nil {
			c.s.watch()
		}
		t.spares[service].list = append(t.spares[service].list, p)
		t.expire(service, p)
		close(p.ready)
		return
	}
	c.s.rw.Close()
	if worthy {
		t.refill(service)
	}
}

// refill starts to make spares where they are too few. t.mu is held.
func (t *streamTransport) refill(service string) {
	sp := t.spares[service]
	for sp != nil && len(sp.list) < sp.target && t.life.Err() == nil && !t.modest {
		p := &spare{ready: make(chan struct{})}
		sp.list = append(sp.list, p)
		t.wg.Go(func() { t.make(service, p) })
	}
}

func (t *streamTransport) make(service string, p *spare) {
	s, err := t.dial(t.life, service)
	if err == nil {
		s.watch()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p.stream, p.err = s, err
	close(p.ready)
	switch {
	case err != nil:
		t.remove(service, p)
	case p.unwanted:
		s.rw.Close()
	default:
		t.expire(service, p)
	}
}

// expire replaces a spare in time, or lets it go. t.mu is held.
func (t *streamTransport) expire(service string, p *spare) {
	p.expiry = time.AfterFunc(spareAge-time.Since(p.stream.born), func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.remove(service, p) {
			return
		}
		p.stream.rw.Close()
		sp := t.spares[service]
		sp.target = 1
		if time.Since(sp.used) < spareKeep {
			t.refill(service)
		}
	})
}

// remove takes a spare out of the list; false when it is not there. t.mu is held.
func (t *streamTransport) remove(service string, p *spare) bool {
	sp := t.spares[service]
	if sp == nil {
		return false
	}
	for i, q := range sp.list {
		if q == p {
			sp.list = append(sp.list[:i:i], sp.list[i+1:]...)
			return true
		}
	}
	return false
}

// stop lets a spare live on beyond its age.
func (p *spare) stop() {
	if p.expiry != nil {
		p.expiry.Stop()
	}
}

// drop closes a spare, at once or when it is made. The transport's mu is held.
func (p *spare) drop() {
	p.stop()
	p.unwanted = true
	if p.stream != nil {
		p.stream.rw.Close()
	}
}

func (t *streamTransport) forget(service string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sp := t.spares[service]; sp != nil {
		t.discard(sp)
	}
}

// discard closes all spares of a service. t.mu is held.
func (t *streamTransport) discard(sp *spares) {
	for _, p := range sp.list {
		p.drop()
	}
	sp.list = nil
}

func (t *streamTransport) close() {
	t.mu.Lock()
	t.end()
	for _, sp := range t.spares {
		t.discard(sp)
	}
	for s := range t.busy {
		s.rw.Close()
	}
	t.mu.Unlock()
	t.shut()
	t.wg.Wait()
}
