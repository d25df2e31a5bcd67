package remote_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cairn/internal/fault"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/gitwire"
	"cairn/store/remote"
)

// schedulePoll is short, so that much happens in little time.
const schedulePoll = 25 * time.Millisecond

// clientTime is how long a client goes on at most.
const clientTime = 2 * time.Second

// A replica is one of the two services, through all its lives.
type replica struct {
	s     *schedule
	name  string
	proxy *fault.Proxy // between it and the host
	wire  wire         // between it and the proxy

	mu   sync.Mutex
	life *life
	disk string         // the folder that a warm start finds; none: it keeps everything in memory
	seen [][]store.Hash // the tips of a branch that reads have shown, in turn; for each branch and life
}

// A life is one process: what it holds goes when it is killed, and its
// connections with it.
type life struct {
	r     *replica
	disk  string
	ctx   context.Context // ends when it is killed
	end   context.CancelFunc
	ended sync.WaitGroup
	up    chan struct{} // closed when repo and backend are set

	repo    *store.Repo
	backend *remote.Backend
	refused error // why it could not start

	mu    sync.Mutex
	conns []net.Conn // nobody dials once ctx has ended
}

func newReplica(s *schedule, name string) *replica {
	r := &replica{s: s, name: name, proxy: fault.New(s.t, s.host.Addr)}
	r.wire.dial = r.proxy.Dial
	if s.onCable() {
		r.wire = newCable(s.t, s.rnd.Uint64(), r.proxy)
	}
	r.restart(false)
	s.t.Cleanup(r.stop)
	return r
}

// newFolder makes an empty repository.
func newFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "r")
	if err := gitdir.InitPartial(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// restart kills the process, if there is one, and starts another, which is warm
// when it finds what the last one has kept.
func (r *replica) restart(warm bool) {
	r.stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !warm {
		r.disk = ""
		if r.s.rnd.IntN(3) == 0 {
			r.disk = newFolder(r.s.t)
		}
	}
	total.events.add("start of a replica", 1)
	r.s.happened("%s starts, warm: %v, folder: %q", r.name, warm, r.disk)
	ctx, end := context.WithCancel(context.Background())
	r.life = &life{r: r, disk: r.disk, ctx: ctx, end: end, up: make(chan struct{})}
	r.life.ended.Go(r.life.run)
}

// stop kills the process and waits until nothing is left of it.
func (r *replica) stop() {
	r.mu.Lock()
	l := r.life
	r.life = nil
	r.mu.Unlock()
	if l != nil {
		l.kill()
		l.ended.Wait()
	}
}

// now is the replica's life, nil while it is not up.
func (r *replica) now() *life {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life == nil {
		return nil
	}
	select {
	case <-r.life.up:
		return r.life
	default:
		return nil
	}
}

// run is a life, from the first try to start, for the host may not be reached at once.
func (l *life) run() {
	s := l.r.s
	host, err := s.host.Client(l.dial).Remote(s.host.URL)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer host.Close()
	options := remote.Options{
		Host:     &tattler{host, s, l.r.name},
		Prefixes: []string{"refs/heads/b"},
		Poll:     schedulePoll,
		Timeout:  s.timeout(),
		Log:      slog.New(slog.NewTextHandler(eventWriter{s, l.r.name}, nil)),
	}
	if l.disk != "" {
		dir, err := gitdir.Open(l.disk, gitdir.Options{Partial: true, NoMaintenance: true})
		if err != nil {
			s.t.Error(err)
			return
		}
		defer dir.Close()
		options.Folder = dir
	}
	for !l.open(options) {
		select {
		case <-l.ctx.Done():
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
	s.happened("%s is up", l.r.name)
	close(l.up)
	for _, branch := range branches {
		l.ended.Go(func() { l.watch(branch) })
	}
	<-l.ctx.Done()
	if err := l.backend.Close(); err != nil {
		s.t.Errorf("close %s: %v", l.r.name, err)
	}
}

// open tries to begin.
func (l *life) open(o remote.Options) bool {
	l.backend, l.refused = remote.Open(l.ctx, o)
	if l.refused != nil {
		return false
	}
	l.repo = store.New(l.backend, store.Options{Now: l.r.s.clock(), CacheBytes: 1 << 20})
	return true
}

// dial connects to the host, through the proxy.
func (l *life) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := l.r.wire.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil {
		c.Close()
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	l.conns = append(l.conns, c)
	return c, nil
}

// kill ends a life as kill -9 does: what has been sent has been sent, and nothing
// more is.
func (l *life) kill() {
	l.end()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.Close()
	}
}

// watch notes what reads show of a branch.
func (l *life) watch(branch string) {
	var seen []store.Hash
	for tree, err := range l.repo.Branch(branch).Watch(l.ctx) {
		if err != nil {
			continue // it ends
		}
		rev, _ := tree.Commit()
		seen = append(seen, rev.Hash)
	}
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	l.r.seen = append(l.r.seen, seen)
}

// client writes, whatever comes of it, and gives up when the replica does not come up.
func (r *replica) client(name string, rnd *rand.Rand) {
	for i, start := 0, time.Now(); i < writes && time.Since(start) < clientTime; {
		time.Sleep(time.Duration(rnd.IntN(8000)) * time.Microsecond) // as people do
		on := []string{branches[rnd.IntN(len(branches))]}
		if other := branches[rnd.IntN(len(branches))]; rnd.IntN(4) == 0 && other != on[0] {
			on = append(on, other)
		}
		var err error
		if rnd.IntN(4) == 0 {
			err = r.tick(on[0])
		} else {
			err = r.write(fmt.Sprintf("%s.%d", name, i), on...)
		}
		if err != errNotUp { // whatever came of it, the ledger has it
			i++
		}
	}
}

// write notes an id in the logs of branches, all or none, and tells the ledger what
// came of it.
func (r *replica) write(id string, on ...string) error {
	s := r.s
	l := r.now()
	if l == nil {
		return errNotUp
	}
	s.ledger.begin(id, on...)
	err := r.timed(id, func() error {
		return l.repo.Update(context.Background(), change(id), on, func(txs map[string]*store.Tx) error {
			for _, tx := range txs {
				if err := note(id)(tx); err != nil {
					return err
				}
			}
			return nil
		})
	})
	s.ledger.end(id, l.outcome(err), err)
	s.happened("%s on %v: %s", id, on, l.outcome(err))
	if err == nil {
		l.mustSee(id, on...)
	}
	return err
}

// tick counts one up in a branch, by a change that is the same whoever makes it.
func (r *replica) tick(branch string) error {
	l := r.now()
	if l == nil {
		return errNotUp
	}
	err := r.timed("tick", func() error { return l.repo.Branch(branch).Update(context.Background(), change("tick"), count) })
	r.s.ledger.ticked(branch, l.outcome(err), err)
	r.s.happened("tick of %s on %s: %s", r.name, branch, l.outcome(err))
	return err
}

var errNotUp = errors.New("the replica is not up")

// timed reports an update that does not end.
func (r *replica) timed(id string, update func() error) error {
	start := time.Now()
	err := update()
	if took := time.Since(start); took > hangs {
		r.s.t.Errorf("%s: an update took %v", id, took)
	}
	return err
}

// outcome is what an update's error says about it. A process that was killed
// meanwhile has told nobody. What the host has refused it may have taken, when the network
// brings a push twice.
func (l *life) outcome(err error) outcome {
	switch {
	case err == nil:
		return acknowledged
	case l.ctx.Err() != nil, errors.Is(err, gitwire.ErrInDoubt), is[*store.RefusedError](err):
		return unknown
	default:
		return failed
	}
}

// mustSee checks that reads show what has been acknowledged.
func (l *life) mustSee(id string, on ...string) {
	for _, branch := range on {
		tree, err := l.repo.Branch(branch).Tree(context.Background())
		var log []byte
		if err == nil {
			log, _, err = tree.Blob("log")
		}
		if l.ctx.Err() != nil {
			return
		}
		if err != nil || !strings.Contains("\n"+string(log), "\n"+id+"\n") {
			l.r.s.t.Errorf("%s has been acknowledged, but reads of %s do not show it (%v)", id, branch, err)
		}
	}
}
