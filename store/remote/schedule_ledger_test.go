package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

// An outcome is what is known of a write.
type outcome string

const (
	acknowledged outcome = "acknowledged" // it must be there, once
	unknown      outcome = "in doubt"     // it may be there, once
	failed       outcome = "failed"       // it must not be there
)

// A ledger is the model: what has been written, and what has been taken out by
// force-pushes. Safe for concurrent use.
type ledger struct {
	t *testing.T

	mu      sync.Mutex
	entries map[string]*entry
	ticks   map[string]*tickCount   // by branch
	forced  map[string][]store.Hash // by branch: what force-pushes have put there
}

// An entry is one write.
type entry struct {
	on      []string
	outcome outcome
	err     error
	excused map[string]bool // branches that somebody else has taken it out of
}

// A tickCount counts writes that look alike.
type tickCount struct {
	acknowledged, unknown, lost int
	errs                        []error
}

func newLedger(t *testing.T) *ledger {
	l := &ledger{t: t, entries: map[string]*entry{}, ticks: map[string]*tickCount{}, forced: map[string][]store.Hash{}}
	for _, branch := range branches {
		l.ticks[branch] = &tickCount{}
	}
	return l
}

// begin enters a write, before it is made.
func (l *ledger) begin(id string, on ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[id] = &entry{on: on, outcome: unknown, excused: map[string]bool{}}
}

// end enters what came of a write, and the error it gave.
func (l *ledger) end(id string, o outcome, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[id].outcome, l.entries[id].err = o, err
	total.outcomes.add(string(o), 1)
}

// ticked enters a write that looks like others.
func (l *ledger) ticked(branch string, o outcome, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.ticks[branch].errs = append(l.ticks[branch].errs, err)
	}
	switch o {
	case acknowledged:
		l.ticks[branch].acknowledged++
	case unknown:
		l.ticks[branch].unknown++
	}
}

// rewound enters a force-push: what was on the branch and no longer is, is excused.
func (l *ledger) rewound(repo *store.Repo, branch string, from, to store.Hash) {
	before, beforeTicks, err := contents(repo, from)
	after, afterTicks, err2 := contents(repo, to)
	if err := errors.Join(err, err2); err != nil {
		l.t.Errorf("force-push: %v", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.forced[branch]); n > 0 {
		l.descends(repo, branch, from, l.forced[branch][n-1])
	}
	l.forced[branch] = append(l.forced[branch], to)
	l.ticks[branch].lost += max(0, beforeTicks-afterTicks)
	for id := range before {
		if after[id] == 0 && l.entries[id] != nil {
			l.entries[id].excused[branch] = true
		}
	}
}

func (l *ledger) wasRewound(branch string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.forced[branch]) > 0
}

// contents returns how often each id is in the log of a commit, and its ticks.
func contents(repo *store.Repo, h store.Hash) (ids map[string]int, ticks int, err error) {
	tree, err := repo.Tree(context.Background(), h)
	if err != nil {
		return nil, 0, err
	}
	log, err := readFile(tree, "log")
	if err != nil {
		return nil, 0, err
	}
	text, err := readFile(tree, "ticks")
	if err != nil {
		return nil, 0, err
	}
	ids = map[string]int{}
	for id := range strings.FieldsSeq(log) {
		ids[id]++
	}
	if text != "" {
		ticks, err = strconv.Atoi(text)
	}
	return ids, ticks, err
}

// readFile reads a file; one that does not exist is empty.
func readFile(from interface {
	Blob(string) ([]byte, store.Hash, error)
}, name string) (string, error) {
	data, _, err := from.Blob(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(data), err
}

// verify holds a branch against the ledger.
func (l *ledger) verify(repo *store.Repo, branch string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	tree, err := repo.Branch(branch).Tree(context.Background())
	if err != nil {
		l.t.Errorf("%s: %v", branch, err)
		return
	}
	tip, _ := tree.Commit()
	ids, ticks, err := contents(repo, tip.Hash)
	if err != nil {
		l.t.Errorf("%s: %v", branch, err)
		return
	}
	for id, e := range l.entries {
		l.entry(id, e, branch, ids[id])
		delete(ids, id)
	}
	for id := range ids {
		l.t.Errorf("%s holds %s, which nobody wrote there", branch, id)
	}
	c := l.ticks[branch]
	if least, most := c.acknowledged-c.lost, c.acknowledged+c.unknown; ticks < least || ticks > most {
		l.t.Errorf("%s: counted up to %d, want between %d and %d; errors: %q", branch, ticks, least, most, c.errs)
	}
	if n := len(l.forced[branch]); n > 0 {
		l.descends(repo, branch, tip.Hash, l.forced[branch][n-1])
	}
	l.history(repo, branch)
}

// entry checks how often a write is on a branch.
func (l *ledger) entry(id string, e *entry, branch string, got int) {
	least, most := 0, 0
	for _, on := range e.on {
		if on != branch {
			continue
		}
		switch {
		case e.outcome == acknowledged && !e.excused[branch]:
			least, most = 1, 1
		case e.outcome != failed:
			most = 1
		}
	}
	if got < least || got > most {
		l.t.Errorf("%s, %s (%v), written to %v: it is %d times on %s, want %d to %d", id, e.outcome, e.err, e.on, got, branch, least, most)
	}
}

// descends checks that a force-push has not been overwritten in its turn.
func (l *ledger) descends(repo *store.Repo, branch string, tip, forced store.Hash) {
	for h := tip; h != forced; {
		tree, err := repo.Tree(context.Background(), h)
		if err != nil {
			l.t.Errorf("%s: %v", branch, err)
			return
		}
		rev, _ := tree.Commit()
		if len(rev.Parents) == 0 {
			l.t.Errorf("%s: the force-push to %v has been overwritten by %v", branch, forced, tip)
			return
		}
		h = rev.Parents[0]
	}
}

// history checks that each commit of a branch adds to the one before what
// its message says, and nothing else.
func (l *ledger) history(repo *store.Repo, branch string) {
	var newer store.Revision
	for rev, err := range repo.Branch(branch).Log(context.Background(), "") {
		if err != nil {
			l.t.Errorf("%s: %v", branch, err)
			return
		}
		if newer.Hash != object.Zero {
			l.step(repo, branch, rev, newer)
		}
		newer = rev
	}
	l.step(repo, branch, store.Revision{}, newer)
}

func (l *ledger) step(repo *store.Repo, branch string, older, newer store.Revision) {
	ids, ticks := map[string]int{}, 0
	var err error
	if older.Hash != object.Zero {
		ids, ticks, err = contents(repo, older.Hash)
	}
	got, gotTicks, err2 := contents(repo, newer.Hash)
	if err := errors.Join(err, err2); err != nil {
		l.t.Errorf("%s: %v", branch, err)
		return
	}
	if id := strings.TrimSpace(newer.Message); id == "tick" {
		ticks++
	} else {
		ids[id]++
	}
	if fmt.Sprint(got) != fmt.Sprint(ids) || gotTicks != ticks {
		l.t.Errorf("%s: commit %v, %q, leads from %v to %v and %d ticks, want %v and %d", branch, newer.Hash, newer.Message, older.Hash, got, gotTicks, ids, ticks)
	}
}
