package acme

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// How often an authority is asked when to renew, whatever it wishes (RFC 9773
// §4.3.2 and §4.3.3).
const (
	askSoonest  = time.Minute
	askUsual    = 6 * time.Hour
	askLatest   = 24 * time.Hour
	askAgain    = time.Hour // after a failure
	askPatience = time.Minute
)

// suggestion asks the authority when to renew cert, if it is time to ask. What it
// says is kept; nothing depends on an answer.
func (m *Manager) suggestion(ctx context.Context, name string, cert *certificate) *certificate {
	if ask := cert.ask(); ask.IsZero() || time.Now().Before(ask) {
		return cert
	}
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	old := *cert.meta.RenewalInfo
	info, err := m.client(&visit{}).GetRenewalInfo(ctx, cert.tls.Leaf)
	switch {
	case err != nil:
		m.log.Warn("the authority did not say when to renew", "name", name, "err", err)
		info = old
		again := time.Now().Add(askAgain)
		info.RetryAfter = &again
	case info.SameWindow(old):
		info.SelectedTime = old.SelectedTime
	default:
		m.log.Info("the authority suggests when to renew", "name", name, "at", info.SelectedTime, "because", info.ExplanationURL)
	}
	limit(&info)
	changed := *cert
	changed.meta.RenewalInfo = &info
	if !info.SameWindow(old) {
		if err := m.keepSuggestion(ctx, name, &changed); err != nil {
			m.log.Warn("when to renew was not stored", "name", name, "err", err)
		}
	}
	m.change(name, func(s *site) { s.cert = &changed })
	return &changed
}

// limit bounds when to ask again.
func limit(info *acme.RenewalInfo) {
	now := time.Now()
	t := now.Add(askUsual)
	if info.RetryAfter != nil {
		t = *info.RetryAfter
	}
	if t.Before(now.Add(askSoonest)) {
		t = now.Add(askSoonest)
	}
	if t.After(now.Add(askLatest)) {
		t = now.Add(askLatest)
	}
	info.RetryAfter = &t
}

// latest returns which of c and stored, the same certificate, to go by: the one
// whose suggestion is to be asked for later.
func (c *certificate) latest(stored *certificate) *certificate {
	if c.ask().After(stored.ask()) {
		return c
	}
	return stored
}

// keepSuggestion stores cert's suggestion beside it, unless there is another certificate by now.
func (m *Manager) keepSuggestion(ctx context.Context, name string, cert *certificate) error {
	meta, err := json.Marshal(resource{[]string{name}, cert.meta})
	if err != nil {
		return err
	}
	return m.opts.Storage.Update(ctx, m.folder(name), func(old []byte) ([]byte, error) {
		stored, err := parseCertificate(old)
		if err != nil {
			return nil, fmt.Errorf("certificate for %s: %w", name, err)
		}
		if !bytes.Equal(stored.tls.Leaf.Raw, cert.tls.Leaf.Raw) {
			return old, nil
		}
		b, err := parseBundle(old)
		if err != nil {
			return nil, err
		}
		b[".json"] = string(meta)
		return json.Marshal(b)
	})
}
