package acme

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"
)

// A shaky storage is late, and one in ten of its changes fails: some before and
// some after they were made.
type shaky struct {
	late

	mu   sync.Mutex
	rand *rand.Rand // nil: steady
}

var errShaky = errors.New("the storage does not feel well")

// dice returns a number below n, or n when all is to go well.
func (s *shaky) dice(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rand == nil {
		return n
	}
	return s.rand.IntN(n)
}

func (s *shaky) Update(ctx context.Context, key string, edit func([]byte) ([]byte, error)) error {
	dice := s.dice(20)
	if dice == 0 {
		return errShaky
	}
	err := s.late.Update(ctx, key, edit)
	if err == nil && dice == 1 {
		return errShaky
	}
	return err
}

// steady ends the trouble.
func (s *shaky) steady() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rand = nil
}

// For a minute replicas come and go, the authority forgets everything now and
// then, and the storage is shaky, while certificates live for fifteen seconds. At no
// time is a client turned away or shown a certificate that is not the
// authority's; however shaky the storage, there come new ones; and in the end all
// is well.
func TestCampaign(t *testing.T) {
	if os.Getenv("CAIRN_LONG") == "" {
		t.Skip("it runs with CAIRN_LONG=1")
	}
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	l := newLab(t, 15*time.Second)
	type replica struct {
		*Manager
		storage *shaky
		stop    func()
	}
	start := func() replica {
		s := &shaky{late: late{Memory: l.storage, lag: 50 * time.Millisecond}, rand: rand.New(rand.NewPCG(seed, r.Uint64()))}
		m := l.manager(func(o *Options) { o.Storage, o.Settle = s, 100*time.Millisecond })
		m.locks.term = time.Second
		return replica{m, s, l.run(m)}
	}
	replicas := []replica{start(), start(), start()}
	for _, r := range replicas {
		l.await(r.Manager) // one may wait for a lock that could not be given back
	}
	seen := map[string]bool{}
	look := func() {
		leaf := l.leaf("example.org", nil)
		if leaf.Equal(l.own.Leaf()) {
			t.Fatal("a client was shown our own certificate")
		}
		seen[leaf.SerialNumber.String()] = true
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		look()
		switch i := r.IntN(len(replicas)); r.IntN(40) {
		case 0, 1:
			replicas[i].stop()
			replicas[i] = start()
		case 2:
			l.pebble.stop()
			l.pebble.start()
		case 3, 4, 5:
			l.http.Store(replicas[i].Manager)
			l.tls.Store(replicas[i].Manager)
		}
		if err := sleep(t.Context(), 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d certificates were seen", len(seen))
	eventually(t, "certificates are renewed", func() bool {
		look()
		return len(seen) >= 3
	})
	for _, r := range replicas {
		r.storage.steady()
	}
	for _, r := range replicas {
		eventually(t, "all is well", func() bool {
			s := r.Status()[0]
			return s.Err == nil && time.Now().Before(s.NotAfter)
		})
	}
}
