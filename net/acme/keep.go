package acme

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"
)

// A pace is how often things are tried.
type pace struct {
	look    time.Duration // between looks at a certificate with which all is well
	least   time.Duration // between any two looks
	refused time.Duration // before an order is tried again that the authority refused, three times as much each time,
	seldom  time.Duration // up to this
	failed  time.Duration // before anything else is tried again, twice as much each time,
	often   time.Duration // up to this
}

// defaultPace keeps below Let's Encrypt's bound of five failures for a name in
// an hour.
var defaultPace = pace{
	look:    10 * time.Minute,
	least:   time.Second,
	refused: time.Minute,
	seldom:  6 * time.Hour,
	failed:  5 * time.Second,
	often:   10 * time.Minute,
}

// after returns how long to wait after the nth failure in a row, n from 1.
func (p pace) after(n int, err error) time.Duration {
	wait, most, times := p.failed, p.often, time.Duration(2)
	refusal, refused := errors.AsType[*Error](err)
	if refused && refusal.Refused {
		wait, most, times = p.refused, p.seldom, 3
	}
	for i := 1; i < n && wait < most; i++ {
		wait *= times
	}
	wait = min(wait, most)
	wait += rand.N(wait/10 + 1) // so that many names do not come back at once
	if refused {
		wait = max(wait, time.Until(refusal.NotBefore))
	}
	return wait
}

// keep sees to it that name has a certificate, until ctx ends.
func (m *Manager) keep(ctx context.Context, name string) {
	for failures := 0; ctx.Err() == nil; {
		next, err := m.attend(ctx, name)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			failures = 0
		} else {
			failures++
			wait := m.pace.after(failures, err)
			next = time.Now().Add(wait)
			m.log.Error("no new certificate", "name", name, "err", err, "next try in", wait.Round(time.Second))
		}
		m.change(name, func(s *site) { s.status.Next, s.status.Err = next, err })
		if sleep(ctx, max(time.Until(next), m.pace.least)) != nil {
			return
		}
	}
}

// attend does what is to be done now for name, and says when to look again.
func (m *Manager) attend(ctx context.Context, name string) (time.Time, error) {
	cert, err := m.load(ctx, name)
	switch {
	case err == nil:
		cert = m.suggestion(ctx, name, cert)
	case errors.Is(err, errBroken):
		m.log.Error("a new certificate is ordered", "name", name, "err", err)
		err = removeBroken(ctx, m.opts.Storage, m.folder(name))
		cert = nil
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err != nil {
		return time.Time{}, err
	}
	if cert == nil || !time.Now().Before(cert.due()) {
		if cert, err = m.order(ctx, name); err != nil {
			return time.Time{}, err
		}
	}
	next := time.Now().Add(m.pace.look)
	for _, t := range []time.Time{cert.due(), cert.ask()} {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	return next, nil
}

// order gets a certificate for name, in the place of the one there may be. Another replica
// may be the one who does.
func (m *Manager) order(ctx context.Context, name string) (*certificate, error) {
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	lock := "issue_cert_" + name
	if err := m.locks.lock(ctx, lock); err != nil {
		return nil, err
	}
	defer func() {
		if err := m.locks.unlock(ctx, lock); err != nil {
			m.log.Warn("the lock on an order was not given back", "err", err)
		}
	}()
	cert, err := m.load(ctx, name)
	if err == nil && time.Now().Before(cert.due()) {
		return cert, nil // another was quicker
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errBroken) {
		return nil, err
	}
	got, err := m.issue(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := save(ctx, m.opts.Storage, m.folder(name), got); err != nil {
		return nil, fmt.Errorf("certificate for %s: %w", name, err)
	}
	if cert, err = m.load(ctx, name); err != nil {
		return nil, err
	}
	if !time.Now().Before(cert.due()) {
		return nil, &Error{Name: name, Refused: true, Err: fmt.Errorf("the new certificate, valid until %v, is to be renewed already; does the clock go right?", cert.tls.Leaf.NotAfter)}
	}
	return cert, nil
}

// load reads the stored certificate for name and serves it from now on.
func (m *Manager) load(ctx context.Context, name string) (*certificate, error) {
	cert, err := loadCertificate(ctx, m.opts.Storage, m.folder(name))
	if err != nil {
		return nil, fmt.Errorf("certificate for %s: %w", name, err)
	}
	isNew := false
	m.change(name, func(s *site) {
		if isNew = s.cert == nil || !s.cert.tls.Leaf.Equal(cert.tls.Leaf); !isNew {
			cert = s.cert.latest(cert)
		}
		s.cert = cert
	})
	if isNew {
		m.log.Info("certificate in use", "name", name, "valid until", cert.tls.Leaf.NotAfter)
	}
	return cert, nil
}

// folder is the storage key of name's certificate.
func (m *Manager) folder(name string) string {
	return "certificates/" + safe(m.ca) + "/" + safe(name)
}
