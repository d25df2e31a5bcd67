package remote_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cairn/internal/fault"
	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/object"
)

// hangs is after how long something that should end does not.
const hangs = 60 * time.Second

// The size of a schedule.
const (
	clients = 2 // of each replica
	writes  = 6 // of each client
)

var branches = []string{"b0", "b1", "b2"}

// A schedule is one run.
type schedule struct {
	t    *testing.T
	seed uint64
	rnd  *rand.Rand // of the events, which one goroutine draws

	host     *githost.Host
	outside  *gitdir.Dir // the host's repository, for somebody who is no replica
	stranger *store.Repo
	replicas []*replica
	ledger   *ledger
	made     atomic.Int64 // by the stranger
	writes   int          // at the end
	patient  atomic.Bool  // the machine is slow

	forcing sync.Mutex // held while the stranger pushes by force
	forced  *rand.Rand // of that, which replicas draw, too
	well    bool       // no more of it

	began  time.Time
	mu     sync.Mutex
	events []string // for who looks into a failure
}

// happened notes an event.
func (s *schedule) happened(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, fmt.Sprintf("%4d ms: ", time.Since(s.began).Milliseconds())+fmt.Sprintf(format, args...))
}

func (s *schedule) printEvents() {
	if s.t.Failed() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.t.Logf("what happened:\n%s", strings.Join(s.events, "\n"))
	}
}

func newSchedule(t *testing.T, seed uint64, kind githost.Kind) *schedule {
	s := &schedule{t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 0)), host: githost.New(t, kind), ledger: newLedger(t), began: time.Now()}
	s.forced = rand.New(rand.NewPCG(seed, 1))
	t.Cleanup(s.printEvents)
	var err error
	if s.outside, err = gitdir.Open(s.host.Dir, gitdir.Options{NoMaintenance: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.outside.Close() })
	s.stranger = store.New(s.outside, store.Options{})
	s.ordinary("b0") // b1 and b2 are made by who comes first
	for i := range 2 {
		s.replicas = append(s.replicas, newReplica(s, fmt.Sprint("r", i)))
	}
	return s
}

// change is a change of somebody, with the id as its message.
func change(id string) store.Change {
	who := object.Signature{Name: "Tester", Email: "tester@localhost", When: noon()}
	return store.Change{Author: who, Message: id}
}

// onCable says whether the replicas have TCP/IP of their own.
func (s *schedule) onCable() bool { return s.seed%20 == 5 }

// timeout is short, so that much happens in little time, but TCP sends again what was lost
// after 200 ms at the earliest.
func (s *schedule) timeout() time.Duration {
	if s.patient.Load() {
		return hangs / 2
	}
	if s.onCable() {
		return time.Second
	}
	return 300 * time.Millisecond
}

// clock is a replica's: one that stands still, so that replicas do not differ by its help,
// or one that does not, so that a second try differs from the first.
func (s *schedule) clock() func() time.Time {
	if s.seed%2 == 0 {
		return noon
	}
	return ticking()
}

// noon stands still.
func noon() time.Time { return time.Unix(1700000000, 0).UTC() }

// run has the clients write while things go wrong.
func (s *schedule) run() {
	watchdog := time.AfterFunc(5*hangs, func() {
		buf := make([]byte, 1<<20)
		panic(fmt.Sprintf("schedule %d does not end:\n%s", s.seed, buf[:runtime.Stack(buf, true)]))
	})
	defer watchdog.Stop()
	done := make(chan struct{})
	var writers sync.WaitGroup
	for _, r := range s.replicas {
		for i := range clients {
			rnd := rand.New(rand.NewPCG(s.seed, uint64(len(r.name)+i)<<8+uint64(r.name[1])))
			writers.Go(func() { r.client(fmt.Sprintf("%s.%d", r.name, i), rnd) })
		}
	}
	go func() {
		writers.Wait()
		close(done)
	}()
	for s.pause(done, 25) {
		s.event(done)
	}
	s.forcing.Lock()
	s.well = true
	s.forcing.Unlock()
	s.happened("all is well")
	for _, r := range s.replicas {
		total.events.add("fault", r.proxy.Faults())
		r.proxy.Plan(nil)
		r.proxy.Refuse(false)
		r.proxy.Sever() // what is stalled stays so otherwise
	}
	s.host.Start()
	s.converge()
}

// pause waits for up to so many milliseconds, and says whether the clients still write.
func (s *schedule) pause(done <-chan struct{}, most int) bool {
	timer := time.NewTimer(time.Duration(s.rnd.IntN(most*1000)) * time.Microsecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-done:
		return false
	}
}

// event has something go wrong.
func (s *schedule) event(done <-chan struct{}) {
	r := s.replicas[s.rnd.IntN(len(s.replicas))]
	branch := branches[s.rnd.IntN(len(branches))]
	switch n := s.rnd.IntN(40); {
	case n < 12:
		s.happened("faults for %s", r.name)
		r.proxy.Plan(fault.Seeded(s.rnd.Uint64(), 0.1+s.rnd.Float64()/2, fault.Kinds...))
	case n < 20:
		s.happened("calm for %s", r.name)
		r.proxy.Plan(nil)
	case n < 24:
		s.happened("%s is severed", r.name)
		r.proxy.Sever()
	case n < 27:
		s.happened("%s is refused for a while", r.name)
		r.proxy.Refuse(true)
		s.pause(done, 40)
		r.proxy.Refuse(false)
	case n < 28 && r.wire.cut != nil:
		s.happened("the cable of %s is cut for a while", r.name)
		r.wire.cut(true)
		s.pause(done, 100)
		r.wire.cut(false)
	case n < 29:
		s.happened("the host is away for a while")
		total.events.add("host restart", 1)
		s.host.Stop()
		s.pause(done, 30)
		s.host.Start()
	case n < 32:
		r.restart(s.rnd.IntN(2) == 0)
	case n < 33:
		s.rewind(branch)
	default:
		s.ordinary(branch)
	}
}

// ordinary has the stranger commit to a branch.
func (s *schedule) ordinary(branch string) {
	id := fmt.Sprint("stranger.", s.made.Add(1))
	s.ledger.begin(id, branch)
	err := patiently(func() error {
		return s.stranger.Branch(branch).Update(context.Background(), change(id), note(id))
	})
	if err != nil {
		s.t.Errorf("the stranger's commit: %v", err)
	}
	s.ledger.end(id, acknowledged, nil)
}

// patiently does again what fails for a time: on a slow machine somebody may hold a lock for long.
func patiently(do func() error) error {
	for deadline := time.Now().Add(hangs); ; time.Sleep(time.Millisecond) {
		err := do()
		if !errors.Is(err, store.ErrTemporary) || time.Now().After(deadline) {
			return err
		}
	}
}

// note returns an edit that writes id at the end of the file log.
func note(id string) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		log, err := readFile(tx, "log")
		if err != nil {
			return err
		}
		return errors.Join(
			tx.Put("log", append([]byte(log), id+"\n"...)),
			tx.Put("by/"+strings.ReplaceAll(id, ".", "/"), []byte(id)))
	}
}

// count is an edit that counts the file ticks up.
func count(tx *store.Tx) error {
	text, err := readFile(tx, "ticks")
	n := 0
	if err == nil && text != "" {
		n, err = strconv.Atoi(text)
	}
	if err != nil {
		return err
	}
	return tx.Put("ticks", fmt.Append(nil, n+1))
}

// verify holds the host's branches against the ledger, and has stock git look at some.
func (s *schedule) verify() {
	for _, r := range s.replicas {
		r.stop()
		s.forwards(r)
	}
	for _, branch := range branches {
		s.ledger.verify(s.stranger, branch)
	}
	if s.t.Failed() {
		s.printHistory()
	}
	if s.seed%20 == 1 {
		cmd := exec.Command("git", "fsck", "--strict", "--no-dangling")
		cmd.Dir, cmd.Env = s.host.Dir, s.host.GitEnv()
		if out, err := cmd.CombinedOutput(); err != nil {
			s.t.Errorf("git fsck: %v\n%s", err, out)
		}
	}
}

// printHistory prints what the host's branches have come to, newest first.
func (s *schedule) printHistory() {
	for _, branch := range branches {
		for rev, err := range s.stranger.Branch(branch).Log(context.Background(), "") {
			s.t.Logf("%s: %v %q %v %v", branch, rev.Hash, rev.Message, rev.Extra, err)
		}
	}
}

// forwards checks that what a replica showed of a branch never went back.
func (s *schedule) forwards(r *replica) {
	for _, seen := range r.seen {
		for i := 1; i < len(seen); i++ {
			s.ledger.descends(s.stranger, r.name, seen[i], seen[i-1])
		}
	}
}
