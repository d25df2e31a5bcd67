package imap

// maxIDPairs bounds what a client may say about itself (RFC 2971 §3.3).
const maxIDPairs = 30

// id is ID (RFC 2971). What the client says about itself is not kept.
func (s *session) id(c *command) error {
	a := c.arguments()
	if err := a.space(); err != nil {
		return err
	}
	if a.peek() != '(' {
		if _, err := a.nstring(); err != nil {
			return err
		}
	} else if err := idPairs(a); err != nil {
		return err
	}
	if err := a.end(); err != nil {
		return err
	}
	b := appendString([]byte(`* ID ("name" "Cairn" "vendor" "Cairn" "os" NIL "host" `), s.server.Hostname, false)
	if s.server.Hostname == "" {
		b = []byte(`* ID ("name" "Cairn"`)
	}
	return s.front.wire.send(append(b, ")\r\n"...))
}

func idPairs(a *scanner) error {
	n := 0
	return a.list(func() error {
		if n++; n > maxIDPairs {
			return syntaxError("there are too many fields")
		}
		if _, err := a.text(); err != nil {
			return err
		}
		_, err := spaced(a, a.nstring)
		return err
	})
}
