package login

import (
	"context"
	"crypto/rand"
	"crypto/tls"

	"cairn/services/accounts"

	"github.com/xdg-go/scram"
)

const (
	scramPlain = "SCRAM-SHA-256"
	scramPlus  = "SCRAM-SHA-256-PLUS"
)

// canBind reports whether the connection has what RFC 9266 binds a log-in to.
func (c Conn) canBind() bool { return c.TLS != nil && c.TLS.Version >= tls.VersionTLS13 }

// A scramServer is one try to log in. The client says which user it is before it
// proves anything, and not which of the user's app passwords it holds: so one
// conversation is held for each of them, all with the same words, and the proof fits
// one of them or none.
type scramServer struct {
	ctx     context.Context // of the one try; sasl.Server has no room for it
	login   *Login
	from    Conn
	require bool // that the log-in is bound to the connection
	binding scram.ChannelBinding
	done    func(*accounts.User) error

	step  int
	try   *accounts.ScramTry
	talks []*scram.ServerConversation
	user  *accounts.User
}

func (l *Login) newScram(ctx context.Context, c Conn, plus bool, done func(*accounts.User) error) (*scramServer, error) {
	s := &scramServer{ctx: ctx, login: l, from: c, require: plus, done: done}
	if c.canBind() {
		var err error
		if s.binding, err = scram.NewTLSExporterBinding(c.TLS); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Next implements sasl.Server. What the server proves to the client is sent as a
// challenge that the client answers with nothing, as neither SMTP nor IMAP has room
// for it beside the success.
func (s *scramServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if s.step == 0 && response == nil {
		return []byte{}, false, nil
	}
	s.step++
	switch s.step {
	case 1:
		challenge, err = s.first(string(response))
		return challenge, false, err
	case 2:
		challenge, err = s.final(string(response))
		return challenge, false, err
	case 3:
		if len(response) > 0 || s.user == nil {
			return nil, false, ErrProtocol
		}
		err = s.done(s.user)
		return nil, err == nil, err
	}
	return nil, false, ErrProtocol
}

// first reads who wants to log in and answers with salt and nonce.
func (s *scramServer) first(message string) ([]byte, error) {
	nonce := rand.Text()
	var failed error
	answer, err := s.converse(nonce, message, func(user string) (accounts.ScramKeys, error) {
		s.try, failed = s.login.Accounts.BeginScram(s.ctx, s.login.name(s.ctx, user), s.from.Remote)
		if failed != nil {
			return accounts.ScramKeys{}, failed
		}
		return s.try.Keys[0], nil
	})
	switch {
	case failed != nil:
		return nil, failed
	case err != nil:
		return nil, ErrProtocol
	}
	for _, keys := range s.try.Keys[1:] {
		if _, err := s.converse(nonce, message, func(string) (accounts.ScramKeys, error) { return keys, nil }); err != nil {
			return nil, ErrProtocol
		}
	}
	return []byte(answer), nil
}

// converse begins one more conversation, about the keys that lookup returns.
func (s *scramServer) converse(nonce, message string, lookup func(user string) (accounts.ScramKeys, error)) (string, error) {
	server, err := scram.SHA256.NewServer(func(user string) (scram.StoredCredentials, error) {
		keys, err := lookup(user)
		if err != nil {
			return scram.StoredCredentials{}, err
		}
		factors := scram.KeyFactors{Salt: string(s.try.Salt), Iters: s.try.Iterations}
		return scram.StoredCredentials{KeyFactors: factors, StoredKey: keys.Stored, ServerKey: keys.Server}, nil
	})
	if err != nil {
		return "", err
	}
	server.WithNonceGenerator(func() string { return nonce })
	talk := server.NewConversationWithChannelBinding(s.binding)
	if s.require {
		talk = server.NewConversationWithChannelBindingRequired(s.binding)
	}
	s.talks = append(s.talks, talk)
	return talk.Step(message)
}

// final checks the proof and answers with the server's own.
func (s *scramServer) final(message string) ([]byte, error) {
	if s.try == nil {
		return nil, ErrProtocol
	}
	var answer string
	user, err := s.try.End(s.ctx, func() bool {
		for _, talk := range s.talks {
			if a, err := talk.Step(message); err == nil && talk.Valid() {
				answer = a
			}
		}
		return answer != ""
	})
	if err == nil {
		err = s.login.authorize(s.ctx, user, s.talks[0].AuthzID())
	}
	if err != nil {
		return nil, err
	}
	s.user = user
	return []byte(answer), nil
}
