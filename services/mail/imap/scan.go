package imap

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// A syntaxError says what a command should have had where it had something else.
type syntaxError string

func (e syntaxError) Error() string { return "Syntax error: " + string(e) }

func expected(what string) error { return syntaxError("there should be " + what) }

// A scanner reads the arguments of a command (RFC 9051 §9): the bytes as they came, with
// literals in place, without the last line's end.
type scanner struct {
	b     []byte
	depth int // of parentheses
}

// maxDepth bounds how deep parentheses, and NOT and OR of searches, may lie in each other.
const maxDepth = 50

func (s *scanner) peek() byte {
	if len(s.b) == 0 {
		return 0
	}
	return s.b[0]
}

// is takes a byte if it is there.
func (s *scanner) is(c byte) bool {
	if s.peek() != c || len(s.b) == 0 {
		return false
	}
	s.b = s.b[1:]
	return true
}

func (s *scanner) want(c byte) error {
	if !s.is(c) {
		return expected(strconv.QuoteRune(rune(c)))
	}
	return nil
}

func (s *scanner) space() error {
	if !s.is(' ') {
		return expected("a space")
	}
	return nil
}

// end makes sure that nothing follows.
func (s *scanner) end() error {
	s.is(' ') // some clients leave one there
	if len(s.b) > 0 {
		return expected("nothing more")
	}
	return nil
}

func (s *scanner) while(ok func(byte) bool) string {
	n := 0
	for n < len(s.b) && ok(s.b[n]) {
		n++
	}
	word := string(s.b[:n])
	s.b = s.b[n:]
	return word
}

func atomChar(c byte) bool    { return c > ' ' && c != 0x7f && !strings.ContainsRune(`(){%*"\]`, rune(c)) }
func astringChar(c byte) bool { return atomChar(c) || c == ']' }
func digit(c byte) bool       { return '0' <= c && c <= '9' }

// attribute reads the name of a FETCH item, in upper case: an atom without a bracket.
func (s *scanner) attribute() string {
	return strings.ToUpper(s.while(func(c byte) bool { return atomChar(c) && c != '[' && c != '<' }))
}

// atom reads an atom.
func (s *scanner) atom() (string, error) {
	word := s.while(atomChar)
	if word == "" {
		return "", expected("a word")
	}
	return word, nil
}

// keyword reads an atom in upper case.
func (s *scanner) keyword() (string, error) {
	word, err := s.atom()
	return strings.ToUpper(word), err
}

// astring reads an atom, a quoted string or a literal.
func (s *scanner) astring() (string, error) {
	if c := s.peek(); c == '"' || c == '{' || c == '~' {
		return s.text()
	}
	word := s.while(astringChar)
	if word == "" {
		return "", expected("a string")
	}
	return word, nil
}

// text reads a quoted string or a literal.
func (s *scanner) text() (string, error) {
	switch s.peek() {
	case '"':
		return s.quoted()
	case '{', '~':
		return s.literal()
	}
	return "", expected("a string in quotes")
}

func (s *scanner) quoted() (string, error) {
	var out []byte
	for i := 1; i < len(s.b); i++ {
		switch c := s.b[i]; c {
		case '"':
			s.b = s.b[i+1:]
			return string(out), nil
		case '\r', '\n':
			return "", expected("a quote")
		case '\\':
			if i++; i == len(s.b) {
				return "", expected("a quote")
			}
			out = append(out, s.b[i])
		default:
			out = append(out, c)
		}
	}
	return "", expected("a quote")
}

// literal reads a literal that has been read from the connection already.
func (s *scanner) literal() (string, error) {
	line, _, ok := strings.Cut(string(s.b[:min(len(s.b), 40)]), "\n")
	if !ok {
		return "", expected("a literal")
	}
	n, _, ok := literalSize([]byte(line + "\n"))
	if at := len(line) + 1; ok && n <= int64(len(s.b)-at) && strings.IndexByte(line, '{') <= 1 {
		text := string(s.b[at : at+int(n)])
		s.b = s.b[at+int(n):]
		return text, nil
	}
	return "", expected("a literal")
}

// nstring reads NIL, as "", or a string.
func (s *scanner) nstring() (string, error) {
	if c := s.peek(); c == '"' || c == '{' {
		return s.text()
	}
	if word, err := s.keyword(); err != nil || word != "NIL" {
		return "", expected("a string or NIL")
	}
	return "", nil
}

// number reads a number of at most max.
func (s *scanner) number(max uint64) (uint64, error) {
	n, err := strconv.ParseUint(s.while(digit), 10, 64)
	if err != nil || n > max {
		return 0, expected("a number")
	}
	return n, nil
}

// list reads what is in parentheses, with f for each of the members.
func (s *scanner) list(f func() error) error {
	if err := s.want('('); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return syntaxError("parentheses lie too deep in each other")
	}
	defer func() { s.depth-- }()
	for !s.is(')') {
		if err := f(); err != nil {
			return err
		}
		if s.is(')') {
			return nil
		}
		if err := s.space(); err != nil {
			return err
		}
	}
	return nil
}

// A numbers is a set of sequence numbers or UIDs as a client writes it. In a range the
// lower end comes first; star is the highest number there is.
type numbers struct {
	ranges []numRange
	saved  bool // "$": what the last SEARCH saved (RFC 5182)
}

type numRange struct{ low, high uint32 }

// star stands for "*": the highest number there is.
const star = math.MaxUint32

// set reads a sequence-set.
func (s *scanner) set() (numbers, error) {
	var set numbers
	if s.is('$') {
		return numbers{saved: true}, nil
	}
	for {
		low, err := s.nzNumber()
		if err != nil {
			return set, err
		}
		high := low
		if s.is(':') {
			if high, err = s.nzNumber(); err != nil {
				return set, err
			}
		}
		set.ranges = append(set.ranges, numRange{min(low, high), max(low, high)})
		if !s.is(',') {
			break
		}
	}
	set.tidy()
	return set, nil
}

func (s *scanner) nzNumber() (uint32, error) {
	if s.is('*') {
		return star, nil
	}
	n, err := s.number(math.MaxUint32)
	if err != nil || n == 0 {
		return 0, expected("a set of message numbers")
	}
	return uint32(n), nil
}

// tidy sorts the ranges and joins those that touch.
func (n *numbers) tidy() {
	slices.SortFunc(n.ranges, func(a, b numRange) int { return cmp.Compare(a.low, b.low) })
	joined := n.ranges[:0]
	for _, r := range n.ranges {
		if k := len(joined) - 1; k >= 0 && (joined[k].high == star || r.low <= joined[k].high+1) {
			joined[k].high = max(joined[k].high, r.high)
			continue
		}
		joined = append(joined, r)
	}
	n.ranges = joined
}

// String writes a set as it stands in responses; "" if it is empty.
func (n numbers) String() string { return string(n.append(nil)) }

func (n numbers) append(b []byte) []byte {
	for i, r := range n.ranges {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(r.low), 10)
		if r.high != r.low {
			b = strconv.AppendUint(append(b, ':'), uint64(r.high), 10)
		}
	}
	return b
}

// add appends a number that is greater than all that are there.
func (n *numbers) add(v uint32) {
	if k := len(n.ranges) - 1; k >= 0 && n.ranges[k].high+1 == v {
		n.ranges[k].high = v
		return
	}
	n.ranges = append(n.ranges, numRange{v, v})
}

// all yields the numbers of a set that has no star.
func (n numbers) all() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, r := range n.ranges {
			for v := uint64(r.low); v <= uint64(r.high); v++ {
				if !yield(uint32(v)) {
					return
				}
			}
		}
	}
}

// fromLibrary is a set that the library has read.
func fromLibrary(set imap.NumSet) (n numbers, uid bool) {
	if imap.IsSearchRes(set) {
		return numbers{saved: true}, true
	}
	one := func(v uint32) uint32 { // the library writes 0 for "*"
		if v == 0 {
			return star
		}
		return v
	}
	switch set := set.(type) {
	case imap.SeqSet:
		for _, r := range set {
			n.ranges = append(n.ranges, numRange{one(r.Start), one(r.Stop)})
		}
	case imap.UIDSet:
		for _, r := range set {
			n.ranges = append(n.ranges, numRange{one(uint32(r.Start)), one(uint32(r.Stop))})
		}
		uid = true
	default:
		panic(fmt.Sprintf("set of type %T", set))
	}
	n.tidy()
	return n, uid
}

// toLibrary is the set as the library writes it.
func (n numbers) toLibrary() imap.UIDSet {
	var set imap.UIDSet
	for _, r := range n.ranges {
		set = append(set, imap.UIDRange{Start: imap.UID(r.low), Stop: imap.UID(r.high)})
	}
	return set
}
