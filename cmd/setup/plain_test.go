package setup

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"cairn/net/host"
)

// TestPlainTransport: no authorities are read for http, and those who vouch for a host that http leads to are
// asked for.
func TestPlainTransport(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	stranger := httptest.NewTLSServer(answer)
	defer stranger.Close()
	plain := httptest.NewServer(answer)
	defer plain.Close()
	leading := httptest.NewServer(http.RedirectHandler(stranger.URL, http.StatusFound))
	defer leading.Close()

	transport := newPlainTransport(host.New(host.Options{}))
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport}
	resp, err := client.Get(plain.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if transport.secure != nil {
		t.Error("there is a transport over TLS that nobody has asked for")
	}
	resp, err = client.Get(leading.URL)
	if err == nil {
		resp.Body.Close()
	}
	if unknown := (x509.UnknownAuthorityError{}); !errors.As(err, &unknown) {
		t.Errorf("got %v, want that nobody vouches for the host", err)
	}
}
