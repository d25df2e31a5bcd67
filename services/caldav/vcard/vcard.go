// Package vcard reads, checks, converts, filters and merges vCards: 3.0 (RFC 2426)
// and 4.0 (RFC 6350) as address book clients send them (RFC 6352), and 2.1
// where somebody brings such a file along.
//
//	card, err := vcard.Parse(body)         // one card, as a client PUTs it
//	if err == nil {
//		err = card.Check()                 // as an address book may keep it
//	}
//	fmt.Println(card.Index().FN)
//	body = card.Convert(vcard.V4).Encode() // for who asks for another version
//
// A Card is its lines, in their order: what nobody here understands stays where
// it is. The bytes as they came are the caller's to keep: Encode folds and quotes
// in its own way.
//
// Import reads files that hold many cards of any version, good or not so good.
//
// # Bounds
//
// Those of package line; how long the whole may be is the caller's to say. Time
// and memory of everything here are linear in it.
package vcard

import (
	"errors"
	"fmt"
	"strings"

	"cairn/services/caldav/line"
)

// The versions that are understood.
const (
	V3 = "3.0"
	V4 = "4.0"
)

// A Card is one vCard. Nobody changes it once it is made.
type Card struct {
	Version string      // V3 or V4
	Lines   []line.Line // what stands between BEGIN and END
}

// An Error says why something is not accepted as a card.
type Error struct {
	// Precondition is the one of RFC 6352 §6.3.2.1 that does not hold:
	// "valid-address-data" or "supported-address-data".
	Precondition string
	Line         int // counted from 1; 0 when it is about the whole
	Reason       string
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	}
	return e.Reason
}

func invalid(reason string) *Error { return &Error{Precondition: "valid-address-data", Reason: reason} }

// Parse reads an object that holds exactly one card, of version 3.0 or 4.0. Its
// errors are of type *Error.
func Parse(data []byte) (*Card, error) {
	all, err := line.Parse(data)
	var bad *line.Error
	switch {
	case errors.As(err, &bad):
		return nil, &Error{Precondition: "valid-address-data", Line: bad.Line, Reason: bad.Reason}
	case err != nil:
		return nil, invalid(err.Error())
	case all[0].Name != "VCARD":
		return nil, &Error{Precondition: "supported-address-data", Reason: "this is a " + all[0].Name + ", not a vCard"}
	case len(all) > 1:
		return nil, invalid("an object holds one vCard, and here is more than one")
	}
	return fromComponent(all[0])
}

// fromComponent takes what line.Parse has read as a card.
func fromComponent(k *line.Component) (*Card, error) {
	if len(k.Children) > 0 {
		return nil, invalid("a vCard has nothing within it that begins and ends, and here is a " + k.Children[0].Name)
	}
	c := &Card{Lines: k.Lines}
	for l := range k.All("VERSION") {
		if c.Version != "" {
			return nil, invalid("VERSION stands twice")
		}
		c.Version = strings.TrimSpace(l.Value)
	}
	switch c.Version {
	case V3, V4:
		return c, nil
	case "":
		return nil, invalid("no VERSION")
	}
	return nil, &Error{Precondition: "supported-address-data", Reason: fmt.Sprintf("version %q of vCard is not kept here, only 3.0 and 4.0", c.Version)}
}

// Check reports what an address object resource (RFC 6352 §5.1) lacks: one UID
// that is not empty, and a name (FN). The error is of type *Error.
func (c *Card) Check() error {
	var uids, names int
	for i := range c.Lines {
		switch l := &c.Lines[i]; l.Name {
		case "UID":
			if uids++; strings.TrimSpace(l.Value) == "" {
				return invalid("UID is empty")
			}
		case "FN":
			names++
		}
	}
	switch {
	case uids == 0:
		return invalid("no UID")
	case uids > 1:
		return invalid("more than one UID")
	case names == 0:
		return invalid("no FN: a card has a name")
	}
	return nil
}

// Encode returns the card's text, with lines folded at 75 octets.
func (c *Card) Encode() []byte {
	return (&line.Component{Name: "VCARD", Lines: c.Lines}).Encode()
}

// first returns the first line of a name, nil when there is none.
func (c *Card) first(name string) *line.Line {
	for i := range c.Lines {
		if c.Lines[i].Name == name {
			return &c.Lines[i]
		}
	}
	return nil
}

// text returns the unescaped value of the first line of a name.
func (c *Card) text(name string) string {
	if l := c.first(name); l != nil {
		return strings.TrimSpace(line.Unescape(l.Value))
	}
	return ""
}

// UID returns the card's UID, "" when it has none.
func (c *Card) UID() string { return c.text("UID") }

// Name returns the name that the card is shown by: FN, or what comes nearest.
func (c *Card) Name() string {
	if fn := c.preferred("FN"); fn != nil && strings.TrimSpace(fn.Value) != "" {
		return strings.TrimSpace(line.Unescape(fn.Value))
	}
	if name := c.personal(); name != "" {
		return name
	}
	for _, prop := range []string{"ORG", "NICKNAME", "EMAIL", "TEL"} {
		if l := c.first(prop); l != nil {
			if name := strings.TrimSpace(strings.Trim(line.Unescape(l.Value), ";")); name != "" {
				return name
			}
		}
	}
	return ""
}

// personal puts the parts of N in the order in which they are spoken.
func (c *Card) personal() string {
	n := c.first("N")
	if n == nil {
		return ""
	}
	parts := append(line.Split(n.Value, ';'), make([]string, 5)...)
	var words []string
	for _, i := range []int{3, 1, 2, 0, 4} { // prefix, given, additional, family, suffix
		if w := strings.TrimSpace(strings.Join(line.Texts(parts[i]), " ")); w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// preferred returns the line of a name with the lowest PREF, or with TYPE=pref, or
// the first.
func (c *Card) preferred(name string) *line.Line {
	var best *line.Line
	rank := 0
	for i := range c.Lines {
		if l := &c.Lines[i]; l.Name == name && (best == nil || preference(l) < rank) {
			best, rank = l, preference(l)
		}
	}
	return best
}

// leastPref is the preference of what says nothing of it; those that do have 1 to
// 100 (RFC 6350 §5.3).
const leastPref = 101

func preference(l *line.Line) int {
	if l.HasValue("TYPE", "pref") {
		return 1
	}
	n := 0
	if !number(param(l, "PREF"), &n) || n < 1 || n > 100 {
		return leastPref
	}
	return n
}
