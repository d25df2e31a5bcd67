package login

import "github.com/emersion/go-sasl"

// A plainServer speaks PLAIN (RFC 4616).
type plainServer struct {
	sasl.Server
	err error // of the password
}

func newPlain(password func(identity, user, password string) error) *plainServer {
	s := &plainServer{}
	s.Server = sasl.NewPlainServer(func(identity, user, secret string) error {
		s.err = password(identity, user, secret)
		return s.err
	})
	return s
}

// Next implements sasl.Server.
func (s *plainServer) Next(response []byte) (challenge []byte, done bool, err error) {
	challenge, done, err = s.Server.Next(response)
	if err != nil && s.err == nil {
		err = ErrProtocol
	}
	return challenge, done && err == nil, err
}

// A loginServer speaks LOGIN (draft-murchison-sasl-login), which some programs
// know in place of PLAIN.
type loginServer struct {
	password func(identity, user, password string) error
	state    int // how often Next was answered with a question
	user     string
}

// Next implements sasl.Server.
func (s *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if s.state == 0 && response == nil {
		s.state = 1
		return []byte("Username:"), false, nil
	}
	switch s.state {
	case 0, 1: // the name, at once or asked for
		s.user, s.state = string(response), 2
		return []byte("Password:"), false, nil
	case 2:
		s.state = 3
		err := s.password("", s.user, string(response))
		return nil, err == nil, err
	}
	return nil, false, ErrProtocol
}
