// Package smtp takes mail in: from other servers (port 25), and from the house's own people,
// who log in to submit it (465, where TLS comes first, and 587, where STARTTLS does).
//
//	server := &smtp.Server{Mail: service, Login: login, TLS: config, Log: log}
//	err := server.Serve(ctx, listener, smtp.Relay)
//
// It speaks RFC 5321 with PIPELINING, SIZE, 8BITMIME, SMTPUTF8, CHUNKING, BINARYMIME, DSN,
// ENHANCEDSTATUSCODES, STARTTLS, REQUIRETLS, LIMITS and AUTH. Who gets what is asked of mail.Service;
// "250" after the data means that the message is durable for every recipient.
//
// # Smuggling
//
// The end of the data is CR LF . CR LF and nothing else. A message that has a CR or an LF
// alone is read to its end and refused (RFC 5321 §2.3.8), so nobody further on
// can see an end, and a second message, where we saw none. A BDAT chunk that ends early is no
// message. Commands, too, end with CR LF.
//
// # Why not go-smtp's server
//
// Its client is used, and its server was tried (0.25.1). A connection that ends inside of a BDAT chunk makes it
// deliver what has come so far; a CR behind a leading dot is lost; and with a bound on the
// length of lines it drops binary chunks that were sent ahead, without one a command is read
// until memory ends. After STARTTLS none of this can be put right from outside.
//
// # Caveats
//
// Tallies of what an address or a user has sent live in memory. The limits of an address do not hold for loopback.
package smtp

import (
	"crypto/tls"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"cairn/services/mail"
	"cairn/services/mail/login"

	"golang.org/x/sync/semaphore"
)

// A Server takes mail in. Fields are set before the first Serve. Safe for concurrent use.
type Server struct {
	Mail   *mail.Service
	Login  *login.Login // for submission
	TLS    *tls.Config  // nil: no STARTTLS
	Limits Limits
	Log    *slog.Logger // required

	once   sync.Once
	rates  *rates
	memory *budget
	work   *semaphore.Weighted // bytes of what is being delivered, with the copies that are made of it

	mu    sync.Mutex // guards what is below
	conns int
	from  map[netip.Prefix]int // connections of an address
}

// A Kind is what a listener is for.
type Kind int

const (
	Relay       Kind = iota // 25: other servers bring mail for people of this house
	Submission              // 587: people of this house send mail; STARTTLS comes first
	Submissions             // 465: the same, and TLS is there from the beginning
)

// Limits bound what clients may do; zero fields have the defaults.
type Limits struct {
	Message    int64         // bytes of one message; 50 MiB, and at most half of Memory
	Memory     int64         // bytes of all messages that are being received, and as much again for those being delivered; 128 MiB
	Line       int           // bytes of one line of a message, without CR LF; 65,536
	Recipients int           // of one message; 1,000
	Idle       time.Duration // until the next command; 5 minutes (RFC 5321 §4.5.3.2.7)

	Connections int // of all clients; 2,000
	PerAddress  int // connections of one address: a /32 of IPv4, a /64 of IPv6; 50

	Messages       int // of one address in a minute; 600
	Receivers      int // recipients, of one address in a minute; 3,000
	Strangers      int // recipients that nobody is, of one address in an hour; 100
	UserMessages   int // of one user in an hour; 500
	UserRecipients int // of one user in an hour; 2,000

	Faults int           // replies of a connection that refuse, until it is closed; 20
	Tarpit time.Duration // how long such replies wait from the fourth on, each longer than the one before; 1 s. Below 0: not at all
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.Line, 64 << 10}, {&l.Recipients, 1000}, {&l.Connections, 2000}, {&l.PerAddress, 50}, {&l.Messages, 600},
		{&l.Receivers, 3000}, {&l.Strangers, 100}, {&l.UserMessages, 500}, {&l.UserRecipients, 2000}, {&l.Faults, 20},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if l.Message == 0 {
		l.Message = mail.MaxMessage
	}
	if l.Memory == 0 {
		l.Memory = 128 << 20
	}
	l.Message = min(l.Message, l.Memory/2) // while one grows there are two of it
	if l.Idle == 0 {
		l.Idle = 5 * time.Minute
	}
	if l.Tarpit == 0 {
		l.Tarpit = time.Second
	}
	return l
}

func (s *Server) init() {
	s.once.Do(func() {
		s.Limits = s.Limits.withDefaults()
		s.rates = newRates()
		s.memory = newBudget(s.Limits.Memory)
		s.work = semaphore.NewWeighted(s.Limits.Memory)
		s.from = map[netip.Prefix]int{}
	})
}
