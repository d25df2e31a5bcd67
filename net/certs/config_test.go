package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// shake has a client connect to a server, and returns what they agreed on. The
// client reads a byte, so that it has a ticket when it returns.
func shake(server, client *tls.Config) (tls.ConnectionState, error) {
	s, c := net.Pipe()
	defer s.Close()
	defer c.Close()
	failed := make(chan error, 1)
	go func() {
		conn := tls.Server(s, server)
		_, err := conn.Write([]byte{1})
		failed <- err
		if err != nil {
			s.Close()
		}
	}()
	conn := tls.Client(c, client)
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		c.Close()
		return tls.ConnectionState{}, errors.Join(err, <-failed)
	}
	return conn.ConnectionState(), <-failed
}

func TestFloors(t *testing.T) {
	own := authority(t, seed, "example.org")
	server := Config(own, "h2", "http/1.1")
	roots := x509.NewCertPool()
	roots.AddCert(own.Root())
	state, err := shake(server, &tls.Config{RootCAs: roots, ServerName: "example.org", NextProtos: []string{"http/1.1", "h2"}})
	if err != nil || state.Version != tls.VersionTLS13 || state.NegotiatedProtocol != "h2" || state.CurveID != tls.X25519MLKEM768 {
		t.Errorf("a client of today: got version %x, %q, %v, %v", state.Version, state.NegotiatedProtocol, state.CurveID, err)
	}
	for what, edit := range map[string]func(*tls.Config){
		"TLS 1.1":         func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS11, tls.VersionTLS11 },
		"CBC":             func(c *tls.Config) { c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA} },
		"P-384 alone":     func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP384} },
		"another one's":   func(c *tls.Config) { c.RootCAs = x509.NewCertPool() },
		"unknown to us":   func(c *tls.Config) { c.ServerName = "example.net" },
		"protocol of old": func(c *tls.Config) { c.NextProtos = []string{"spdy/3"} },
	} {
		client := &tls.Config{RootCAs: roots, ServerName: "example.org", MaxVersion: tls.VersionTLS12}
		if _, err := shake(server, client); err != nil {
			t.Fatalf("TLS 1.2: %v", err)
		}
		edit(client)
		if _, err := shake(server, client); err == nil {
			t.Errorf("%s: got no error", what)
		}
	}
	for _, suite := range tls.CipherSuites() {
		client := ClientConfig(roots)
		client.ServerName, client.MaxVersion, client.CipherSuites = "example.org", tls.VersionTLS12, []uint16{suite.ID}
		if state, err := shake(server, client); err == nil && !slices.Contains(floors().CipherSuites, state.CipherSuite) {
			t.Errorf("agreed on %s", suite.Name)
		}
	}
}

// Who gives no name, or an unknown one, gets the first certificate.
func TestDefault(t *testing.T) {
	first, second := authority(t, [32]byte{1}, "example.org"), authority(t, [32]byte{2}, "example.net")
	server := Config(Chain{first, second})
	for name, want := range map[string]*Authority{"": first, "example.org": first, "example.net": second, "example.com": first} {
		state, err := shake(server, &tls.Config{InsecureSkipVerify: true, ServerName: name})
		if err != nil {
			t.Fatal(err)
		}
		if got := state.PeerCertificates[0]; !got.Equal(want.Leaf()) {
			t.Errorf("%q: got a certificate for %v, want %v", name, got.DNSNames, want.Leaf().DNSNames)
		}
	}
	if _, err := shake(Config(Chain{}), &tls.Config{InsecureSkipVerify: true}); err == nil {
		t.Error("no certificate at all: got no error")
	}
}

// failing is a source that cannot tell.
type failing struct{ err error }

func (f failing) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, f.err }

func TestChain(t *testing.T) {
	own := authority(t, seed, "example.org")
	broken := failing{errors.New("broken")}
	hello := &tls.ClientHelloInfo{ServerName: "example.org"}
	if cert, err := (Chain{broken, own}).GetCertificate(hello); err != nil || cert.Leaf != own.Leaf() {
		t.Errorf("a source that fails: got %v, want the next one's", err)
	}
	hello.ServerName = "example.net"
	if _, err := (Chain{own, broken, own}).GetCertificate(hello); !errors.Is(err, broken.err) {
		t.Errorf("none has it: got %v, want %v", err, broken.err)
	}
}

// prover answers the challenge "prove/1" for example.org.
type prover struct{ *Authority }

func (p prover) Challenges() []string { return []string{"prove/1"} }

// Only a client that offers nothing but a challenge is answered as one.
func TestChallenge(t *testing.T) {
	p := prover{authority(t, seed, "example.org")}
	server := Config(Chain{authority(t, [32]byte{2}, "example.org"), p}, "h2")
	for _, c := range []struct {
		offer []string
		want  string
	}{
		{[]string{"prove/1"}, "prove/1"},
		{[]string{"h2"}, "h2"},
		{[]string{"prove/1", "h2"}, "h2"},
		{nil, ""},
	} {
		state, err := shake(server, &tls.Config{InsecureSkipVerify: true, ServerName: "example.org", NextProtos: c.offer})
		if err != nil || state.NegotiatedProtocol != c.want {
			t.Errorf("offer %v: got %q, %v, want %q", c.offer, state.NegotiatedProtocol, err, c.want)
		}
	}
	if _, err := shake(Config(p.Authority, "h2"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"prove/1"}}); err == nil {
		t.Error("a source without challenges answers one")
	}
}

// A session that one replica began is resumed by another, for a week.
func TestTickets(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(validFrom.AddDate(6, 0, 0)))
				own := authority(t, seed, "example.org")
				replica := func(seed [32]byte) *tls.Config {
					c := Config(own)
					ShareTickets(c, seed)
					return c.Clone() // as net/http does
				}
				a, b, stranger := replica(seed), replica(seed), replica([32]byte{7})
				resumed := func(server *tls.Config, cache tls.ClientSessionCache) bool {
					roots := x509.NewCertPool()
					roots.AddCert(own.Root())
					state, err := shake(server, &tls.Config{RootCAs: roots, ServerName: "example.org", MaxVersion: version, ClientSessionCache: cache})
					if err != nil {
						t.Fatal(err)
					}
					return state.DidResume
				}
				for _, c := range []struct {
					server *tls.Config
					after  time.Duration
					want   bool
				}{
					{a, 0, true}, {b, 0, true}, {b, 25 * time.Hour, true}, {b, 5 * 24 * time.Hour, true},
					{b, 9 * 24 * time.Hour, false}, {stranger, 0, false},
				} {
					cache := tls.NewLRUClientSessionCache(1)
					if resumed(a, cache) {
						t.Error("the first session was resumed")
					}
					time.Sleep(c.after)
					if got := resumed(c.server, cache); got != c.want {
						t.Errorf("after %v: resumed %v, want %v", c.after, got, c.want)
					}
				}
			})
		})
	}
}

func ExampleFingerprint() {
	own, err := FromSeed([32]byte{1}, "example.org", "localhost", "127.0.0.1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("Until there is a certificate, its fingerprint is", Fingerprint(own.Leaf())[:11]+"…")
}
