package queue

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/xdg-go/scram"
)

// scramServer is SCRAM-SHA-256 for alice.
type scramServer struct{ c *scram.ServerConversation }

func newScramServer() (sasl.Server, error) {
	client, err := scram.SHA256.NewClient("alice", "secret", "")
	if err != nil {
		return nil, err
	}
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt", Iters: 4096})
	if err != nil {
		return nil, err
	}
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	if err != nil {
		return nil, err
	}
	return &scramServer{server.NewConversation()}, nil
}

func (s *scramServer) Next(response []byte) ([]byte, bool, error) {
	if s.c.Done() {
		return nil, true, nil
	}
	challenge, err := s.c.Step(string(response))
	return []byte(challenge), false, err
}

// loginServer is LOGIN for alice.
type loginServer struct{ said []string }

func (s *loginServer) Next(response []byte) ([]byte, bool, error) {
	if response != nil {
		s.said = append(s.said, string(response))
	}
	switch len(s.said) {
	case 0:
		return []byte("Username:"), false, nil
	case 1:
		return []byte("Password:"), false, nil
	}
	if strings.Join(s.said, " ") != "alice secret" {
		return nil, false, errors.New("wrong")
	}
	return nil, true, nil
}

// TestMechanisms: each way to log in to a smarthost, with the password and without it.
func TestMechanisms(t *testing.T) {
	for _, m := range []*mechanic{
		{"SCRAM-SHA-256", newScramServer},
		{sasl.Login, func() (sasl.Server, error) { return &loginServer{}, nil }},
		{"GSSAPI", func() (sasl.Server, error) { return nil, smtp.ErrAuthUnknownMechanism }},
	} {
		for _, password := range []string{"secret", "wrong"} {
			t.Run(m.name+" "+password, func(t *testing.T) {
				inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
					b.auth, b.tls = m, testCA().config(t, "smart.test")
					b.login = func(string, string) error { return nil }
					w.host("smart.test", "192.0.2.1")
					w.listen(t, "192.0.2.1:587", b)
					h.o.Roots = testCA().pool
					h.o.Relay = func(context.Context, string) (*Relay, error) {
						return &Relay{Host: "smart.test", Port: 587, User: "alice", Password: password}, nil
					}
					h.open()
					h.start()
					h.put(letter("bob@example.test"))
					time.Sleep(30 * time.Second)
					if password == "secret" && m.name != "GSSAPI" {
						if got := b.all(); len(got) != 1 || got[0].User != "alice" || !got[0].TLS {
							t.Errorf("got %+v", got)
						}
						return
					}
					all := h.list()
					if len(all) != 1 || len(b.all()) != 0 || !strings.Contains(all[0].To[0].Answer, "the smarthost smart.test did not let us log in as alice: ") {
						t.Errorf("got %+v", all)
					}
				})
			})
		}
	}
}

// TestRelayChanges: a smarthost that is set while mail waits gets it, and one whose settings cannot be
// read makes it wait, and says why.
func TestRelayChanges(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		w.host("smart.test", "192.0.2.1")
		b.tls = testCA().config(t, "smart.test")
		w.listen(t, "192.0.2.1:587", b)
		h.o.Roots = testCA().pool
		var set atomic.Bool
		h.o.Relay = func(context.Context, string) (*Relay, error) {
			if !set.Load() {
				return nil, errors.New("the settings cannot be read")
			}
			return &Relay{Host: "smart.test", Port: 587}, nil
		}
		h.open()
		h.start()
		h.put(letter("bob@example.test"))
		time.Sleep(10 * time.Minute)
		if all := h.list(); len(all) != 1 || all[0].Attempts == 0 || !strings.Contains(all[0].To[0].Answer, "the settings cannot be read") {
			t.Fatalf("got %+v", all)
		}
		set.Store(true)
		h.empty5(time.Hour)
		if len(b.all()) != 1 {
			t.Errorf("got %+v", b.all())
		}
	})
}

// TestRelayByAddress: a smarthost may be an address; one that is not found, or does not show that it is meant,
// is tried again.
func TestRelayByAddress(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		b.tls = testCA().config(t, "192.0.2.1")
		w.listen(t, "192.0.2.1:587", b)
		h.o.Roots = testCA().pool
		var host atomic.Pointer[string]
		name := "nowhere.test"
		host.Store(&name)
		h.o.Relay = func(context.Context, string) (*Relay, error) { return &Relay{Host: *host.Load(), Port: 587}, nil }
		h.open()
		h.start()
		h.put(letter("bob@example.test"))
		time.Sleep(10 * time.Minute)
		if all := h.list(); len(all) != 1 || !strings.Contains(all[0].To[0].Answer, "the smarthost nowhere.test has no address") {
			t.Fatalf("got %+v", all)
		}
		address := "192.0.2.1"
		host.Store(&address)
		time.Sleep(time.Hour)
		if all := h.list(); len(all) != 1 || !strings.Contains(all[0].To[0].Answer, "certificate for 192.0.2.1") {
			t.Errorf("got %+v", all) // an address has to be in the certificate, as a name has
		}
	})
}

// TestFault: a fault while one message is sent is told of, and tried again.
func TestFault(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		var calls atomic.Int32
		h.o.Deliver = func(context.Context, string, []string, []byte) error {
			if calls.Add(1) == 1 {
				panic("somebody's message")
			}
			return nil
		}
		h.o.Local = func(context.Context, string) (bool, error) { return true, nil }
		h.open()
		h.start()
		h.put(letter("bob@home.test"))
		h.empty5(2 * time.Hour)
		if n := calls.Load(); n != 2 {
			t.Errorf("delivered %d times", n)
		}
	})
}
