package queue

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
	"math/big"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// testCA is an authority for tests.
var testCA = sync.OnceValue(func() *ca {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &ca{key: key, template: template("test authority")}
	c.template.IsCA, c.template.BasicConstraintsValid = true, true
	der, err := x509.CreateCertificate(rand.Reader, c.template, c.template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	c.pool = x509.NewCertPool()
	c.pool.AddCert(cert)
	return c
})

type ca struct {
	key      *ecdsa.PrivateKey
	template *x509.Certificate
	pool     *x509.CertPool
}

// template is valid in the time of synctest, too, which begins in 2000.
func template(names ...string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (c *ca) config(t testing.TB, names ...string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template(names...), c.template, &key.PublicKey, c.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// policies is an http.RoundTripper that has MTA-STS policies.
type policies struct {
	mu      sync.Mutex
	texts   map[string]string // by host
	fetched int
}

func (p *policies) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fetched++
	text, ok := p.texts[r.URL.Host]
	if !ok || r.URL.Scheme != "https" || r.URL.Path != "/.well-known/mta-sts.txt" {
		return nil, errors.New("connection refused")
	}
	code := 200
	header := http.Header{"Content-Type": {"text/plain; charset=utf-8"}}
	if strings.HasPrefix(text, "redirect") {
		code, header = 302, http.Header{"Location": {"https://elsewhere.test/"}}
	}
	return &http.Response{StatusCode: code, Header: header, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

const enforced = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.test\r\nmx: *.wild.test\r\nmax_age: 604800\r\n"

// TestTLS: what a connection must have, by what the recipients' domain and the sender ask for.
func TestTLS(t *testing.T) {
	tested := strings.Replace(enforced, "enforce", "testing", 1)
	others := strings.Replace(enforced, "mx.example.test", "mx.other.test", 1)
	for _, test := range []struct {
		name    string
		cert    string // the name in it; "" for no TLS, "broken" for a handshake that fails
		policy  string
		require bool // REQUIRETLS
		sent    bool
		tls     bool
		answer  string
	}{
		{"none offered", "", "", false, true, false, ""},
		{"a good certificate", "mx.example.test", "", false, true, true, ""},
		{"any certificate", "mx.other.test", "", false, true, true, ""},
		{"one that fails", "broken", "", false, true, false, ""},
		{"enforced", "mx.example.test", enforced, false, true, true, ""},
		{"enforced, another name", "mx.other.test", enforced, false, false, false, "MTA-STS"},
		{"enforced, none offered", "", enforced, false, false, false, "it does not offer TLS"},
		{"enforced, one that fails", "broken", enforced, false, false, false, "MTA-STS"},
		{"enforced for other hosts", "mx.example.test", others, false, false, false, "none of the hosts"},
		{"tested, another name", "mx.other.test", tested, false, true, true, ""},
		{"tested for other hosts", "mx.example.test", strings.Replace(others, "enforce", "testing", 1), false, true, true, ""},
		{"a policy that is none", "mx.other.test", "hello", false, true, true, ""},
		{"a policy elsewhere", "mx.other.test", "redirect", false, true, true, ""},
		{"required by the sender", "mx.example.test", enforced, true, true, true, ""},
		{"required by the sender, not by the domain", "mx.example.test", "", true, false, false, "RFC 8689"},
		{"required by the sender, none offered", "", "", true, false, false, "RFC 8689"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
				switch test.cert {
				case "":
				case "broken":
					b.tls = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("broken") }}
				default:
					b.tls = testCA().config(t, test.cert)
				}
				w.serve(t, "example.test", "192.0.2.1", b)
				web := &policies{texts: map[string]string{}}
				if test.policy != "" {
					w.txt["_mta-sts.example.test"] = []string{"v=STSv1; id=1;"}
					web.texts["mta-sts.example.test"] = test.policy
				}
				h.o.HTTP, h.o.Roots = &http.Client{Transport: web}, testCA().pool
				h.open()
				h.start()
				m := letter("bob@example.test")
				m.RequireTLS = test.require
				h.put(m)
				time.Sleep(20 * time.Second)
				got := b.all()
				if test.sent {
					if len(got) != 1 || got[0].TLS != test.tls || got[0].Options.RequireTLS != test.require {
						t.Errorf("got %+v, want one with TLS %v", got, test.tls)
					}
					return
				}
				answer := ""
				if all := h.list(); len(all) == 1 {
					answer = all[0].To[0].Answer
				} else if mail := h.mail(); len(mail) == 1 {
					answer = mail[0].Data
				}
				if len(got) != 0 || !strings.Contains(answer, test.answer) {
					t.Errorf("got %+v and the answer %q, want %q", got, answer, test.answer)
				}
			})
		})
	}
}

// TestPolicyRemembered: a policy holds as long as it says, also when the DNS and the web have
// forgotten it, and is fetched once.
func TestPolicyRemembered(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		b.tls = testCA().config(t, "mx.example.test")
		s := w.serve(t, "example.test", "192.0.2.1", b)
		web := &policies{texts: map[string]string{"mta-sts.example.test": enforced}}
		w.txt["_mta-sts.example.test"] = []string{"v=STSv1; id=1;"}
		h.o.HTTP, h.o.Roots = &http.Client{Transport: web}, testCA().pool
		h.open()
		h.start()
		for range 3 {
			h.put(letter("bob@example.test"))
			h.empty()
			time.Sleep(time.Minute)
		}
		if web.fetched != 1 {
			t.Errorf("fetched %d times, want once", web.fetched)
		}
		s.Close()
		b.tls = nil
		w.listen(t, "192.0.2.1:25", b)
		w.mu.Lock()
		delete(w.txt, "_mta-sts.example.test")
		w.mu.Unlock()
		h.put(letter("bob@example.test"))
		time.Sleep(3 * 24 * time.Hour)
		if len(h.list()) == 0 {
			t.Error("sent without TLS while the policy held")
		}
		time.Sleep(5 * 24 * time.Hour)
		h.put(letter("bob@example.test"))
		time.Sleep(time.Minute)
		if n := len(b.all()); n != 4 {
			t.Errorf("got %d messages after the policy's time, want 4", n)
		}
	})
}

// TestRelay: a smarthost gets everything, for all domains over one connection, by TLS that it vouches
// for and after a log-in; else it gets nothing.
func TestRelay(t *testing.T) {
	for _, test := range []struct {
		name     string
		cert     string
		implicit bool
		password string
		answer   string
	}{
		{"STARTTLS", "smart.test", false, "secret", ""},
		{"TLS from the beginning", "smart.test", true, "secret", ""},
		{"another name", "other.test", false, "secret", "the smarthost"},
		{"another name from the beginning", "other.test", true, "secret", "smart.test has no TLS"},
		{"no TLS", "", false, "secret", "it does not offer TLS"},
		{"a wrong password", "smart.test", false, "wrong", "did not let us log in as alice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
				b.login = func(user, password string) error {
					if user != "alice" || password != "secret" {
						return smtp.ErrAuthFailed
					}
					return nil
				}
				w.host("smart.test", "127.0.0.1")
				if test.cert != "" {
					b.tls = testCA().config(t, test.cert)
				}
				if test.implicit {
					config := b.tls
					b.tls = nil
					w.serveTLS(t, "127.0.0.1:465", b, config)
				} else {
					w.listen(t, "127.0.0.1:465", b)
				}
				h.o.Allow = func(netip.Addr) bool { return false } // a smarthost may be anywhere
				h.o.Roots = testCA().pool
				h.o.Relay = func(context.Context, string) (*Relay, error) {
					return &Relay{Host: "smart.test", Port: 465, Implicit: test.implicit, User: "alice", Password: test.password}, nil
				}
				h.open()
				h.start()
				var to []string
				for i := range 250 {
					to = append(to, "bob@d"+string(rune('a'+i%26))+".test", "carol@example.test")
				}
				h.put(letter(to...))
				time.Sleep(30 * time.Second)
				got := b.all()
				if test.answer != "" {
					if all := h.list(); len(got) != 0 || len(all) == 0 || !strings.Contains(all[0].To[0].Answer, "smart.test") {
						t.Errorf("got %+v and %+v", got, all)
					}
					return
				}
				if len(h.list()) != 0 || len(got) != 1 || len(got[0].To) != 27 || !got[0].TLS && !test.implicit || got[0].User != "alice" {
					t.Errorf("got %d, %+v, want one for 27", len(got), got)
				}
			})
		})
	}
}

// serveTLS has a server that speaks TLS from the beginning.
func (w *world) serveTLS(t testing.TB, at string, b *sink, config *tls.Config) {
	s := smtp.NewServer(b)
	s.Domain, s.AllowInsecureAuth, s.ErrorLog = "mx.test", true, quiet{}
	l := tls.NewListener(w.raw(t, at), config)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
}
