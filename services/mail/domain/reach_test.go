package domain

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// serve runs a server of mail that calls itself by a name, with a certificate for another unless
// that is empty, and returns what dials it and a client that trusts it.
func serve(t *testing.T, name, certified string) (dial func(context.Context, string, string) (net.Conn, error), client *http.Client) {
	t.Helper()
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return nil, errors.New("no") }))
	s.Domain, s.ErrorLog = name, log.New(io.Discard, "", 0)
	pool := x509.NewCertPool()
	if certified != "" {
		cert := certificate(t, certified)
		pool.AddCert(cert.Leaf)
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	s.Backend = smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return noSession{}, nil })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
		}, &http.Client{
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}},
		}
}

type noSession struct{ smtp.Session }

func (noSession) Reset()        {}
func (noSession) Logout() error { return nil }

func certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestInward(t *testing.T) {
	for _, c := range []struct {
		name, certified string
		want            State
		words           string
	}{
		{"mail.example.org", "mail.example.org", OK, "encrypted"},
		{"mail.example.org", "other.example.org", Wrong, "certificate"},
		{"mail.example.org", "", Wrong, "--acme"},
		{"other.example.org", "mail.example.org", Wrong, "calls itself"},
	} {
		check := &Checker{}
		check.Dial, check.Client = serve(t, c.name, c.certified)
		f := check.inward(t.Context(), &example)[0]
		if f.State != c.want || !strings.Contains(f.Words, c.words) {
			t.Errorf("%s with a certificate for %q: %v, %s", c.name, c.certified, f.State, f.Words)
		}
	}
}

func TestOutward(t *testing.T) {
	check := &Checker{Outward: "mx.example:25"}
	check.Dial, _ = serve(t, "mx.example", "")
	if f := check.outward(t.Context(), &example)[0]; f.State != OK {
		t.Errorf("open: %v, %s", f.State, f.Words)
	}
	check.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") }
	if f := check.outward(t.Context(), &example)[0]; f.State != Missing || !strings.Contains(f.Words, "smarthost") {
		t.Errorf("blocked: %v, %s", f.State, f.Words)
	}
	if f := check.inward(t.Context(), &example)[0]; f.State != Missing || !strings.Contains(f.Words, "firewall") {
		t.Errorf("blocked: %v, %s", f.State, f.Words)
	}
}

// TestCheck: all of it at once, in a world where nothing is.
func TestCheck(t *testing.T) {
	check := &Checker{
		Query:   query(nil),
		Dial:    func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") },
		Client:  &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }}},
		Outward: DefaultOutward, Lists: DefaultLists,
	}
	states := map[State]int{}
	for f := range check.Check(t.Context(), &example) {
		states[f.State]++
		if f.State != OK && f.Words == "" {
			t.Errorf("%s: no words", f.What)
		}
	}
	if states[OK] > 0 || states[Missing] < len(example.Records()) {
		t.Errorf("got %v", states)
	}
}
