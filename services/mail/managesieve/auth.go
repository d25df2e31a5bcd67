package managesieve

import (
	"encoding/base64"
	"errors"
	"strings"

	"cairn/services/accounts"
	"cairn/services/mail/login"
)

// authenticate lets somebody log in (RFC 5804 §2.1).
func (c *session) authenticate(args []string) string {
	if c.user != nil {
		return c.senseless("you have logged in already")
	}
	var user *accounts.User
	server, err := c.server.Login.Server(c.ctx, strings.ToUpper(args[0]), c.peer(), func(u *accounts.User) error {
		user = u
		return nil
	})
	if err != nil {
		return c.notIn(err)
	}
	var response []byte
	if len(args) > 1 {
		if response, err = decode(args[1]); err != nil {
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
		c.wire.say(quote(base64.StdEncoding.EncodeToString(challenge)))
		if err := c.wire.flush(); err != nil {
			return c.gone()
		}
		line, err := c.wire.line(c.began.Add(loginTime))
		var bad *badError
		if errors.As(err, &bad) {
			return c.senseless(bad.reason)
		}
		if err != nil {
			c.lost(err)
			return c.gone()
		}
		if line == "*" {
			return answer("NO", "", "As you like")
		}
		if response, err = decode(line); err != nil {
			return c.notIn(err)
		}
	}
	c.user = user
	c.server.Log.Info("managesieve: log-in", "user", user.Name, "client", c.remote, "mechanism", strings.ToUpper(args[0]))
	return answer("OK", "", "Welcome, "+user.Name)
}

var errBase64 = errors.New("this is not base64")

func decode(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, errBase64
	}
	return b, nil
}

// notIn answers a log-in that failed.
func (c *session) notIn(err error) string {
	c.refused++
	var rate *accounts.RateError
	switch {
	case errors.Is(err, accounts.ErrBadCredentials):
		c.server.Log.Info("managesieve: log-in refused", "client", c.remote)
		return answer("NO", "", "Wrong user name or password (SCRAM takes app passwords only)")
	case errors.As(err, &rate):
		return answer("NO", "(TRYLATER)", rate.Error())
	case errors.Is(err, login.ErrTLS):
		return answer("NO", "(ENCRYPT-NEEDED)", "To log in the connection has to be encrypted: use STARTTLS")
	case errors.Is(err, login.ErrMechanism), errors.Is(err, login.ErrAuthorization), errors.Is(err, login.ErrProtocol), errors.Is(err, errBase64):
		return answer("NO", "", err.Error())
	}
	c.server.Log.Error("managesieve: log-in", "client", c.remote, "err", err)
	return answer("NO", "(TRYLATER)", "Nobody can be let in at the moment: try again in a minute")
}
