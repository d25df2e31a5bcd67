package imap

import (
	"strings"
	"testing"
)

func TestLogin(t *testing.T) {
	h := newHouse(t, nil)
	c := h.dial()
	caps := c.ok("CAPABILITY")
	if len(caps) != 1 || !strings.Contains(caps[0], "AUTH=PLAIN") || !strings.Contains(caps[0], "STARTTLS") {
		t.Errorf("got %q", caps)
	}
	c.fails("SELECT INBOX", "BAD")
	c.fails(`LOGIN alice "wrong password"`, "NO [AUTHENTICATIONFAILED]")
	_, answer := c.do(`LOGIN alice "` + alicePassword + `"`)
	if !strings.HasPrefix(answer, "OK [CAPABILITY IMAP4rev2") || strings.Contains(answer, "AUTH=") {
		t.Errorf("got %q", answer)
	}
	for _, l := range c.ok(`LIST "" "*"`) {
		t.Log(l)
	}
	for _, l := range c.ok(`SELECT INBOX`) {
		t.Log(l)
	}
	c.ok("NOOP")
	c.ok("LOGOUT")
}
