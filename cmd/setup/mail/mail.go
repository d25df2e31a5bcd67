// Package mail wires mail: what takes it in, delivers it, keeps it, carries it away, and what mail programs
// speak to.
package mail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/net/certs"
	"cairn/net/public"
	"cairn/services/accounts"
	"cairn/services/config"
	mailservice "cairn/services/mail"
	"cairn/services/mail/auth"
	"cairn/services/mail/domain"
	"cairn/services/mail/junk"
	"cairn/services/mail/login"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/message"
	"cairn/services/mail/queue"
	"cairn/services/mail/reports"
	"cairn/services/mail/scripts"
	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/object"
)

// Parts are what mail is wired from.
type Parts struct {
	Env      libos.Env
	Repo     *store.Repo
	Accounts *accounts.Accounts
	Config   *config.Config
	Secrets  *secrets.Secrets
	TLS      *setup.TLS // nil: none
	// Sole says that nobody else serves this repository at the same time.
	Sole bool
	// Receive takes in an invitation that came by mail; nil: there are no calendars.
	Receive func(ctx context.Context, to *accounts.User, from string, data []byte) error
}

// A Mail is what serves mail.
type Mail struct {
	Parts
	Boxes *mailbox.Boxes
	Queue *queue.Queue

	service *mailservice.Service
	login   *login.Login
	junk    *junk.Filter
	scripts *scripts.Shelf
	host    string
	ports   listeners
}

// boxBytes is what mailboxes take of the memory for what they remember.
const boxBytes = 32 << 20

// Open wires mail and opens its ports.
func Open(ctx context.Context, p Parts) (*Mail, error) {
	m := &Mail{Parts: p, login: &login.Login{Accounts: p.Accounts}, junk: junk.New(int(p.Env.Share(junkBytes, 16)))}
	m.Boxes = OpenBoxes(p.Env, p.Repo, p.Config)
	key, err := p.Secrets.Derive("srs", 32)
	if err != nil {
		return nil, err
	}
	m.service = &mailservice.Service{
		Repo:      p.Repo,
		Boxes:     m.Boxes,
		Accounts:  p.Accounts,
		Config:    p.Config,
		Signer:    m.signer,
		SRSKey:    key,
		Junk:      m.score,
		Seal:      m.seal,
		Sinks:     []mailservice.Sink{&reports.Reports{Addresses: []string{domain.DMARCReports, domain.TLSReports}, Now: time.Now}},
		Autocrypt: m.autocrypt,
		Delivered: m.delivered,
		Now:       time.Now,
		Log:       p.Env.Log,
	}
	m.login.Name = m.service.LoginName
	if key, err = p.Secrets.Derive("vacation", 32); err != nil {
		return nil, err
	}
	m.scripts = &scripts.Shelf{Mail: m.service, Key: key}
	m.service.Filter = m.scripts.Filter
	m.host = m.service.Host(ctx)
	resolver := p.Env.Net.Resolver()
	m.service.Checker = &auth.Checker{Resolver: resolver}
	m.Queue = m.openQueue()
	m.service.Queue = m.Queue
	return m, m.listen(ctx)
}

// OpenBoxes returns the mailboxes of a repository.
func OpenBoxes(env libos.Env, repo *store.Repo, c *config.Config) *mailbox.Boxes {
	return mailbox.Open(repo, mailbox.Options{
		Now:        time.Now,
		CacheBytes: env.Share(boxBytes, 8),
		Quota: func(user string) mailbox.Quota {
			m, err := c.Mail(context.Background())
			if err != nil {
				return mailbox.Quota{} // what cannot be read bounds nobody
			}
			return mailbox.Quota{Bytes: m.QuotaOf(user)}
		},
		Hide: func(raw []byte) []mailbox.Span { return foreign(c, raw) },
	})
}

// foreign are the fields of a message that somebody has put in by hand which pretend to be ours.
func foreign(c *config.Config, raw []byte) (list []mailbox.Span) {
	head, _ := message.Split(raw)
	host := (&mailservice.Service{Config: c}).Host(context.Background())
	for _, s := range auth.Foreign(message.ParseHeader(head), host) {
		list = append(list, mailbox.Span{Offset: s.Start, Length: s.End - s.Start})
	}
	return list
}

// openQueue opens what carries mail away.
func (m *Mail) openQueue() *queue.Queue {
	out := setup.Outbound(m.Env)
	o := queue.Options{
		Hostname: func() string { return m.service.Host(context.Background()) },
		Resolver: m.Env.Net.Resolver(),
		Dial:     m.Env.Net.Dial,
		HTTP:     out.Client(),
		Roots:    certs.Roots(),
		Relay:    m.relay,
		Local:    m.service.Local,
		Deliver:  m.service.Send,
		Sole:     m.Sole,
		Memory:   m.Env.Share(2*flightBytes, 8),
		Log:      m.Env.Log,
	}
	o.Allow = public.Is
	if m.Env.Args.Bool(setup.AllowPrivate.Name) {
		o.Allow = func(netip.Addr) bool { return true }
	}
	return queue.Open(m.Repo, m.Secrets, o)
}

// smarthostSecret is where the password of the smarthost is kept.
const smarthostSecret = "mail/smarthost"

// relay is the smarthost that carries mail away, nil for none.
func (m *Mail) relay(ctx context.Context, _ string) (*queue.Relay, error) {
	c, err := m.Config.Mail(ctx)
	if err != nil || c.Smarthost == "" {
		return nil, err
	}
	u, err := url.Parse(c.Smarthost)
	if err != nil {
		return nil, err
	}
	r := &queue.Relay{Host: u.Hostname(), Implicit: u.Scheme == "smtps", User: u.User.Username()}
	if r.Port, err = strconv.Atoi(u.Port()); err != nil {
		if r.Port = 587; r.Implicit {
			r.Port = 465
		}
	}
	if r.User == "" {
		return r, nil
	}
	password, err := m.Secrets.Get(ctx, smarthostSecret)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the password of the smarthost %s is not there: cairn mail smarthost %s", u.Host, c.Smarthost)
	}
	r.Password = string(password)
	return r, err
}

// signer is what signs for a domain, nil for one that is not ours or has no keys.
func (m *Mail) signer(ctx context.Context, name string) (*auth.Signer, error) {
	d, err := m.Config.Domain(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return domain.Keys{Secrets: m.Secrets}.Signer(ctx, d)
}

// KeepSmarthost keeps the password of the smarthost; "" forgets it.
func KeepSmarthost(ctx context.Context, s *secrets.Secrets, by object.Signature, password string) error {
	return s.Update(ctx, by, smarthostSecret, func([]byte) ([]byte, error) {
		if password == "" {
			return nil, nil
		}
		return []byte(password), nil
	})
}
