package setup

import (
	"net/http"
	"sync"

	"cairn/libos"
	"cairn/net/certs"
)

// A plainTransport carries HTTP to hosts whose URL asks for no TLS. Some lead to https from
// there; only then are the authorities read that vouch for such hosts: they are more than a hundred
// certificates, which takes a good part of the time in which a small machine starts.
type plainTransport struct {
	*http.Transport
	net libos.Net

	mu     sync.Mutex
	secure *http.Transport // nil: nobody has led there
}

func newPlainTransport(n libos.Net) *plainTransport {
	plain := Transport(n, nil)
	plain.ForceAttemptHTTP2 = false // which begins with TLS
	return &plainTransport{Transport: plain, net: n}
}

// RoundTrip is that of http.RoundTripper.
func (t *plainTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return t.overTLS().RoundTrip(r)
	}
	return t.Transport.RoundTrip(r)
}

func (t *plainTransport) overTLS() *http.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.secure == nil {
		t.secure = Transport(t.net, certs.ClientConfig(nil))
	}
	return t.secure
}

// CloseIdleConnections closes those of both kinds.
func (t *plainTransport) CloseIdleConnections() {
	t.Transport.CloseIdleConnections()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.secure != nil {
		t.secure.CloseIdleConnections()
	}
}
