package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"maps"
	"sync"
	"testing"
	"time"
)

// A late storage shows what others have done only after some time, as a remote
// repository does that is asked now and then.
type late struct {
	*Memory
	lag time.Duration

	mu    sync.Mutex
	seen  map[string][]byte
	taken time.Time
}

func (l *late) look(now bool) map[string][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now || time.Since(l.taken) > l.lag {
		l.Memory.mu.Lock()
		l.seen, l.taken = maps.Clone(l.Memory.files), time.Now()
		l.Memory.mu.Unlock()
	}
	return l.seen
}

func (l *late) Load(_ context.Context, key string) ([]byte, error) {
	data, ok := l.look(false)[key]
	if !ok {
		return nil, fmt.Errorf("load %q: %w", key, fs.ErrNotExist)
	}
	return data, nil
}

func (l *late) Update(ctx context.Context, key string, edit func([]byte) ([]byte, error)) error {
	err := l.Memory.Update(ctx, key, edit)
	l.look(true)
	return err
}

// Two replicas that see each other late order once, though the authority asks
// only one of them.
func TestReplicas(t *testing.T) {
	t.Parallel()
	l := newLab(t, 90*days)
	names := []string{"example.org", "www.example.org"}
	replica := func() *Manager {
		return l.manager(func(o *Options) {
			o.Names = names
			o.Storage = &late{Memory: l.storage, lag: 200 * time.Millisecond}
			o.Settle = 300 * time.Millisecond
		})
	}
	a, b := replica(), replica()
	l.run(a)
	l.run(b)
	l.await(a)
	l.await(b)
	if got := l.pebble.issued(); got != len(names) {
		t.Errorf("certificates: got %d, want one for each of %d names", got, len(names))
	}
	for _, name := range names {
		var leafs []*x509.Certificate
		for _, m := range []*Manager{a, b} {
			cert, err := m.GetCertificate(&tls.ClientHelloInfo{ServerName: name})
			if err != nil {
				t.Fatal(err)
			}
			leafs = append(leafs, cert.Leaf)
		}
		if !leafs[0].Equal(leafs[1]) {
			t.Errorf("%s: the replicas serve different certificates", name)
		}
	}
}

// A replica that dies while it orders delays the other for a term.
func TestDeadReplica(t *testing.T) {
	t.Parallel()
	l := newLab(t, 90*days)
	dead := l.manager(nil)
	key := "issue_cert_example.org"
	if err := dead.locks.take(t.Context(), key, nil, lease{Holder: "dead"}); err != nil {
		t.Fatal(err)
	}
	m := l.manager(nil)
	m.locks.term = time.Second
	start := time.Now()
	l.run(m)
	l.await(m)
	if took := time.Since(start); took < m.locks.term {
		t.Errorf("the lock was not waited for: a certificate after %v", took)
	}
}
