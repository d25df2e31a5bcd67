package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cairn/libos"
	"cairn/net/certs"
)

// A lab is a small world: names, an authority, and one machine that all names
// lead to, with a port for HTTP and one for HTTPS.
type lab struct {
	t       testing.TB
	dns     *dnsServer
	pebble  *pebble
	plain   net.Listener
	secure  net.Listener
	own     *certs.Authority
	storage *Memory

	http atomic.Pointer[Manager] // who answers on port 80
	tls  atomic.Pointer[Manager] // and on port 443
}

// newLab makes a world whose certificates live for life. Its authority is started.
func newLab(t testing.TB, life time.Duration) *lab {
	t.Helper()
	dns := newDNS(t)
	l := newLabAt(t, life, dns.address)
	l.dns = dns
	return l
}

// newLabAt is newLab with names as the DNS server at an address knows them.
func newLabAt(t testing.TB, life time.Duration, dns string) *lab {
	t.Helper()
	l := &lab{t: t, storage: &Memory{}}
	l.plain, l.secure = listen(t), listen(t)
	own, err := certs.FromSeed([32]byte{2}, "example.org")
	if err != nil {
		t.Fatal(err)
	}
	l.own = own
	l.serve()
	l.pebble = newPebble(t, dns, port(t, l.plain.Addr().String()), port(t, l.secure.Addr().String()), life)
	l.pebble.start()
	return l
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve runs both servers.
func (l *lab) serve() {
	plain := &http.Server{ErrorLog: noLog(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m := l.http.Load(); m != nil {
			m.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
		}
	})}
	secure := &http.Server{
		ErrorLog:  noLog(),
		TLSConfig: certs.Config(behind{l}, "h2", "http/1.1"),
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }),
	}
	done := make(chan error, 2)
	go func() { done <- plain.Serve(l.plain) }()
	go func() { done <- secure.ServeTLS(l.secure, "", "") }()
	l.t.Cleanup(func() {
		plain.Close()
		secure.Close()
		<-done
		<-done
	})
}

// behind is the source that is on port 443 now.
type behind struct{ l *lab }

func (b behind) chain() certs.Chain {
	if m := b.l.tls.Load(); m != nil {
		return certs.Chain{m, b.l.own}
	}
	return certs.Chain{b.l.own}
}

func (b behind) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return b.chain().GetCertificate(hello)
}

func (b behind) Challenges() []string { return b.chain().Challenges() }

// manager returns a Manager for the lab's authority and storage, with a quick
// pace, that answers on both ports.
func (l *lab) manager(edit func(*Options)) *Manager {
	l.t.Helper()
	opts := Options{
		Net:       loopbackNet{},
		Directory: l.pebble.directory(),
		Roots:     l.pebble.frontRoots(),
		Email:     "alice@example.org",
		Names:     []string{"example.org"},
		Storage:   l.storage,
		HTTP01:    true,
		TLSALPN01: true,
		Log:       testLog(l.t),
	}
	if edit != nil {
		edit(&opts)
	}
	m, err := New(l.t.Context(), opts)
	if err != nil {
		l.t.Fatal(err)
	}
	m.pace = pace{look: 100 * time.Millisecond, refused: 300 * time.Millisecond, seldom: time.Second, failed: 50 * time.Millisecond, often: 100 * time.Millisecond}
	m.locks.look = 10 * time.Millisecond
	l.http.Store(m)
	l.tls.Store(m)
	return m
}

// run runs m until the test ends, or stop is called.
func (l *lab) run(m *Manager) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); m.Run(ctx) }()
	stop = func() { cancel(); <-done }
	l.t.Cleanup(stop)
	return stop
}

// await waits until all of m's names have a certificate.
func (l *lab) await(m *Manager) {
	l.t.Helper()
	eventually(l.t, "all names have a certificate", func() bool {
		for _, s := range m.Status() {
			if s.NotAfter.IsZero() {
				return false
			}
		}
		return true
	})
}

// leaf returns the certificate that a client sees that asks for name, trusting
// roots; nil for all. The life of the certificate is not looked at.
func (l *lab) leaf(name string, roots *x509.CertPool) *x509.Certificate {
	l.t.Helper()
	leaf, err := l.tryLeaf(name, roots)
	if err != nil {
		l.t.Fatalf("connect to %s: %v", name, err)
	}
	return leaf
}

// tryLeaf is leaf for a certificate that roots may not lead to.
func (l *lab) tryLeaf(name string, roots *x509.CertPool) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", l.secure.Addr().String(), &tls.Config{
		ServerName:         name,
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			leaf := s.PeerCertificates[0]
			between := x509.NewCertPool()
			for _, c := range s.PeerCertificates[1:] {
				between.AddCert(c)
			}
			if roots == nil {
				return nil
			}
			_, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: between, CurrentTime: leaf.NotBefore})
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// leftovers are the files of challenges and locks.
func (l *lab) leftovers() []string {
	l.storage.mu.Lock()
	defer l.storage.mu.Unlock()
	var keys []string
	for k := range l.storage.files {
		if strings.HasPrefix(k, "challenge/") || strings.HasPrefix(k, "lock/") {
			keys = append(keys, k)
		}
	}
	return keys
}

// loopbackNet is the host's network, for dialling only.
type loopbackNet struct{ libos.Net }

func (loopbackNet) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// testLog shows what was logged when the test fails.
func testLog(t testing.TB) *slog.Logger {
	out := &output{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", out)
		}
	})
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
