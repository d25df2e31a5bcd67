package queue

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"

	"cairn/services/mail/queue/client"
)

// login logs in to a smarthost. That it does not let us in is for the operator to mend, so the mail waits.
func (w *worker) login(r *Relay) error {
	if r.User == "" {
		return nil
	}
	how, err := mechanism(w.conn.Mechanisms(), r)
	if err == nil {
		err = w.conn.Auth(how)
	}
	if err == nil {
		return nil
	}
	text := fmt.Sprintf("the smarthost %s did not let us log in as %s: %v", r.Host, r.User, err)
	return &answer{status: "4.7.8", Text: client.Printable(text, maxAnswer), host: r.Host}
}

// mechanism chooses the best way to log in that both sides know.
func mechanism(offered []string, r *Relay) (sasl.Client, error) {
	switch {
	case slices.Contains(offered, "SCRAM-SHA-256"):
		c, err := scram.SHA256.NewClient(r.User, r.Password, "")
		if err != nil {
			return nil, err
		}
		return &scramClient{conversation: c.NewConversation()}, nil
	case slices.Contains(offered, sasl.Plain):
		return sasl.NewPlainClient("", r.User, r.Password), nil
	case slices.Contains(offered, sasl.Login):
		return sasl.NewLoginClient(r.User, r.Password), nil
	}
	return nil, fmt.Errorf("it offers none of SCRAM-SHA-256, PLAIN and LOGIN, but %q", strings.Join(offered, " "))
}

// scramClient is SCRAM (RFC 5802) as go-sasl has mechanisms.
type scramClient struct{ conversation *scram.ClientConversation }

func (c *scramClient) Start() (string, []byte, error) {
	first, err := c.conversation.Step("")
	return "SCRAM-SHA-256", []byte(first), err
}

func (c *scramClient) Next(challenge []byte) ([]byte, error) {
	if c.conversation.Done() {
		return nil, errors.New("it asks on after the log-in is done")
	}
	response, err := c.conversation.Step(string(challenge))
	return []byte(response), err
}
