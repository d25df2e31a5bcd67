package sieve

import (
	"errors"
	"slices"
	"time"

	"cairn/services/mail/message"
)

const (
	// MaxRedirects is to how many addresses a script may send a message on.
	MaxRedirects = 5

	maxActions = 32      // filings of one run
	maxSteps   = 1 << 27 // what is looked at in one run, in bytes about: a second at most
	maxText    = 16 << 20
)

// An Input is a message, and what is known of it.
type Input struct {
	Raw   []byte // the message
	Trace []byte // fields that stand before it for this recipient
	// From and To are the envelope: "" is the null sender, To the one recipient for whom
	// the script runs.
	From, To string
	Now      time.Time

	// Exists reports whether there is a mailbox of this name (use "") or of this special
	// use (name ""), such as \Junk; with both, whether the mailbox has the use. Nil: there is none.
	Exists func(name, use string) bool
}

// An Outcome is what a script wants done with a message: all of it, and nothing else.
type Outcome struct {
	File     []Filing
	Redirect []string // addresses
	Reject   string   // what the sender is told (RFC 5429), "" not to reject; then there is nothing else
	Vacation *Vacation
}

// A Filing is a mailbox that gets the message.
type Filing struct {
	Mailbox  string
	Use      string // if there is a mailbox of this special use, it goes there instead (RFC 8579)
	Flags    []string
	Create   bool // make the mailbox where there is none (RFC 5490)
	Implicit bool // nobody asked for it: it goes wherever it would go without a script
}

const inbox = "INBOX"

// A run is a script that runs.
type run struct {
	*Input
	script *Script
	header message.Header
	body   []byte

	variables map[string]string
	matched   []string // what wildcards have matched (RFC 5229 §3.2)
	flags     []string // those that messages get (RFC 5232)
	steps     int
	contents  []message.Part
	read      bool // contents has been read
	said      *string

	out       Outcome
	cancelled bool // the implicit keep
}

// Run says what the script wants done with a message. An error is an *Error: then the message is to
// be kept.
func (s *Script) Run(in *Input) (*Outcome, error) {
	r := &run{Input: in, script: s, variables: map[string]string{}}
	head, body := message.Split(in.Raw)
	r.body = body
	r.header = message.ParseHeader(append(slices.Clip(slices.Clone(in.Trace)), head...))
	if err := r.all(s.body); err != nil && !errors.Is(err, errStop) {
		return nil, err
	}
	if !r.cancelled {
		r.file(Filing{Mailbox: inbox, Flags: r.flags, Implicit: true})
	}
	return &r.out, nil
}

func (r *run) all(list []statement) error {
	for _, s := range list {
		if err := r.spend(0, 1); err != nil {
			return err
		}
		if err := s(r); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) errorf(at int, format string, args ...any) error {
	return errorAt(r.script.src, at, format, args...)
}

// spend counts what a run costs.
func (r *run) spend(at, n int) error {
	if r.steps += n; r.steps > maxSteps {
		return r.errorf(at, "the script compares too much: it takes too long")
	}
	return nil
}

// set gives a variable a value.
func (r *run) set(at int, name, value string) error {
	if _, ok := r.variables[name]; !ok && len(r.variables) >= maxVariables {
		return r.errorf(at, "the script has more than %d variables", maxVariables)
	}
	r.variables[name] = cut(value, maxValue)
	return nil
}

// file has the message filed, once in each mailbox (RFC 5228 §2.10.3).
func (r *run) file(f Filing) {
	same := func(g Filing) bool { return g.Mailbox == f.Mailbox && g.Use == f.Use }
	if i := slices.IndexFunc(r.out.File, same); i >= 0 {
		f.Create = f.Create || r.out.File[i].Create
		r.out.File[i] = f
		return
	}
	r.out.File = append(r.out.File, f)
}

// act makes sure that an action may stand beside those before it (RFC 5429 §2.3, RFC 5230 §4.7).
func (r *run) act(at int, name string) error {
	switch {
	case r.out.Reject != "":
		return r.errorf(at, "%s cannot be done to a message that is rejected", name)
	case len(r.out.File)+len(r.out.Redirect) >= maxActions:
		return r.errorf(at, "more than %d things are to be done with one message", maxActions)
	}
	return nil
}
