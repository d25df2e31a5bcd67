package queue

import (
	"context"
	"crypto/x509"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"cairn/services/mail/queue/sts"
	"cairn/services/secrets"
	"cairn/store"
)

// Branch is the branch on which the queue lies.
const Branch = "queue"

// A Message is what is to be carried away.
type Message struct {
	From string      // the reverse path; "" for reports, which nobody is told of when they fail
	To   []Recipient // at least one
	Raw  []byte      // as it goes over the wire, without dot stuffing
	// EnvID is what the sender calls this sending (RFC 3461 §4.4), at most 100 bytes, and
	// Full whether reports shall bring the whole message back (RET=FULL) and not its header.
	EnvID string
	Full  bool
	// UTF8 says that the message came with SMTPUTF8 (RFC 6531), RequireTLS that it may only
	// travel under TLS that was verified (RFC 8689).
	UTF8, RequireTLS bool
}

// A Recipient is one who shall get a Message.
type Recipient struct {
	Address string `json:"address"` // local@domain, not in brackets; [192.0.2.1] is a domain, too
	Notify  Notify `json:"notify,omitempty"`
	// Original is who the sender has named (RFC 3461 §4.2), as type and address without
	// encoding: "rfc822;alice@example.org". "" where nothing was said.
	Original string `json:"original,omitempty"`
}

// Notify is what a sender wants to be told of (RFC 3461 §4.1). Zero: of failure and of delay.
type Notify uint8

// What a sender may want to be told of, or Never.
const (
	Never Notify = 1 << iota
	Success
	Failure
	Delay
)

// String returns it as NOTIFY has it; "" for zero.
func (n Notify) String() string {
	var words []string
	for i, w := range []string{"NEVER", "SUCCESS", "FAILURE", "DELAY"} {
		if n&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	return strings.Join(words, ",")
}

// ParseNotify returns what the keywords of RFC 3461 §4.1 mean, in any case; nothing is what none
// means.
func ParseNotify(words []string) (Notify, error) {
	var n Notify
	for _, w := range words {
		switch strings.ToUpper(w) {
		case "NEVER":
			n |= Never
		case "SUCCESS":
			n |= Success
		case "FAILURE":
			n |= Failure
		case "DELAY":
			n |= Delay
		default:
			return 0, fmt.Errorf("notify %q: %w", w, fs.ErrInvalid)
		}
	}
	if n&Never != 0 && n != Never {
		return 0, fmt.Errorf("notify %q: NEVER stands alone: %w", words, fs.ErrInvalid)
	}
	return n, nil
}

// A Resolver is the part of libos.Resolver, and of *net.Resolver, that is needed to find out
// where mail goes.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// Options are what a Queue works with.
type Options struct {
	// Hostname is what we call ourselves: in EHLO, in reports, and in MX records, where it
	// means that mail would come back to us. It is asked each time. Required.
	Hostname func() string
	// Resolver and Dial reach the world; network is "tcp". Required.
	Resolver Resolver
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	// Allow says whether mail may go to an address that an MX record leads to. Nil: not to
	// loopback, private and link-local ones.
	Allow func(netip.Addr) bool
	// HTTP fetches MTA-STS policies (RFC 8461). Nil: nobody's policy is asked for.
	HTTP *http.Client
	// Roots are the authorities that a certificate must come from where it matters: MTA-STS,
	// REQUIRETLS, the smarthost. Nil: the host's.
	Roots *x509.CertPool

	// Relay says which smarthost carries mail for a domain; a nil Relay means the domain's own
	// hosts. An error makes mail wait, and is what the sender hears if that takes long. Nil: always those.
	Relay func(ctx context.Context, domain string) (*Relay, error)
	// Local says whether a domain is served here, so that Deliver gets its mail, reports to our
	// own users above all. An error of Deliver is for all recipients; a *smtp.SMTPError with a
	// code of 500 and above is final. It may be called twice for one message when we crash.
	// Both or none.
	Local   func(ctx context.Context, domain string) (bool, error)
	Deliver func(ctx context.Context, from string, to []string, raw []byte) error

	// Sole says that no other process sends from this repository, so that a lease found
	// at the start is that of a process that has ended.
	Sole bool
	// Connections is how many there may be at once, PerDestination how many to one domain or
	// smarthost. Defaults: 100 and 5.
	Connections, PerDestination int
	// Memory bounds what large messages in flight take, in bytes; those of up to 1 MiB do not count,
	// so that they need not wait for others. Default: 256 MiB.
	Memory int64
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Log hears of what was sent and what was not. Default: nobody does.
	Log *slog.Logger
}

// A Relay is a smarthost: a server that takes all our mail and knows us.
type Relay struct {
	Host string // its name, which its certificate must have
	Port int    // such as 465 or 587
	// Implicit is TLS from the beginning; otherwise STARTTLS is a must.
	Implicit bool
	// User and Password log in, by SCRAM-SHA-256, PLAIN or LOGIN; no User: nobody logs in.
	User, Password string
}

// A Queue carries messages away. Safe for concurrent use.
type Queue struct {
	branch  *store.Branch
	secrets *secrets.Secrets
	o       Options

	policies *sts.Cache
}

// Open returns the queue on branch "queue" of repo, encrypted under the seed of s. It does
// nothing until Run.
func Open(repo *store.Repo, s *secrets.Secrets, o Options) *Queue {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Connections == 0 {
		o.Connections = 100
	}
	if o.PerDestination == 0 {
		o.PerDestination = 5
	}
	if o.Memory == 0 {
		o.Memory = 256 << 20
	}
	return &Queue{
		branch: repo.Branch(Branch), secrets: s, o: o,
		policies: &sts.Cache{Resolver: o.Resolver, HTTP: o.HTTP, Now: o.Now},
	}
}
