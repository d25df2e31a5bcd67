package imap

import (
	"context"

	"github.com/emersion/go-imap/v2"
)

// A verb is a command that the front has something to do with.
type verb struct {
	state  state
	run    func(s *session, c *command) error // answers it; the library does not see it
	edit   func(s *session, c *command) error // changes it before the library sees it
	alone  bool                               // run has ended it when it returns nil
	gentle bool                               // nobody may hear of expunges at its end (RFC 9051 §7.5.1)
}

// A state is what a connection has to be in for a command.
type state int

const (
	anyState state = iota
	strangerState
	userState
	selectedState
)

var verbs map[string]verb

func init() {
	verbs = map[string]verb{
		"STARTTLS":     {state: strangerState, run: (*session).startTLS, alone: true},
		"COMPRESS":     {state: userState, run: (*session).compress, alone: true},
		"FETCH":        {state: selectedState, run: (*session).fetch, gentle: true},
		"UID FETCH":    {state: selectedState, run: (*session).fetch},
		"STORE":        {state: selectedState, run: (*session).store, gentle: true},
		"UID STORE":    {state: selectedState, run: (*session).store},
		"SEARCH":       {state: selectedState, run: (*session).search, gentle: true},
		"UID SEARCH":   {state: selectedState, run: (*session).search},
		"SORT":         {state: selectedState, run: (*session).sort, gentle: true},
		"UID SORT":     {state: selectedState, run: (*session).sort},
		"THREAD":       {state: selectedState, run: (*session).thread, gentle: true},
		"UID THREAD":   {state: selectedState, run: (*session).thread},
		"ID":           {run: (*session).id},
		"GETQUOTA":     {state: userState, run: (*session).getQuota},
		"GETQUOTAROOT": {state: userState, run: (*session).getQuotaRoot},
		"SELECT":       {state: userState, edit: (*session).editSelect},
		"EXAMINE":      {state: userState, edit: (*session).editSelect},
		"ENABLE":       {state: userState, edit: (*session).editEnable},
		"STATUS":       {state: userState, edit: (*session).editStatus},
		"LIST":         {state: userState, edit: (*session).editList},
		"APPEND":       {state: userState, edit: (*session).admit},
	}
}

// dispatch does what the front has to do with a command. If it is not mine, the
// library answers it. An error ends the connection.
func (f *front) dispatch(c *command) (mine bool, err error) {
	v, known := verbs[c.name]
	if !known {
		return false, nil
	}
	if err := f.session.inState(v.state); err != nil {
		return true, f.answer(c.tag, c.name, err)
	}
	if v.edit != nil {
		if err := v.edit(f.session, c); err != nil {
			return true, f.answer(c.tag, c.name, err)
		}
		return false, nil
	}
	err = v.run(f.session, c)
	if err == nil && v.alone {
		return true, nil
	}
	if err == nil {
		err = f.session.poll(!v.gentle)
	}
	return true, f.answer(c.tag, c.name, err)
}

func (s *session) inState(want state) error {
	switch {
	case want == strangerState && s.loggedIn():
		return bad("You have logged in already")
	case want >= userState && !s.loggedIn():
		return bad("Log in first")
	case want == selectedState && s.view == nil:
		return bad("Select a mailbox first")
	}
	return nil
}

// admit makes room for the message of an APPEND and asks the client for it.
func (s *session) admit(c *command) error {
	f := s.front
	if c.message < 0 {
		return expected("a message as a literal")
	}
	n := c.message
	if f.wire.literal(n); !c.invite {
		f.left = n // to be passed over if it is not read
	} else {
		c.message = -1
	}
	if n > s.server.MaxMessage {
		return no(imap.ResponseCodeTooBig, "The message is too large")
	}
	ctx, cancel := context.WithTimeout(s.ctx, restTime)
	defer cancel()
	free, err := s.server.memory.take(ctx, n)
	if err != nil {
		return no(imap.ResponseCodeLimit, "Too much mail is on its way at the moment: try again in a minute")
	}
	f.free, f.left, c.message = free, n, n
	if c.invite {
		return f.wire.send([]byte(invitation))
	}
	return nil
}
