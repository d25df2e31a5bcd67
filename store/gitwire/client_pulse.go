package gitwire

import (
	"errors"
	"io"
	"sync"
	"time"
)

// A pulse notices when a remote is silent for too long. It counts the time
// while somebody waits for the remote, in a Read or a Write, not the time in which
// this side is busy with itself.
type pulse struct {
	limit time.Duration
	abort func() // ends the Read or Write

	mu      sync.Mutex
	armed   bool
	waiting int
	timer   *time.Timer // runs while armed and somebody waits
	stalled bool
}

// arm begins to count. Before, silence is what is expected.
func (p *pulse) arm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = true
	p.set()
}

// set starts the clock anew, or stops it.
func (p *pulse) set() {
	switch {
	case p.stalled:
	case !p.armed || p.waiting == 0:
		if p.timer != nil {
			p.timer.Stop()
		}
	case p.timer == nil:
		p.timer = time.AfterFunc(p.limit, p.fire)
	default:
		p.timer.Reset(p.limit)
	}
}

func (p *pulse) fire() {
	p.mu.Lock()
	p.stalled = p.waiting > 0
	abort := p.stalled
	p.mu.Unlock()
	if abort {
		p.abort()
	}
}

// wait counts until the function that it returns is called.
func (p *pulse) wait() (done func()) {
	p.add(1)
	return func() { p.add(-1) }
}

func (p *pulse) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting += n
	p.set()
}

// isStalled reports whether the remote has been found silent.
func (p *pulse) isStalled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stalled
}

// errStalled says that a remote was silent for too long.
var errStalled = errors.New("the remote has gone silent")

// A pulseReader counts the time that Read takes.
type pulseReader struct {
	r io.Reader
	p *pulse
}

func (r pulseReader) Read(b []byte) (int, error) {
	defer r.p.wait()()
	return r.r.Read(b)
}

// A pulseWriter counts the time that Write takes.
type pulseWriter struct {
	w io.Writer
	p *pulse
}

func (w pulseWriter) Write(b []byte) (int, error) {
	defer w.p.wait()()
	return w.w.Write(b)
}

// A chatter hands a remote's progress on until it is muted. Safe for concurrent use.
type chatter struct {
	mu sync.Mutex
	w  io.Writer
}

func (c *chatter) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.w.Write(b)
}

func (c *chatter) mute() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.w = io.Discard
}
