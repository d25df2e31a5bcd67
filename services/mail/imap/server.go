package imap

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"cairn/services/mail/login"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/search"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"golang.org/x/sync/semaphore"
)

// A Server answers IMAP clients. Set its fields before Serve and leave them alone then.
type Server struct {
	Login *login.Login
	Boxes *mailbox.Boxes
	Log   *slog.Logger

	// TLS is what STARTTLS and ServeTLS use. Nil: nobody can log in but from the same machine.
	TLS *tls.Config
	// Hostname is how the server calls itself in ID. Default: nothing.
	Hostname string
	// Trained is told, within the update that does it, of messages that a person moves or copies
	// into Junk (spam) or out of it to anywhere but Trash, before that is done: they are in the mailbox called from. It may
	// write with e.PutFile. The function of an update may run several times. Default: nobody is told.
	Trained func(ctx context.Context, e *mailbox.Edit, from string, messages []mailbox.Message, spam bool) error

	// Hide says which fields of a message that comes by APPEND are not served, as those of
	// mailbox.New do. Default: none.
	Hide func(raw []byte) []mailbox.Span

	// Index makes searches in text fast. Default: one of 64 MiB, empty at first.
	Index *search.Index

	// MaxMessage is the largest message that APPEND takes, in bytes. Default: 50 MiB.
	MaxMessage int64
	// MaxConns is how many connections there may be, MaxPerAddress from one address (a /64 of
	// IPv6). More are told so and closed. Defaults: 4000 and 200.
	MaxConns, MaxPerAddress int
	// Memory bounds what messages on their way in or out take, in bytes, over all connections;
	// more wait. Default: 256 MiB, and not less than four of MaxMessage.
	Memory int64

	once     sync.Once
	memory   *budget
	searches *semaphore.Weighted // those that read messages
	hub      hub
	count    *census
}

// Times after which a connection is closed.
const (
	loginTime  = time.Minute      // from the beginning to the end of the log-in
	idleTime   = 30 * time.Minute // between commands (RFC 9051 §5.4)
	restTime   = time.Minute      // between pieces of one command
	writeTime  = time.Minute      // until the client has taken one buffer
	closeTime  = 2 * time.Second  // until it has taken the last one
	maxBad     = 25               // commands without meaning in a row
	maxRefused = 5                // log-ins

	maxSearches = 4 // at a time; each may read as many messages at a time as there are processors
)

func (s *Server) setup() {
	s.once.Do(func() {
		if s.MaxMessage == 0 {
			s.MaxMessage = 50 << 20
		}
		if s.MaxConns == 0 {
			s.MaxConns = 4000
		}
		if s.MaxPerAddress == 0 {
			s.MaxPerAddress = 200
		}
		if s.Hide == nil {
			s.Hide = func([]byte) []mailbox.Span { return nil }
		}
		if s.Index == nil {
			s.Index = search.New(64 << 20)
		}
		s.searches = semaphore.NewWeighted(maxSearches)
		s.memory = newBudget(max(s.Memory, 4*s.MaxMessage, 256<<20))
		s.count = newCensus(s.MaxConns, s.MaxPerAddress)
	})
}

// Serve answers the clients of a listener (port 143) until ctx ends or the listener is
// closed. Then it says goodbye to all, and returns when nobody is left.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error { return s.serve(ctx, ln, false) }

// ServeTLS is Serve for a listener whose clients begin with TLS (port 993).
func (s *Server) ServeTLS(ctx context.Context, ln net.Listener) error { return s.serve(ctx, ln, true) }

func (s *Server) serve(ctx context.Context, ln net.Listener, secure bool) error {
	s.setup()
	ctx, cancel := context.WithCancel(ctx)
	g := &gate{Listener: ln, server: s, ctx: ctx, secure: secure, fronts: map[*front]bool{}}
	stop := context.AfterFunc(ctx, func() {
		ln.Close()
		g.goodbye()
	})
	lib := imapserver.New(&imapserver.Options{
		NewSession:   g.session,
		Caps:         libraryCaps,
		Logger:       libraryLog{s.Log},
		InsecureAuth: true, // the session and the front decide; the library does not see TLS
	})
	err := lib.Serve(g)
	cancel()
	stop()
	ln.Close()
	g.goodbye()
	g.all.Wait()
	return err
}

// libraryCaps are those that the library has to know of; what clients are told is
// capabilities.
var libraryCaps = imap.CapSet{
	imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}, imap.CapLiteralPlus: {},
	imap.CapSpecialUse: {}, imap.CapCreateSpecialUse: {}, imap.CapUnauthenticate: {},
}

// libraryLog takes what the library has to say: panics, and what clients did wrong.
type libraryLog struct{ log *slog.Logger }

func (l libraryLog) Printf(format string, args ...any) {
	level := slog.LevelDebug
	if strings.HasPrefix(format, "panic") {
		level = slog.LevelError
	}
	l.log.Log(context.Background(), level, "imap: "+fmt.Sprintf(format, args...))
}
