package gitwire

import (
	"context"
	"fmt"
	"io"
	"sync"

	"cairn/store"
)

// The services of a repository, by the names of git's commands.
const (
	fetchService = "git-upload-pack"
	pushService  = "git-receive-pack"
)

// A transport opens conversations with the services of one repository elsewhere,
// and keeps what makes the next one quick. Safe for concurrent use.
type transport interface {
	// open begins a conversation. What the remote says first may be kept from an
	// earlier one, unless listing asks for refs as they are and it lists them there.
	open(ctx context.Context, service string, listing bool) (*remoteWire, error)
	// forget drops what is kept of a service.
	forget(service string)
	// close ends all conversations.
	close()
}

// A carrier is one conversation. One goroutine uses it, apart from close.
type carrier interface {
	// ask sends what write writes and returns the answer, which may begin while
	// write is still at it.
	ask(write func(io.Writer) error) (*pktReader, error)
	// began reports whether anything of the last question may have gone out.
	began() bool
	// sent reports whether the last question may have been received whole, and
	// not been turned away.
	sent() bool
	// wrong turns an error of asking and reading into what the carrier knows to be its cause.
	wrong(err error) error
	// stateless reports whether each question has to say all from the beginning.
	stateless() bool
	// finish reads what follows the last answer, which is nothing, so that the
	// connection can be used again.
	finish()
	// detach makes the conversation outlive the context it was opened with.
	detach()
	// abort ends asking and reading from another goroutine.
	abort()
	close()
}

// A remoteWire is a conversation and what the remote has said at first.
type remoteWire struct {
	carrier
	*greeting
	kept bool // the greeting, or the connection, is from before the call

	progress *chatter
	heard    bool // some of an answer has come
}

// command begins a request of protocol v2, up to where its arguments stand.
func (w *remoteWire) command(p *pktWriter, name string) {
	p.linef("command=%s\n", name)
	if w.can("agent") {
		p.line("agent=" + agent + "\n")
	}
	if w.can("object-format") {
		p.line("object-format=sha1\n")
	}
	p.delim()
}

// line reads one line of an answer.
func (w *remoteWire) line(r *pktReader) (pktKind, string, error) {
	kind, line, err := remoteLine(r)
	w.heard = w.heard || err == nil
	return kind, line, err
}

// An outgoing is a question on its way, and what becomes of it.
type outgoing struct {
	wg sync.WaitGroup

	mu     sync.Mutex
	bytes  int64
	whole  bool  // the writer has written all
	err    error // the writer's
	broken error // the connection's
}

// write runs a writer towards w.
func (o *outgoing) write(w io.Writer, write func(io.Writer) error) error {
	err := write(outgoingWriter{o, w})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err, o.whole = err, err == nil
	return err
}

// fault waits for the writer to end and returns what went wrong on this side,
// rather than on the connection; nil if nothing did.
func (o *outgoing) fault() error {
	o.wg.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil {
		return nil
	}
	return o.err
}

// state waits for the writer to end and reports whether it has written something,
// and all.
func (o *outgoing) state() (some, whole bool) {
	o.wg.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes > 0, o.whole
}

// outgoingWriter notes what the connection takes.
type outgoingWriter struct {
	o *outgoing
	w io.Writer
}

func (w outgoingWriter) Write(b []byte) (int, error) {
	n, err := w.w.Write(b)
	w.o.mu.Lock()
	defer w.o.mu.Unlock()
	w.o.bytes += int64(n)
	if err != nil {
		w.o.broken = err
	}
	return n, err
}

// away says that a host cannot be reached.
func away(err error) error { return fmt.Errorf("%w: %w", store.ErrTemporary, err) }
