package login

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
