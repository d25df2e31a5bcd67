package imap

import (
	"context"
	"errors"
	"time"

	"cairn/services/accounts"
	"cairn/services/mail/login"
	"cairn/services/mail/mailbox"
	"cairn/store"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-sasl"
)

// A session is what the library calls and the front asks, for one connection: always
// on the connection's own goroutine, but for Idle.
type session struct {
	server *Server
	front  *front
	conn   *imapserver.Conn
	ctx    context.Context // of the connection; the library's calls have none
	close  func()

	user    *accounts.User // nil before the log-in
	box     *mailbox.Box
	view    *view // nil when no mailbox is selected
	refused int   // log-ins

	condStore, qresync bool     // RFC 7162: what the client has enabled
	resync             *resync  // of the SELECT that the library reads
	extras             []string // of the STATUS or LIST that the library reads: items that it does not know
}

func (s *session) loggedIn() bool { return s.user != nil }

func (s *session) name() string {
	if s.user == nil {
		return ""
	}
	return s.user.Name
}

// change says who does something to the mail of the one who has logged in.
func (s *session) change(message string) store.Change {
	return store.Change{Author: s.user.Signature(), Message: message}
}

// Close implements imapserver.Session.
func (s *session) Close() error {
	s.front.free()
	s.view = nil
	s.close()
	return nil
}

// peer is what the log-in has to know of the connection.
func (s *session) peer() login.Conn {
	c := login.Conn{Remote: s.front.from}
	if t := s.front.wire.tls; t != nil {
		state := t.ConnectionState()
		c.TLS = &state
	}
	return c
}

// AuthenticateMechanisms implements imapserver.SessionSASL.
func (s *session) AuthenticateMechanisms() []string { return s.server.Login.Mechanisms(s.peer()) }

// Authenticate implements imapserver.SessionSASL.
func (s *session) Authenticate(mechanism string) (sasl.Server, error) {
	server, err := s.server.Login.Server(s.ctx, mechanism, s.peer(), s.welcome)
	if err != nil {
		return nil, s.reply(err)
	}
	return replying{server, s}, nil
}

// replying is a sasl.Server whose errors are replies.
type replying struct {
	sasl.Server
	s *session
}

func (r replying) Next(response []byte) ([]byte, bool, error) {
	challenge, done, err := r.Server.Next(response)
	if err != nil {
		err = r.s.turnAway(err)
	}
	if len(challenge) == 0 {
		challenge = nil // of an empty one that is not nil the library makes "="
	}
	return challenge, done, err
}

// Login implements imapserver.Session.
func (s *session) Login(name, password string) error {
	if !s.peer().Private() {
		return s.reply(login.ErrTLS)
	}
	u, err := s.server.Login.Password(s.ctx, name, password, s.front.from)
	if err != nil {
		return s.turnAway(err)
	}
	return s.welcome(u)
}

func (s *session) welcome(u *accounts.User) error {
	s.user, s.box = u, s.server.Boxes.Box(u.Name)
	return nil
}

// turnAway counts log-ins that were refused.
func (s *session) turnAway(err error) error {
	if s.refused++; s.refused >= maxRefused {
		s.front.broken = errRefused
	}
	return s.reply(err)
}

// Unauthenticate implements imapserver.SessionUnauthenticate (RFC 8437).
func (s *session) Unauthenticate() error {
	s.user, s.box, s.view = nil, nil, nil
	s.condStore, s.qresync = false, false
	s.front.began = time.Now()
	return nil
}

// AppendLimit implements imapserver.SessionAppendLimit (RFC 7889).
func (s *session) AppendLimit() uint32 { return uint32(s.server.MaxMessage) }

// Namespace implements imapserver.SessionNamespace (RFC 2342): all is one's own.
func (s *session) Namespace() (*imap.NamespaceData, error) {
	return &imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Prefix: "", Delim: delimiter}}}, nil
}

// delimiter stands between the levels of mailbox names.
const delimiter = '/'

// errFront is what the library would be told if a command came to it that the front answers.
var errFront = errors.New("a command of the front came to the library")

func (s *session) Fetch(*imapserver.FetchWriter, imap.NumSet, *imap.FetchOptions) error {
	return errFront
}

func (s *session) Store(*imapserver.FetchWriter, imap.NumSet, *imap.StoreFlags, *imap.StoreOptions) error {
	return errFront
}

func (s *session) Search(imapserver.NumKind, *imap.SearchCriteria, *imap.SearchOptions) (*imap.SearchData, error) {
	return nil, errFront
}
