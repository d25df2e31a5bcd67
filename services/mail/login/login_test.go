package login

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"cairn/services/accounts"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"
)

var (
	loopback = Conn{Remote: netip.MustParseAddr("127.0.0.1")}
	outside  = Conn{Remote: netip.MustParseAddr("192.0.2.1")}
)

// open returns a Login with alice, who has two app passwords and a chosen one, and bob, who has a chosen one.
func open(t *testing.T) (l *Login, laptop, phone string) {
	t.Helper()
	ctx := context.Background()
	people := accounts.New(store.New(mem.New(), store.Options{}).Branch("accounts"))
	for _, name := range []string{"alice", "bob"} {
		check(t, people.Add(ctx, object.Signature{}, name, "chosen password", true))
	}
	check(t, people.AddAddress(ctx, object.Signature{}, "alice", "alice@example.org"))
	laptop, err := people.NewAppPassword(ctx, object.Signature{}, "alice", "laptop")
	check(t, err)
	phone, err = people.NewAppPassword(ctx, object.Signature{}, "alice", "phone")
	check(t, err)
	return &Login{Accounts: people}, laptop, phone
}

// converse lets a client talk to a server and returns who has logged in.
func converse(t *testing.T, l *Login, mechanism string, c Conn, client func(challenge []byte) ([]byte, error), initial []byte) (*accounts.User, error) {
	t.Helper()
	var user *accounts.User
	server, err := l.Server(context.Background(), mechanism, c, func(u *accounts.User) error { user = u; return nil })
	if err != nil {
		return nil, err
	}
	response := initial
	for range 10 {
		challenge, done, err := server.Next(response)
		if err != nil {
			if user != nil {
				t.Errorf("%s: somebody is in, and there is an error: %v", mechanism, err)
			}
			return nil, err
		}
		if done {
			return user, nil
		}
		if response, err = client(challenge); err != nil {
			return nil, err
		}
	}
	t.Fatal("no end of it")
	return nil, nil
}

// proveBy is a client of SCRAM-SHA-256.
func proveBy(t *testing.T, user, password, identity string, binding *scram.ChannelBinding) func([]byte) ([]byte, error) {
	t.Helper()
	client, err := scram.SHA256.NewClient(user, password, identity)
	check(t, err)
	talk := client.NewConversation()
	if binding != nil {
		talk = client.NewConversationWithChannelBinding(*binding)
	}
	return func(challenge []byte) ([]byte, error) {
		answer, err := talk.Step(string(challenge))
		if talk.Done() && err == nil && !talk.Valid() {
			err = errors.New("the server has not proved to know the password")
		}
		return []byte(answer), err
	}
}

func TestMechanisms(t *testing.T) {
	l, laptop, phone := open(t)
	for _, c := range []struct {
		name, user, password, identity string
		want                           error
		scram                          bool // can do it, too
	}{
		{"the first app password", "alice", laptop, "", nil, true},
		{"the second one", "alice", phone, "", nil, true},
		{"by address", "Alice@Example.org", phone, "", nil, true},
		{"as herself", "alice", phone, "alice@example.org", nil, true},
		{"as somebody else", "alice", phone, "bob", ErrAuthorization, true},
		{"chosen", "bob", "chosen password", "", nil, false},
		{"wrong", "alice", "wrong password", "", accounts.ErrBadCredentials, true},
		{"nobody", "carol", laptop, "", accounts.ErrBadCredentials, true},
		{"somebody without an app password", "bob", laptop, "", accounts.ErrBadCredentials, true},
		{"no password", "alice", "", "", accounts.ErrBadCredentials, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			judge := func(mechanism string, u *accounts.User, err error) {
				if !errors.Is(err, c.want) || (u == nil) != (c.want != nil) {
					t.Errorf("%s: got %v, %v; want error %v", mechanism, u, err, c.want)
				}
			}
			plain := []byte(c.identity + "\x00" + c.user + "\x00" + c.password)
			u, err := converse(t, l, "PLAIN", loopback, nil, plain)
			judge("PLAIN", u, err)
			if c.identity == "" {
				answers := [][]byte{[]byte(c.user), []byte(c.password)}
				u, err = converse(t, l, "LOGIN", loopback, func([]byte) ([]byte, error) {
					a := answers[0]
					answers = answers[1:]
					return a, nil
				}, nil)
				judge("LOGIN", u, err)
			}
			if c.scram {
				u, err = converse(t, l, "SCRAM-SHA-256", loopback, proveBy(t, c.user, c.password, c.identity, nil), nil)
				judge("SCRAM-SHA-256", u, err)
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	l, _, _ := open(t)
	secure := outside
	secure.TLS = &tls.ConnectionState{Version: tls.VersionTLS12}
	modern := outside
	modern.TLS = &tls.ConnectionState{Version: tls.VersionTLS13}
	for _, c := range []struct {
		name string
		conn Conn
		want []string
	}{
		{"in the clear", outside, nil},
		{"on this machine", loopback, []string{"SCRAM-SHA-256", "PLAIN", "LOGIN"}},
		{"under TLS 1.2", secure, []string{"SCRAM-SHA-256", "PLAIN", "LOGIN"}},
		{"under TLS 1.3", modern, []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"}},
	} {
		if got := l.Mechanisms(c.conn); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	for mechanism, want := range map[string]error{"PLAIN": ErrTLS, "SCRAM-SHA-256": ErrTLS, "ANONYMOUS": ErrTLS} {
		if _, err := l.Server(context.Background(), mechanism, outside, nil); !errors.Is(err, want) {
			t.Errorf("%s in the clear: got %v, want %v", mechanism, err, want)
		}
	}
	for _, mechanism := range []string{"ANONYMOUS", "SCRAM-SHA-256-PLUS", ""} {
		if _, err := l.Server(context.Background(), mechanism, loopback, nil); !errors.Is(err, ErrMechanism) {
			t.Errorf("%s: got %v, want %v", mechanism, err, ErrMechanism)
		}
	}
}

// TestBinding logs in bound to a connection, to another one, and with the offer of it hidden.
func TestBinding(t *testing.T) {
	l, laptop, _ := open(t)
	client, server := handshake(t)
	_, other := handshake(t)
	binding, err := scram.NewTLSExporterBinding(&client)
	check(t, err)
	here, there := outside, outside
	here.TLS, there.TLS = &server, &other
	u, err := converse(t, l, "SCRAM-SHA-256-PLUS", here, proveBy(t, "alice", laptop, "", &binding), nil)
	if err != nil || u.Name != "alice" {
		t.Fatalf("bound: got %v, %v; want alice", u, err)
	}
	if u, err := converse(t, l, "SCRAM-SHA-256-PLUS", there, proveBy(t, "alice", laptop, "", &binding), nil); err == nil {
		t.Errorf("bound to another connection: got %v, want an error", u)
	}
	if u, err := converse(t, l, "SCRAM-SHA-256-PLUS", here, proveBy(t, "alice", laptop, "", nil), nil); err == nil {
		t.Errorf("not bound: got %v, want an error", u)
	}
	// Somebody in between has taken PLUS out of the offer: the client says that it could (RFC 5802 §6).
	c, err := scram.SHA256.NewClient("alice", laptop, "")
	check(t, err)
	talk := c.NewConversationAdvertisingChannelBinding()
	step := func(challenge []byte) ([]byte, error) {
		s, err := talk.Step(string(challenge))
		return []byte(s), err
	}
	if u, err := converse(t, l, "SCRAM-SHA-256", here, step, nil); !errors.Is(err, ErrProtocol) {
		t.Errorf("with the offer hidden: got %v, %v; want %v", u, err, ErrProtocol)
	}
}

// handshake returns what both sides of a TLS connection know.
func handshake(t *testing.T) (client, server tls.ConnectionState) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	s := tls.Server(a, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, SessionTicketsDisabled: true})
	c := tls.Client(b, &tls.Config{InsecureSkipVerify: true})
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	check(t, c.Handshake())
	check(t, <-done)
	return c.ConnectionState(), s.ConnectionState()
}

func TestGuessing(t *testing.T) {
	l, laptop, _ := open(t)
	conn := outside
	conn.TLS = &tls.ConnectionState{Version: tls.VersionTLS12}
	var rate *accounts.RateError
	for i := 0; ; i++ {
		if i > 50 {
			t.Fatal("guessing is never stopped")
		}
		_, err := converse(t, l, "SCRAM-SHA-256", conn, proveBy(t, "alice", "guess", "", nil), nil)
		if errors.As(err, &rate) {
			break
		}
		if !errors.Is(err, accounts.ErrBadCredentials) {
			t.Fatalf("got %v, want %v", err, accounts.ErrBadCredentials)
		}
	}
	if _, err := converse(t, l, "PLAIN", conn, nil, []byte("\x00alice\x00"+laptop)); !errors.As(err, &rate) {
		t.Errorf("PLAIN after guessing by SCRAM: got %v, want a RateError", err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzServer(f *testing.F) {
	f.Add("PLAIN", []byte("\x00alice\x00secret"), []byte(nil))
	f.Add("LOGIN", []byte("alice"), []byte("secret"))
	f.Add("SCRAM-SHA-256", []byte("n,,n=alice,r=abc"), []byte("c=biws,r=abc,p=AAAA"))
	f.Add("SCRAM-SHA-256", []byte("y,a=bob,n==2C,r=abc,m=x"), []byte("e"))
	l := &Login{Accounts: accounts.New(store.New(mem.New(), store.Options{}).Branch("accounts"))}
	f.Fuzz(func(t *testing.T, mechanism string, first, second []byte) {
		s, err := l.Server(context.Background(), mechanism, loopback, func(u *accounts.User) error {
			t.Errorf("%v is in", u)
			return nil
		})
		if err != nil {
			return
		}
		for _, response := range [][]byte{nil, first, second, second} {
			if _, done, err := s.Next(response); done && err == nil {
				t.Error("somebody is in")
			}
		}
	})
}

var _ sasl.Server = (*loginServer)(nil)
