package mailbox

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"unique"
)

// A Flag is a system flag such as \Seen or a keyword such as $Forwarded (RFC 9051 §2.3.2). Upper and lower
// case of it are the same flag.
type Flag string

// The system flags that are kept. \Recent is not: it is a session's own.
const (
	Seen     Flag = `\Seen`
	Answered Flag = `\Answered`
	Flagged  Flag = `\Flagged`
	Deleted  Flag = `\Deleted`
	Draft    Flag = `\Draft`
)

// systemFlags in the order in which they are written.
var systemFlags = [...]Flag{Seen, Answered, Flagged, Deleted, Draft}

const (
	maxFlag  = 100  // bytes of one keyword
	maxFlags = 1000 // bytes of a set, as text
)

// ValidFlag says that a flag can be kept: a system flag, or an atom of at most 100 bytes (RFC 9051 §9,
// flag-keyword).
func ValidFlag(f Flag) bool {
	if strings.HasPrefix(string(f), `\`) {
		return rank(f) < len(systemFlags)
	}
	if f == "" || len(f) > maxFlag {
		return false
	}
	for i := range len(f) {
		if c := f[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`(){%*"\]#`, c) >= 0 {
			return false
		}
	}
	return true
}

// rank orders flags: the system's own first.
func rank(f Flag) int {
	for i, s := range systemFlags {
		if strings.EqualFold(string(f), string(s)) {
			return i
		}
	}
	return len(systemFlags)
}

// Flags is a set of flags. Sets that are spelt alike are ==; the zero value is empty.
type Flags struct {
	text unique.Handle[string] // as String returns it; zero for the empty set
}

// NewFlags makes a set. What is no flag (ValidFlag) is left out, as is \Recent, and what is beyond 1000 bytes.
func NewFlags(flags ...Flag) Flags {
	list := make([]Flag, 0, len(flags))
	for _, f := range flags {
		if !ValidFlag(f) {
			continue
		}
		if i := rank(f); i < len(systemFlags) {
			f = systemFlags[i]
		}
		list = append(list, f)
	}
	slices.SortStableFunc(list, compareFlags)
	list = slices.CompactFunc(list, func(a, b Flag) bool { return compareFlags(a, b) == 0 })
	var b strings.Builder
	for _, f := range list {
		if b.Len()+1+len(f) > maxFlags {
			break
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(f))
	}
	return intern(b.String())
}

func compareFlags(a, b Flag) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 || rank(a) < len(systemFlags) {
		return c
	}
	return strings.Compare(strings.ToLower(string(a)), strings.ToLower(string(b)))
}

// intern makes a set of what String has returned.
func intern(text string) Flags {
	if text == "" {
		return Flags{}
	}
	return Flags{unique.Make(text)}
}

// parseFlags reads flags with a space between them; false when one cannot be kept.
func parseFlags(text string) (Flags, bool) {
	var list []Flag
	for f := range strings.SplitSeq(text, " ") {
		if f == "" {
			continue
		}
		if !ValidFlag(Flag(f)) {
			return Flags{}, false
		}
		list = append(list, Flag(f))
	}
	return NewFlags(list...), len(text) <= maxFlags
}

// Has says whether a flag is in the set.
func (f Flags) Has(flag Flag) bool {
	for g := range f.All() {
		if len(g) == len(flag) && strings.EqualFold(string(g), string(flag)) {
			return true
		}
	}
	return false
}

// With returns the set with others added.
func (f Flags) With(others Flags) Flags {
	if others == (Flags{}) || f == others {
		return f
	}
	return NewFlags(slices.AppendSeq(slices.Collect(f.All()), others.All())...)
}

// Without returns the set without others.
func (f Flags) Without(others Flags) Flags {
	if f == (Flags{}) || others == (Flags{}) {
		return f
	}
	return NewFlags(slices.DeleteFunc(slices.Collect(f.All()), others.Has)...)
}

// All yields the flags, system flags first.
func (f Flags) All() iter.Seq[Flag] {
	return func(yield func(Flag) bool) {
		if f == (Flags{}) {
			return
		}
		for g := range strings.SplitSeq(f.String(), " ") {
			if !yield(Flag(g)) {
				return
			}
		}
	}
}

// String returns the flags with a space between them.
func (f Flags) String() string {
	if f == (Flags{}) {
		return ""
	}
	return f.text.Value()
}
