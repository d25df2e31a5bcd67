package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/services/accounts"
	mailservice "cairn/services/mail"
	"cairn/services/mail/imap"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/managesieve"
	"cairn/services/mail/smtp"
	"cairn/services/self"
	"cairn/store/object"
)

// Ports are where mail is served.
var Ports = []libos.Port{
	{Name: "smtp", Host: "127.0.0.1:2525", Own: ":25", Help: "Where other servers bring mail."},
	{Name: "submission", Host: "127.0.0.1:2587", Own: ":587", Help: "Where people's programs bring mail that leaves."},
	{Name: "submissions", Own: ":465", Help: "The same, over TLS from the beginning."},
	{Name: "imap", Host: "127.0.0.1:2143", Own: ":143", Help: "Where people's programs read mail."},
	{Name: "imaps", Own: ":993", Help: "The same, over TLS from the beginning."},
	{Name: "sieve", Host: "127.0.0.1:4190", Own: ":4190", Help: "Where people's programs keep the rules for their mail (ManageSieve)."},
}

// listeners are the ports that are open; those of TLS may be nil.
type listeners struct{ smtp, submission, submissions, imap, imaps, sieve net.Listener }

// listen opens the ports.
func (m *Mail) listen(ctx context.Context) error {
	for _, p := range []struct {
		name string
		l    *net.Listener
		tls  bool
	}{
		{"smtp", &m.ports.smtp, false}, {"submission", &m.ports.submission, false}, {"imap", &m.ports.imap, false},
		{"submissions", &m.ports.submissions, true}, {"imaps", &m.ports.imaps, true}, {"sieve", &m.ports.sieve, false},
	} {
		if p.tls && m.TLS == nil {
			if m.Env.Args.Given(p.name) {
				return fmt.Errorf("--%s needs a certificate: --tls-cert and --tls-key, --acme or --tls=seed", p.name)
			}
			continue
		}
		if !m.Env.Listens(p.name) {
			continue
		}
		l, err := m.Env.Listen(ctx, p.name)
		if err != nil {
			return err
		}
		*p.l = l
	}
	return nil
}

// tlsConfig is that of the servers, nil for none.
func (m *Mail) tlsConfig() *tls.Config {
	if m.TLS == nil {
		return nil
	}
	c := m.TLS.Config.Clone()
	c.NextProtos = nil // these protocols have no names in TLS
	return c
}

// flightBytes is what messages that are being received may take of the memory.
const flightBytes = 128 << 20

// forget has what was sent taken out of the queue's history, once a day.
func (m *Mail) forget(ctx context.Context) error {
	for day := time.NewTicker(24 * time.Hour); ; {
		select {
		case <-ctx.Done():
			day.Stop()
			return nil
		case <-day.C:
		}
		if err := m.Queue.Forget(ctx, object.Signature{}); err != nil && ctx.Err() == nil {
			m.Env.Log.Warn("mail that was sent stays in the history of the queue for another day", "err", err)
		}
	}
}

// Run serves and carries away until ctx ends.
func (m *Mail) Run(ctx context.Context) error {
	largest := m.Env.Share(mailservice.MaxMessage, 16)
	in := &smtp.Server{Mail: m.service, Login: m.login, TLS: m.tlsConfig(), Log: m.Env.Log,
		Limits: smtp.Limits{Message: largest, Memory: m.Env.Share(flightBytes, 8)}}
	out := &imap.Server{Login: m.login, Boxes: m.Boxes, TLS: m.tlsConfig(), Hostname: m.host, Trained: m.teach, Log: m.Env.Log,
		Hide:       func(raw []byte) []mailbox.Span { return foreign(m.Config, raw) },
		MaxMessage: largest, Memory: m.Env.Share(2*flightBytes, 4)}
	settle := func(ctx context.Context) error { m.Boxes.Run(ctx, m.Env.Log); return nil }
	servers := []func(context.Context) error{m.Queue.Run, settle, m.forget}
	serve := func(l net.Listener, f func(context.Context, net.Listener) error) {
		if l != nil {
			servers = append(servers, func(ctx context.Context) error { return f(ctx, l) })
		}
	}
	kind := func(k smtp.Kind) func(context.Context, net.Listener) error {
		return func(ctx context.Context, l net.Listener) error { return in.Serve(ctx, l, k) }
	}
	serve(m.ports.smtp, kind(smtp.Relay))
	serve(m.ports.submission, kind(smtp.Submission))
	serve(m.ports.submissions, kind(smtp.Submissions))
	serve(m.ports.imap, out.Serve)
	serve(m.ports.imaps, out.ServeTLS)
	rules := &managesieve.Server{Login: m.login, Shelf: m.scripts, TLS: m.tlsConfig(), Log: m.Env.Log}
	serve(m.ports.sieve, rules.Serve)
	return setup.Together(ctx, servers...)
}

// Close closes ports that nobody serves.
func (m *Mail) Close() error {
	var errs []error
	for _, l := range []net.Listener{m.ports.smtp, m.ports.submission, m.ports.submissions, m.ports.imap, m.ports.imaps, m.ports.sieve} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}

// Addresses are where the ports are, by their names.
func (m *Mail) Addresses() map[string]string {
	list := map[string]string{}
	for name, l := range map[string]net.Listener{
		"smtp": m.ports.smtp, "submission": m.ports.submission, "submissions": m.ports.submissions, "imap": m.ports.imap, "imaps": m.ports.imaps,
		"sieve": m.ports.sieve,
	} {
		if l != nil {
			list[name] = m.Env.Address(l)
		}
	}
	return list
}

// Device is how somebody's devices reach their mail: over TLS from the beginning where there is that.
func (m *Mail) Device(ctx context.Context, u *accounts.User) *self.Mail {
	read, send := m.ports.imaps, m.ports.submissions
	secure := read != nil && send != nil
	if !secure {
		read, send = m.ports.imap, m.ports.submission
	}
	if read == nil || send == nil {
		return nil
	}
	return &self.Mail{
		Name: u.Signature().Name, Address: m.Address(ctx, u),
		Host: m.service.Host(ctx), IMAP: portOf(read), Submission: portOf(send), TLS: secure,
	}
}

func portOf(l net.Listener) int {
	at, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		return 0
	}
	return int(at.Port())
}
