package smtp

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"cairn/services/accounts"
	"cairn/services/mail/login"
)

// mechanisms lists the ways to log in that the client may use now.
func (c *session) mechanisms() []string {
	if c.kind == Relay || c.server.Login == nil {
		return nil
	}
	return c.server.Login.Mechanisms(c.from())
}

// cmdAuth lets somebody log in (RFC 4954).
func (c *session) cmdAuth(ctx context.Context, arg string) reply {
	mechanism, initial, has := strings.Cut(arg, " ")
	switch {
	case c.kind == Relay || c.server.Login == nil:
		return say(502, "5.5.1", "nobody logs in here: mail programs use the ports 465 and 587")
	case c.helo == "":
		return say(503, "5.5.1", "say EHLO first")
	case c.user != nil:
		return say(503, "5.5.1", "you have logged in already")
	case c.envelope != nil:
		return say(503, "5.5.1", "a message has been begun")
	case mechanism == "":
		return say(501, "5.5.4", "AUTH takes the name of a mechanism")
	}
	var user *accounts.User
	server, err := c.server.Login.Server(ctx, strings.ToUpper(mechanism), c.from(), func(u *accounts.User) error {
		user = u
		return nil
	})
	if err != nil {
		return c.notIn(err)
	}
	var response []byte
	if has {
		if response, err = decode(initial); err != nil {
			return c.notIn(err)
		}
	}
	for {
		challenge, done, err := server.Next(response)
		if err != nil {
			return c.notIn(err)
		}
		if done {
			break
		}
		c.say(say(334, "", base64.StdEncoding.EncodeToString(challenge)))
		c.command = time.Now()
		line, err := c.readLine(maxAuth)
		if err != nil {
			return c.unread(err)
		}
		if line == "*" {
			return say(501, "5.7.0", "as you like")
		}
		if response, err = decode(line); err != nil {
			return c.notIn(err)
		}
	}
	c.user = user
	c.server.Log.Info("smtp: log-in", "user", user.Name, "client", c.remote, "mechanism", strings.ToUpper(mechanism))
	return say(235, "2.7.0", "welcome, "+user.Name)
}

var errBase64 = errors.New("not base64")

func decode(s string) ([]byte, error) {
	if s == "=" {
		return []byte{}, nil
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, errBase64
	}
	return b, nil
}

// notIn is the reply to a log-in that failed.
func (c *session) notIn(err error) reply {
	var rate *accounts.RateError
	switch {
	case errors.Is(err, accounts.ErrBadCredentials):
		c.server.Log.Info("smtp: log-in refused", "client", c.remote)
		return say(535, "5.7.8", "wrong user name or password (SCRAM takes app passwords only)")
	case errors.As(err, &rate):
		return say(454, "4.7.0", rate.Error())
	case errors.Is(err, login.ErrTLS):
		return say(538, "5.7.11", "to log in the connection has to be encrypted: use STARTTLS, or port 465")
	case errors.Is(err, login.ErrMechanism):
		return say(504, "5.5.4", "this way to log in is not offered: see EHLO")
	case errors.Is(err, login.ErrAuthorization):
		return say(535, "5.7.8", err.Error())
	case errors.Is(err, login.ErrProtocol):
		return say(501, "5.5.2", err.Error())
	case errors.Is(err, errBase64):
		return say(501, "5.5.2", "this is not base64")
	}
	c.server.Log.Error("smtp: log-in", "client", c.remote, "err", err)
	return say(454, "4.7.0", "nobody can be let in at the moment: try again later")
}
