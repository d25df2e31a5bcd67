// Package vcard reads, checks, converts, filters and merges vCards: 3.0 (RFC 2426)
// and 4.0 (RFC 6350) as address book clients send them (RFC 6352), and 2.1
// where somebody brings such a file along.
package vcard

import "fmt"

// The versions that are understood.
const (
	V2 = "2.1" // only Split reads it, and makes 3.0 of it
	V3 = "3.0"
	V4 = "4.0"
)

// A Card is one vCard. Nobody changes it once it is made.
type Card struct {
	Version string // V3 or V4
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

// Parse reads an object that holds exactly one card, of version 3.0 or 4.0. Its
// errors are of type *Error.
func Parse(data []byte) (*Card, error) { return nil, &Error{} }

// Check reports what an address object resource (RFC 6352 §5.1) lacks: a UID
// and a name. The error is of type *Error.
func (c *Card) Check() error { return &Error{} }

// Encode returns the card's text, with lines folded at 75 octets.
func (c *Card) Encode() []byte { return nil }

// Convert returns the card in another version, V3 or V4; in its own it is c.
func (c *Card) Convert(version string) *Card { return c }

// An Index is what a listing needs to know of a card.
type Index struct {
	Version  string
	UID      string
	FN       string
	Kind     string // "individual", "group", "org", "location" or another, in lower case
	Birthday Date   // zero when there is none that can be understood
}

// Index summarises the card.
func (c *Card) Index() Index { return Index{} }

// A Date is a day of a year, or of every year when Year is 0.
type Date struct {
	Year, Month, Day int
}

// Data says what of a card is wanted (RFC 6352 §10.4). The zero Data is all of it.
type Data struct {
	Version string     // V3 or V4; empty is the version that the card has
	Props   []DataProp // empty is all of them
}

// A DataProp names a property that is wanted.
type DataProp struct {
	Name    string // in any case, with a group or without as in PropFilter
	NoValue bool   // only its name and parameters
}

// Project returns the text of the card with what is wanted.
func (d *Data) Project(c *Card) []byte { return nil }
