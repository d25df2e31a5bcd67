package client

import (
	"encoding/base64"
	"strings"

	"github.com/emersion/go-sasl"
)

// maxRounds bounds how often a server may ask in one log-in.
const maxRounds = 8

// Mechanisms returns how the server lets people log in (RFC 4954), in upper case.
func (c *Conn) Mechanisms() []string {
	args, _ := c.Has("AUTH")
	return strings.Fields(strings.ToUpper(args))
}

// Auth logs in. A server that does not let us gives a *Reply.
func (c *Conn) Auth(a sasl.Client) error {
	mech, first, err := a.Start()
	if err != nil {
		return err
	}
	command := "AUTH " + mech
	switch {
	case first == nil:
	case len(first) == 0:
		command += " ="
	default:
		command += " " + base64.StdEncoding.EncodeToString(first)
	}
	for range maxRounds {
		r, lines, err := c.question(command)
		switch {
		case err != nil:
			return err
		case r.Code == 235:
			return nil
		case r.Code != 334:
			return &r
		}
		if command, err = respond(a, lines[0]); err != nil {
			c.question("*") // which gives up
			return err
		}
	}
	return &ProtocolError{"more questions than a log-in has"}
}

func (c *Conn) question(command string) (Reply, []string, error) {
	if err := c.write(command + "\r\n"); err != nil {
		return Reply{}, nil, err
	}
	return c.reply(commandTime)
}

func respond(a sasl.Client, challenge string) (string, error) {
	text, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		return "", &ProtocolError{"a question that is not in base64"}
	}
	answer, err := a.Next(text)
	return base64.StdEncoding.EncodeToString(answer), err
}
