package acme

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"

	"cairn/net/certs"
)

// challenges are those that are open: each a file in the storage, as the
// authority may ask any replica. They solve HTTP-01 and TLS-ALPN-01.
type challenges struct {
	storage Storage
	settle  time.Duration
}

// cleanUpTime bounds the removal of what a challenge needed, also when the order
// was given up.
const cleanUpTime = 30 * time.Second

func challengeKey(kind, name string) string { return "challenge/" + kind + "/" + safe(name) }

// Present implements acmez.Solver.
func (c *challenges) Present(ctx context.Context, ch acme.Challenge) error {
	data, err := json.Marshal(ch)
	if err != nil {
		return err
	}
	return c.storage.Update(ctx, challengeKey(ch.Type, ch.Identifier.Value), func([]byte) ([]byte, error) { return data, nil })
}

// Wait implements acmez.Waiter.
func (c *challenges) Wait(ctx context.Context, _ acme.Challenge) error { return sleep(ctx, c.settle) }

// CleanUp implements acmez.Solver.
func (c *challenges) CleanUp(ctx context.Context, ch acme.Challenge) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	return c.storage.Update(ctx, challengeKey(ch.Type, ch.Identifier.Value), func(old []byte) ([]byte, error) {
		var now acme.Challenge
		if json.Unmarshal(old, &now) == nil && now.Token != ch.Token {
			return old, nil
		}
		return nil, nil
	})
}

// open returns the challenge that is open for a name; none is fs.ErrNotExist.
func (c *challenges) open(ctx context.Context, kind, name string) (acme.Challenge, error) {
	var ch acme.Challenge
	data, err := c.storage.Load(ctx, challengeKey(kind, name))
	if err != nil {
		return ch, fmt.Errorf("challenge of %s: %w", name, err)
	}
	if err := json.Unmarshal(data, &ch); err != nil {
		return ch, fmt.Errorf("challenge of %s: %w", name, err)
	}
	return ch, nil
}

// managed reports whether name is one of ours, so that strangers cannot have us
// look for others.
func (m *Manager) managed(name string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Contains(m.names, name)
}

// Challenges implements certs.Challenger.
func (m *Manager) Challenges() []string {
	if !m.opts.TLSALPN01 {
		return nil
	}
	return alpn
}

var alpn = []string{acmez.ACMETLS1Protocol}

// answer returns the certificate that answers an open TLS-ALPN-01 challenge (RFC
// 8737 §3).
func (m *Manager) answer(ctx context.Context, name string) (*tls.Certificate, error) {
	if !m.managed(name) {
		return nil, fmt.Errorf("challenge of %.253q: %w", name, fs.ErrNotExist)
	}
	ch, err := m.challenges.open(ctx, acme.ChallengeTypeTLSALPN01, name)
	if err != nil {
		return nil, err
	}
	return acmez.TLSALPN01ChallengeCert(ch)
}

// tokens is where HTTP-01 looks (RFC 8555 §8.3).
const tokens = "/.well-known/acme-challenge/"

// Handler answers HTTP-01 challenges for the Manager's names, and leaves all
// other requests to next.
func (m *Manager) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.URL.Path, tokens)
		name := hostname(r.Host)
		if !ok || !m.opts.HTTP01 || !m.managed(name) || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		ch, err := m.challenges.open(r.Context(), acme.ChallengeTypeHTTP01, name)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && ch.Token != token:
			http.NotFound(w, r)
		case err != nil:
			m.log.Warn("challenge not answered", "name", name, "err", err)
			http.Error(w, "challenge not available", http.StatusServiceUnavailable)
		default:
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Write([]byte(ch.KeyAuthorization))
		}
	})
}

// hostname is the canonical name in a Host header.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return certs.CanonicalName(host)
}
