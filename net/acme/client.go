package acme

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"

	"cairn/net/certs"
)

const (
	requestTime = time.Minute // for one request
	maxVisit    = 4 << 20     // bytes that an authority may answer during a visit
)

// A visit is a number of requests to the authority for one purpose. It bounds
// what may come back, and notices when not to come back.
type visit struct {
	mu        sync.Mutex
	read      int64
	notBefore time.Time // the last Retry-After of an answer that was an error
}

// errTooMuch says that an authority answers without end.
var errTooMuch = errors.New("the authority's answers are larger than 4 MiB")

// client returns an ACME client for a visit.
func (m *Manager) client(v *visit) *acmez.Client {
	solvers := map[string]acmez.Solver{}
	if m.opts.HTTP01 {
		solvers[acme.ChallengeTypeHTTP01] = m.challenges
	}
	if m.opts.TLSALPN01 {
		solvers[acme.ChallengeTypeTLSALPN01] = m.challenges
	}
	if m.opts.DNS01 != nil {
		solvers[acme.ChallengeTypeDNS01] = &dnsSolver{conf: m.opts.DNS01, net: m.opts.Net, log: m.log}
	}
	return &acmez.Client{
		Client: &acme.Client{
			Directory: m.opts.Directory,
			HTTPClient: &http.Client{
				Transport: &visitor{visit: v, next: m.transport},
				Timeout:   requestTime,
			},
			UserAgent: "cairn",
			Logger:    quiet(m.log),
		},
		ChallengeSolvers: solvers,
	}
}

// newTransport reaches the authority.
func newTransport(o Options) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return o.Net.Dial(ctx, network, address)
		},
		TLSClientConfig:     certs.ClientConfig(o.Roots),
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 30 * time.Second,
		IdleConnTimeout:     time.Minute,
	}
}

// visitor makes the requests of a visit.
type visitor struct {
	visit *visit
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *visitor) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" { // RFC 8555 §6.1; also of what the directory and redirects name
		return nil, fmt.Errorf("ACME request to %s://%s: https is needed", req.URL.Scheme, req.URL.Host)
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	t.visit.note(resp)
	resp.Body = &body{ReadCloser: resp.Body, visit: t.visit}
	return resp, nil
}

// note remembers when the authority wants to be asked again.
func (v *visit) note(resp *http.Response) {
	if resp.StatusCode < 400 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.notBefore = retryAfter(resp.Header.Get("Retry-After"), time.Now())
}

// retryAfter reads the header (RFC 9110 §10.2.3), and takes a week for the most
// that can be meant.
func retryAfter(value string, now time.Time) time.Time {
	t, err := http.ParseTime(value)
	if err != nil {
		seconds, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return time.Time{}
		}
		t = now.Add(time.Duration(seconds) * time.Second)
	}
	if week := now.Add(7 * 24 * time.Hour); t.After(week) {
		return week
	}
	return t
}

// body counts what is read.
type body struct {
	io.ReadCloser
	visit *visit
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.visit.mu.Lock()
	defer b.visit.mu.Unlock()
	if b.visit.read += int64(n); b.visit.read > maxVisit {
		return 0, errTooMuch
	}
	return n, err
}
