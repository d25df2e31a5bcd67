package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A mortal backend fails now and then, before or after it has done its work, and when it is dead does
// nothing any more.
type mortal struct {
	store.Backend
	mu    sync.Mutex
	r     *rand.Rand
	moods int // one in so many commits goes wrong; 0: none
	dead  atomic.Bool
}

var errMood = errors.New("some trouble")

func (m *mortal) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	mood := -1
	m.mu.Lock()
	if m.moods > 0 {
		mood = m.r.IntN(m.moods)
	}
	m.mu.Unlock()
	switch {
	case m.dead.Load():
		return fmt.Errorf("dead: %w", store.ErrTemporary)
	case mood == 0:
		return fmt.Errorf("full: %w", store.ErrTemporary)
	case mood == 1:
		return errMood
	case mood == 2:
		return errors.Join(m.Backend.Commit(ctx, objs, changes), errMood)
	}
	return m.Backend.Commit(ctx, objs, changes)
}

// A process is a house that can be killed.
type process struct {
	*house
	life *mortal
	mu   sync.Mutex
	nets []net.Conn
}

func newProcess(t *testing.T, w *world, disk store.Backend, seed uint64, moods int, sole bool) *process {
	p := &process{life: &mortal{Backend: disk, r: rand.New(rand.NewPCG(seed, 1)), moods: moods}}
	p.house = newHouse(t, w, p.life)
	p.o.Sole = sole
	p.o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if p.life.dead.Load() {
			return nil, errRefused
		}
		c, err := w.Dial(ctx, network, address)
		if err == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.nets = append(p.nets, c)
		}
		return c, err
	}
	p.open()
	return p
}

// kill ends it as kill -9 does: nothing is written and nothing is sent any more.
func (p *process) kill() {
	p.life.dead.Store(true)
	p.mu.Lock()
	for _, c := range p.nets {
		c.Close()
	}
	p.mu.Unlock()
	p.cancel()
	<-p.done
}

// accept puts a message and reports whether that was acknowledged.
func (p *process) accept(to string) bool {
	return p.repo.Branch(Branch).Update(context.Background(), store.Change{Message: "put"}, func(tx *store.Tx) error {
		_, err := p.q.Put(tx, letter(to))
		return err
	}) == nil
}

// TestNothingLost: whatever happens to the store and however often the process is killed, what was
// accepted is sent, and twice at most what was on its way when the process ended.
func TestNothingLost(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := newWorld(), &sink{}
				w.serve(t, "example.test", "192.0.2.1", b)
				b.onData = func(string, []string, []byte) error { time.Sleep(100 * time.Millisecond); return nil }
				disk, r := mem.New(), rand.New(rand.NewPCG(seed, 2))
				var accepted []string
				n := 0
				const kills = 6
				for life := range kills {
					p := newProcess(t, w, disk, seed+uint64(life)<<8, 10, true)
					p.start()
					for range 25 {
						n++ // one that was not accepted may be there all the same
						to := fmt.Sprintf("user%d@example.test", n)
						if p.accept(to) {
							accepted = append(accepted, to)
						}
						time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
					}
					p.kill()
				}
				last := newProcess(t, w, disk, seed, 10, true)
				last.start()
				last.empty5(time.Hour)
				last.stop()
				got, twice := b.recipients(), 0
				for _, to := range accepted {
					if got[to] == 0 {
						t.Errorf("%s was accepted and got nothing", to)
					}
					twice += max(got[to]-1, 0)
				}
				if most := kills * 5; twice > most { // a life has five connections
					t.Errorf("%d were sent twice, want %d at most", twice, most)
				}
			})
		})
	}
}

// TestOnce: when nothing crashes everything is sent once, however the store fails and whenever Run ends
// and begins again.
func TestOnce(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := newWorld(), &sink{}
				w.serve(t, "example.test", "192.0.2.1", b)
				b.onData = func(string, []string, []byte) error { time.Sleep(100 * time.Millisecond); return nil }
				disk, r := mem.New(), rand.New(rand.NewPCG(seed, 2))
				var accepted []string
				n := 0
				for life := range uint64(6) {
					p := newProcess(t, w, disk, seed+life<<8, 10, seed%2 == 0)
					p.start()
					for range 25 {
						n++ // one that was not accepted may be there all the same
						to := fmt.Sprintf("user%d@example.test", n)
						if p.accept(to) {
							accepted = append(accepted, to)
						}
						time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
					}
					if life == 5 {
						p.empty5(time.Hour)
					}
					p.cancel()
					if err := <-p.done; err != nil && !errors.Is(err, store.ErrTemporary) && !errors.Is(err, errMood) {
						t.Errorf("run: %v", err)
					}
				}
				got := b.recipients()
				for _, to := range accepted {
					if got[to] != 1 {
						t.Errorf("%s got %d, want 1", to, got[to])
					}
				}
			})
		})
	}
}

// TestTwoProcesses: of two on one repository one sends, and the other when that one has ended: at once
// after a good end, and after a minute when it was killed.
func TestTwoProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorld(), &sink{}
		w.serve(t, "example.test", "192.0.2.1", b)
		b.onData = func(string, []string, []byte) error { time.Sleep(200 * time.Millisecond); return nil }
		disk := mem.New()
		one, two := newProcess(t, w, disk, 1, 0, false), newProcess(t, w, disk, 2, 0, false)
		one.start()
		two.start()
		accepted := map[string]bool{}
		put := func(p *process, n int) {
			for range n {
				to := fmt.Sprintf("user%d@example.test", len(accepted))
				if !p.accept(to) {
					t.Fatalf("%s was not accepted", to)
				}
				accepted[to] = true
				time.Sleep(50 * time.Millisecond)
			}
		}
		for range 5 { // longer than a lease
			put(one, 20)
			put(two, 20)
			two.empty5(time.Hour)
			time.Sleep(25 * time.Second)
		}
		one.stop()
		began := time.Now()
		put(two, 1)
		two.empty()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("after a good end the other began after %v", took)
		}
		three := newProcess(t, w, disk, 3, 0, false)
		three.start()
		put(two, 3)
		two.kill()
		began = time.Now()
		put(three, 3)
		three.empty5(time.Hour)
		if took := time.Since(began); took > 3*time.Minute {
			t.Errorf("after the other was killed it began after %v", took)
		}
		three.stop()
		twice := 0
		for to, n := range b.recipients() {
			if !accepted[to] {
				t.Errorf("%s got something that was not accepted", to)
			}
			delete(accepted, to)
			twice += n - 1
		}
		if len(accepted) > 0 || twice > 5 {
			t.Errorf("%d got nothing, %d something twice", len(accepted), twice)
		}
	})
}

// TestLostLease: who cannot write any more, because the host of the repository is away from him, stops
// sending before another one begins.
func TestLostLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorld(), &sink{}
		w.serve(t, "example.test", "192.0.2.1", b)
		disk := mem.New()
		one := newProcess(t, w, disk, 1, 0, false)
		one.o.PerDestination = 1
		one.open()
		for i := range 500 {
			one.accept(fmt.Sprintf("user%d@example.test", i))
		}
		b.onData = func(string, []string, []byte) error { time.Sleep(time.Second); return nil }
		one.start()
		time.Sleep(10 * time.Second)
		one.life.dead.Store(true) // it can still send what it has a connection for
		cut := time.Now()
		two := newProcess(t, w, disk, 2, 0, false)
		two.start()
		two.empty5(time.Hour)
		two.stop()
		one.life.dead.Store(false)
		one.stop()
		twice := 0
		for _, n := range b.recipients() {
			twice += n - 1
		}
		if n := len(b.recipients()); n != 500 || twice > 1 {
			t.Errorf("%d got it, want 500; %d twice, want 1 at most; cut at %v", n, twice, cut)
		}
	})
}

// TestPatientEnd: Run that is told to end waits for the answer to a message that the other side has.
func TestPatientEnd(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		w.serve(t, "example.test", "192.0.2.1", b)
		arrived := make(chan bool, 1)
		b.onData = func(string, []string, []byte) error {
			arrived <- true
			time.Sleep(10 * time.Second)
			return nil
		}
		h.start()
		h.put(letter("bob@example.test"))
		<-arrived
		h.stop()
		h.cancel = nil
		if len(b.all()) != 1 || len(h.list()) != 0 {
			t.Errorf("got %d messages and %d waiting, want 1 and 0", len(b.all()), len(h.list()))
		}
	})
}
