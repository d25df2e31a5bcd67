package libostest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// page is what the web server of the tests answers; longer than a buffer.
var page = bytes.Repeat([]byte("All is well. "), 50_000)

// serveHTTP serves page on a listener until the test ends.
func serveHTTP(t *testing.T, l net.Listener) {
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Errorf("read request: %v", err)
			}
			w.Header().Set("X-Proto", r.Proto)
			w.Write(append(body, page...))
		}),
		ErrorLog: log.New(io.Discard, "", 0), // handshakes that a test's end cuts off
	}
	done := make(chan error)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
}

// ask makes several requests at once.
func ask(t *testing.T, transport *http.Transport, url, wantProto string) {
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			resp, err := client.Post(url, "text/plain", bytes.NewReader(page))
			if err != nil {
				t.Errorf("post: %v", err)
				return
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if err != nil || !bytes.Equal(got, append(page[:len(page):len(page)], page...)) {
				t.Errorf("the answer has %d bytes, %v, want %d", len(got), err, 2*len(page))
			}
			if proto := resp.Header.Get("X-Proto"); proto != wantProto {
				t.Errorf("protocol %s, want %s", proto, wantProto)
			}
		})
	}
	wg.Wait()
}

func testHTTP(t *testing.T, s *side) {
	l := s.listen(t)
	serveHTTP(t, l)
	ask(t, &http.Transport{DialContext: s.A.Dial}, "http://"+l.Addr().String()+"/", "HTTP/1.1")
}

// testTLS speaks HTTP/2 over TLS.
func testTLS(t *testing.T, s *side) {
	l := s.listen(t)
	cert, roots := certificate(t, net.IP(s.b.AsSlice()))
	serveHTTP(t, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}}))
	ask(t, &http.Transport{
		DialContext:       s.A.Dial,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: true,
	}, "https://"+l.Addr().String()+"/", "HTTP/2.0")

	c, err := s.A.Dial(s.ctx, "tcp", l.Addr().String())
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	stranger := tls.Client(keep(t, c), &tls.Config{ServerName: s.b.String()})
	if err := stranger.HandshakeContext(s.ctx); !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("handshake with a certificate that nobody vouches for: %v", err)
	}
}

// certificate makes one for an address, and the roots that vouch for it.
func certificate(t *testing.T, ip net.IP) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{ip},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, roots
}
