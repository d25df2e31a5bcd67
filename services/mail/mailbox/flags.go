package mailbox

import "iter"

// A Flag is a system flag such as \Seen or a keyword such as $Forwarded (RFC 9051 §2.3.2). Case does not matter.
type Flag string

// The system flags that are kept. \Recent is not: it is a session's own.
const (
	Seen     Flag = `\Seen`
	Answered Flag = `\Answered`
	Flagged  Flag = `\Flagged`
	Deleted  Flag = `\Deleted`
	Draft    Flag = `\Draft`
)

// Flags is a set of flags. Equal sets are ==; the zero value is empty.
type Flags struct{}

// NewFlags makes a set. What is no flag (ValidFlag) is left out, as is \Recent.
func NewFlags(flags ...Flag) Flags { return Flags{} }

// ValidFlag says that a flag can be kept: a system flag, or an atom of at most 100 bytes.
func ValidFlag(f Flag) bool { return false }

// Has says whether a flag is in the set.
func (f Flags) Has(flag Flag) bool { return false }

// With returns the set with others added.
func (f Flags) With(others Flags) Flags { return f }

// Without returns the set without others.
func (f Flags) Without(others Flags) Flags { return f }

// All yields the flags, system flags first.
func (f Flags) All() iter.Seq[Flag] { return func(func(Flag) bool) {} }

// String returns the flags with a space between them.
func (f Flags) String() string { return "" }
