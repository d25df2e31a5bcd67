package acme

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"io"
	"log"
	"net"
	"testing"
	"time"

	"cairn/net/certs"
)

func noLog() *log.Logger { return log.New(io.Discard, "", 0) }

const days = 24 * time.Hour

// Each way of showing that a name leads here, alone.
func TestChallenges(t *testing.T) {
	t.Parallel()
	for kind, edit := range map[string]func(*Options, *lab){
		"http-01":     func(o *Options, _ *lab) { o.TLSALPN01 = false },
		"tls-alpn-01": func(o *Options, _ *lab) { o.HTTP01 = false },
		"dns-01": func(o *Options, l *lab) {
			o.HTTP01, o.TLSALPN01 = false, false
			o.DNS01 = &DNS01{Server: l.dns.address, Key: keyName, Secret: keySecret}
			o.Names = []string{"*.example.org", "example.org"}
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, 90*days)
			m := l.manager(func(o *Options) { edit(o, l) })
			if got := l.leaf("example.org", nil); !got.Equal(l.own.Leaf()) {
				t.Errorf("before there is a certificate: got one of %v, want our own", got.Issuer)
			}
			stop := l.run(m)
			l.await(m)
			l.leaf("example.org", l.pebble.roots())
			if m.opts.Names[0] == "*.example.org" {
				l.leaf("www.example.org", l.pebble.roots())
				if l.dns.most == 0 || len(l.dns.records) != 0 {
					t.Errorf("TXT records: at most %d, %d left, want more and none", l.dns.most, len(l.dns.records))
				}
			}
			stop()
			if left := l.leftovers(); left != nil {
				t.Errorf("left in the storage: %v", left)
			}
		})
	}
}

// A name that cannot be had keeps no other waiting, and says why.
func TestSeveralNames(t *testing.T) {
	t.Parallel()
	l := newLab(t, 90*days)
	m := l.manager(func(o *Options) {
		o.Names = []string{"example.org", "www.example.org", "blocked.test", "here.nowhere.test", "lists.example.org"}
		o.Key = func(name string) (*ecdsa.PrivateKey, error) { return certs.NameKey([32]byte{7}, name) }
	})
	l.run(m)
	var bad []Status
	eventually(t, "three certificates and two failures", func() bool {
		bad = nil
		good := 0
		for _, s := range m.Status() {
			if !s.NotAfter.IsZero() {
				good++
			} else if s.Err != nil {
				bad = append(bad, s)
			}
		}
		return good == 3 && len(bad) == 2
	})
	for _, s := range bad {
		if e, ok := errors.AsType[*Error](s.Err); !ok || !e.Refused || e.Advice == "" || e.Name != s.Name {
			t.Errorf("%s: got %v, want a refusal with advice", s.Name, s.Err)
		}
	}
	for _, name := range []string{"example.org", "www.example.org", "lists.example.org"} {
		key, err := certs.NameKey([32]byte{7}, name)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.leaf(name, l.pebble.roots()); !key.PublicKey.Equal(got.PublicKey) {
			t.Errorf("%s: the certificate is for another key than Options.Key says", name)
		}
	}
	if err := m.SetNames("new.example.org", "www.example.org"); err != nil {
		t.Fatal(err)
	}
	l.await(m)
	l.leaf("new.example.org", l.pebble.roots())
	if got := l.leaf("example.org", nil); !got.Equal(l.own.Leaf()) {
		t.Errorf("a name that was removed: got a certificate for %v, want our own", got.DNSNames)
	}
}

// What is in the storage is served without asking anybody.
func TestRestart(t *testing.T) {
	t.Parallel()
	l := newLab(t, 90*days)
	m := l.manager(nil)
	stop := l.run(m)
	l.await(m)
	want := l.leaf("example.org", l.pebble.roots())
	stop()
	l.pebble.stop()
	m = l.manager(func(o *Options) { o.Net = noNet{t: t} })
	if got := l.leaf("example.org", nil); !got.Equal(want) {
		t.Errorf("after a restart: got another certificate")
	}
	l.run(m)
	eventually(t, "it was looked at", func() bool { return !m.Status()[0].Next.IsZero() })
	if s := m.Status()[0]; s.Err != nil {
		t.Errorf("after a restart: %v", s.Err)
	}
}

// noNet must not be used.
type noNet struct {
	loopbackNet
	t testing.TB
}

func (n noNet) Dial(_ context.Context, _, address string) (net.Conn, error) {
	n.t.Errorf("dial %s", address)
	return nil, net.ErrClosed
}
