package imap

import (
	"math"
	"slices"
	"strings"
	"time"

	"cairn/services/mail/mailbox"
	"cairn/services/mail/message"
	"cairn/services/mail/search"
)

// key reads one key.
func (p *queryParser) key() (query, error) {
	if p.keys++; p.keys > maxKeys {
		return query{}, syntaxError("too many search keys")
	}
	c := p.peek()
	switch {
	case c == '(':
		var list []query
		err := p.list(func() error {
			q, err := p.key()
			list = append(list, q)
			return err
		})
		if err == nil && len(list) == 0 {
			err = expected("a search key")
		}
		if err != nil {
			return query{}, err
		}
		return and(list), nil
	case digit(c), c == '*', c == '$':
		return p.messages(false)
	}
	name, err := p.keyword()
	if err != nil {
		return query{}, err
	}
	return p.named(name)
}

// simple are the keys without arguments; with UN before them those of flags mean the opposite.
var simple = map[string]query{
	"ALL": constant(true), "OLD": constant(true), "NEW": constant(false), "RECENT": constant(false), // nothing is \Recent here
	"ANSWERED": flagged(mailbox.Answered), "DELETED": flagged(mailbox.Deleted), "DRAFT": flagged(mailbox.Draft),
	"FLAGGED": flagged(mailbox.Flagged), "SEEN": flagged(mailbox.Seen),
	"UNANSWERED": not(flagged(mailbox.Answered)), "UNDELETED": not(flagged(mailbox.Deleted)), "UNDRAFT": not(flagged(mailbox.Draft)),
	"UNFLAGGED": not(flagged(mailbox.Flagged)), "UNSEEN": not(flagged(mailbox.Seen)),
}

func (p *queryParser) named(name string) (query, error) {
	if q, ok := simple[name]; ok {
		return q, nil
	}
	if err := p.space(); err != nil {
		return query{}, err
	}
	switch name {
	case "NOT", "OR":
		return p.combined(name)
	case "UID":
		return p.messages(true)
	case "LARGER", "SMALLER", "OLDER", "YOUNGER", "MODSEQ":
		return p.measured(name)
	case "SINCE", "BEFORE", "ON", "SENTSINCE", "SENTBEFORE", "SENTON":
		return p.dated(name)
	case "HEADER":
		field, err := p.astring()
		if err != nil {
			return query{}, err
		}
		text, err := spaced(p.scanner, p.astring)
		return ofText(search.Query{In: search.Field, Name: field, Value: text}), err
	}
	word, err := p.astring()
	if err != nil {
		return query{}, err
	}
	switch name {
	case "KEYWORD":
		return flagged(mailbox.Flag(word)), nil
	case "UNKEYWORD":
		return not(flagged(mailbox.Flag(word))), nil
	case "EMAILID":
		return of(func(m mailbox.Message) bool { return m.EmailID() == word }), nil
	case "THREADID":
		return constant(false), nil
	case "FROM", "TO", "CC", "BCC", "SUBJECT":
		return ofText(search.Query{In: search.Field, Name: name, Value: word}), nil
	case "BODY":
		return ofText(search.Query{In: search.Body, Value: word}), nil
	case "TEXT":
		return ofText(search.Query{In: search.Text, Value: word}), nil
	}
	return query{}, syntaxError("there is no search key " + name)
}

func (p *queryParser) combined(name string) (query, error) {
	if p.depth++; p.depth > maxDepth {
		return query{}, syntaxError("search keys lie too deep in each other")
	}
	defer func() { p.depth-- }()
	a, err := p.key()
	if err != nil || name == "NOT" {
		return not(a), err
	}
	b, err := spaced(p.scanner, p.key)
	if err != nil {
		return query{}, err
	}
	return or(a, b), nil
}

// messages reads a set of sequence numbers or UIDs.
func (p *queryParser) messages(uid bool) (query, error) {
	set, err := p.set()
	if err != nil {
		return query{}, err
	}
	ranges, err := p.view.find(set.upTo(p.view.count(), uid), uid)
	return ofHit(func(h hit) bool {
		k, _ := slices.BinarySearchFunc(ranges, h.i, func(r indexRange, i int) int {
			if r.to <= i {
				return -1
			}
			return 1
		})
		return k < len(ranges) && ranges[k].from <= h.i
	}), err
}

// upTo leaves out sequence numbers that nobody has: a search for them finds nothing.
func (n numbers) upTo(count int, uid bool) numbers {
	if uid || n.saved {
		return n
	}
	var out numbers
	for _, r := range n.ranges {
		if r.low == star || int64(r.low) <= int64(count) {
			if r.high != star {
				r.high = uint32(min(int64(r.high), int64(count)))
			}
			out.ranges = append(out.ranges, r)
		}
	}
	return out
}

// measured reads a key with a number.
func (p *queryParser) measured(name string) (query, error) {
	if name == "MODSEQ" && p.peek() == '"' { // the name and type of what has changed (RFC 7162 §3.1.5)
		if _, err := p.quoted(); err != nil {
			return query{}, err
		}
		if _, err := spaced(p.scanner, p.atom); err != nil {
			return query{}, err
		}
		if err := p.space(); err != nil {
			return query{}, err
		}
	}
	n, err := p.number(math.MaxInt64)
	if err != nil {
		return query{}, err
	}
	edge := p.now.Add(-time.Duration(min(n, math.MaxInt32)) * time.Second)
	switch name {
	case "LARGER":
		return of(func(m mailbox.Message) bool { return uint64(m.Size) > n }), nil
	case "SMALLER":
		return of(func(m mailbox.Message) bool { return uint64(m.Size) < n }), nil
	case "OLDER": // RFC 5032
		return of(func(m mailbox.Message) bool { return !m.Internal().After(edge) }), nil
	case "YOUNGER":
		return of(func(m mailbox.Message) bool { return !m.Internal().Before(edge) }), nil
	}
	p.modSeq = true
	return of(func(m mailbox.Message) bool { return m.ModSeq >= n }), nil
}

// dated reads a key with a date. Time of day and time zone do not count.
func (p *queryParser) dated(name string) (query, error) {
	word, err := p.astring()
	if err != nil {
		return query{}, err
	}
	want, err := time.Parse("2-Jan-2006", word)
	if err != nil {
		return query{}, expected("a date such as 1-Feb-2026")
	}
	name, sent := strings.CutPrefix(name, "SENT")
	fits := func(t time.Time) bool {
		y, m, d := t.Date()
		switch c := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Compare(want); name {
		case "SINCE":
			return c >= 0
		case "BEFORE":
			return c < 0
		default:
			return c == 0
		}
	}
	if !sent {
		return of(func(m mailbox.Message) bool { return fits(m.Internal()) }), nil
	}
	return ofHeader(func(h message.Header) bool {
		t, ok := h.Date()
		return ok && fits(t)
	}), nil
}
