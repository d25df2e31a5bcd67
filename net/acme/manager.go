package acme

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"cairn/net/certs"
)

// A Manager has certificates of one authority, and gets and renews them while
// Run runs. Safe for concurrent use.
type Manager struct {
	opts       Options
	log        *slog.Logger
	pace       pace
	ca         string // the authority as a part of a storage key
	locks      *locks
	challenges *challenges
	transport  *http.Transport
	slots      chan struct{} // held by whoever orders, or waits for a replica that does

	mu      sync.RWMutex
	names   []string
	sites   map[string]*site // of names, and maybe of names that were removed
	changed chan struct{}    // closed when names change
}

// A site is what is known of a name.
type site struct {
	cert   *certificate // nil: none yet
	status Status
}

// Status is how a name's certificate is doing.
type Status struct {
	Name     string
	NotAfter time.Time // until when the certificate is valid; zero: there is none yet
	Next     time.Time // when it is looked at next
	Err      error     // why there is none, or no newer one; nil: all is well
}

// atOnce is how many orders are open at once.
const atOnce = 4

// New returns a Manager that serves what is in the storage for its names. If the
// storage cannot be read that is left to Run.
func New(ctx context.Context, opts Options) (*Manager, error) {
	opts.Names = slices.Clone(opts.Names)
	if err := opts.check(); err != nil {
		return nil, err
	}
	m := &Manager{
		opts:    opts,
		log:     opts.Log,
		pace:    defaultPace,
		ca:      caKey(opts.Directory),
		slots:   make(chan struct{}, atOnce),
		names:   opts.Names,
		sites:   map[string]*site{},
		changed: make(chan struct{}),
	}
	m.locks = &locks{storage: opts.Storage, log: opts.Log, term: time.Minute, look: time.Second}
	m.transport = newTransport(opts)
	m.challenges = &challenges{storage: opts.Storage, settle: opts.Settle}
	for _, name := range m.names {
		if _, err := m.load(ctx, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			m.log.Warn("certificate not read", "name", name, "err", err)
		}
	}
	return m, nil
}

// SetNames changes what certificates are wanted for, also while Run runs. Those
// of names that are gone stay in the storage, and are not served.
func (m *Manager) SetNames(names ...string) error {
	names, err := m.opts.names(names)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.names = names
	for name := range m.sites {
		if !slices.Contains(names, name) {
			delete(m.sites, name)
		}
	}
	close(m.changed)
	m.changed = make(chan struct{})
	return nil
}

// Run gets and renews certificates until ctx ends, and returns when all that it
// started has ended. It is called once.
func (m *Manager) Run(ctx context.Context) {
	defer m.transport.CloseIdleConnections()
	var wg sync.WaitGroup
	defer wg.Wait()
	running := map[string]context.CancelFunc{}
	for {
		names, changed := m.wanted()
		for name, cancel := range running {
			if !slices.Contains(names, name) {
				cancel()
				delete(running, name)
			}
		}
		for _, name := range names {
			if running[name] == nil {
				ctx, cancel := context.WithCancel(ctx)
				running[name] = cancel
				wg.Go(func() { m.keep(ctx, name) })
			}
		}
		select {
		case <-ctx.Done():
			for _, cancel := range running {
				cancel()
			}
			return
		case <-changed:
		}
	}
}

func (m *Manager) wanted() (names []string, changed <-chan struct{}) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.names, m.changed
}

// GetCertificate implements certs.Source.
func (m *Manager) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := certs.CanonicalName(hello.ServerName)
	if m.opts.TLSALPN01 && slices.Equal(hello.SupportedProtos, alpn) {
		return m.answer(hello.Context(), name)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if name == "" && len(m.names) > 0 {
		name = m.names[0]
	}
	s := m.sites[name]
	if s == nil || s.cert == nil {
		_, parent, _ := strings.Cut(name, ".")
		s = m.sites["*."+parent]
	}
	if s == nil || s.cert == nil {
		return nil, fmt.Errorf("certificate for %.253q: %w", name, fs.ErrNotExist)
	}
	return s.cert.tls, nil
}

// Status returns how each name is doing, in the order of Options.Names.
func (m *Manager) Status() []Status {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var all []Status
	for _, name := range m.names {
		st := Status{Name: name}
		if s := m.sites[name]; s != nil {
			st = s.status
			st.Name = name
			if s.cert != nil {
				st.NotAfter = s.cert.tls.Leaf.NotAfter
			}
		}
		all = append(all, st)
	}
	return all
}

// change changes what is known of a name, if it is still wanted.
func (m *Manager) change(name string, edit func(*site)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.names, name) {
		return
	}
	s := m.sites[name]
	if s == nil {
		s = &site{}
		m.sites[name] = s
	}
	edit(s)
}
