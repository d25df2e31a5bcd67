package imap

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cairn/services/mail/message"
	"cairn/services/mail/search"
)

// A sortKey is a criterion of SORT (RFC 5256 §3, RFC 5957).
type sortKey struct {
	reverse bool
	value   func(m hit, h message.Header) sortValue
	reads   bool // the header
}

// A sortValue is compared by number and then by text.
type sortValue struct {
	number int64
	text   string
}

func (v sortValue) compare(w sortValue) int {
	return cmp.Or(cmp.Compare(v.number, w.number), strings.Compare(v.text, w.text))
}

var sortKeys = map[string]sortKey{
	"ARRIVAL": {value: func(m hit, _ message.Header) sortValue { return sortValue{number: m.m.Internal().Unix()} }},
	"SIZE":    {value: func(m hit, _ message.Header) sortValue { return sortValue{number: int64(m.m.Size)} }},
	"DATE":    {value: func(m hit, h message.Header) sortValue { return sortValue{number: sent(m, h).Unix()} }, reads: true},
	"SUBJECT": {value: func(_ hit, h message.Header) sortValue { return sortValue{text: subject(h)} }, reads: true},
	"FROM":    byAddress("From", local), "TO": byAddress("To", local), "CC": byAddress("Cc", local),
	"DISPLAYFROM": byAddress("From", display), "DISPLAYTO": byAddress("To", display),
}

func byAddress(field string, text func(message.Address) string) sortKey {
	return sortKey{reads: true, value: func(_ hit, h message.Header) sortValue {
		for _, a := range h.Addresses(field) {
			return sortValue{text: short(search.Fold(text(a)))}
		}
		return sortValue{}
	}}
}

func local(a message.Address) string { return a.Local }

func display(a message.Address) string { return cmp.Or(a.Name, a.Addr()) }

// sent is when a message was sent (RFC 5256 §2.2).
func sent(m hit, h message.Header) time.Time { return h.Sent(m.m.Internal()) }

// subject is what messages of one conversation have in common (RFC 5256 §2.1).
func subject(h message.Header) string {
	base, _ := message.BaseSubject(h.Text("Subject"))
	return short(search.Fold(base))
}

// short bounds what is kept of a text to sort by.
func short(s string) string { return strings.Clone(s[:min(len(s), 200)]) }

// maxSorted bounds how many messages are sorted or threaded at a time: each takes up to
// about a kilobyte meanwhile.
const maxSorted = 200_000

// sort is SORT and UID SORT.
func (s *session) sort(c *command) error {
	p := s.parser(c)
	if err := p.space(); err != nil {
		return err
	}
	keys, err := p.sortKeys()
	if err == nil {
		err = p.space()
	}
	if err != nil {
		return err
	}
	found, q, err := s.chooseFrom(p)
	if err != nil {
		return err
	}
	values, err := s.sortValues(found, keys)
	if err != nil {
		return err
	}
	order := make([]int, len(found))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		for k, key := range keys {
			c := values[a*len(keys)+k].compare(values[b*len(keys)+k])
			if key.reverse {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	uid := strings.HasPrefix(c.name, "UID ")
	b := []byte("* SORT")
	for _, i := range order {
		b = strconv.AppendUint(append(b, ' '), uint64(found[i].number(uid)), 10)
	}
	if q.modSeq && len(found) > 0 {
		b = append(strconv.AppendUint(append(b, " (MODSEQ "...), highest(found), 10), ')')
	}
	return s.front.wire.send(append(b, "\r\n"...))
}

// chooseFrom reads charset and keys, as SORT and THREAD have them, and finds what fits.
func (s *session) chooseFrom(p *queryParser) ([]hit, *queryParser, error) {
	if err := s.refresh(); err != nil {
		return nil, nil, err
	}
	if err := p.charset(); err != nil {
		return nil, nil, err
	}
	q, err := spaced(p.scanner, p.all)
	if err != nil {
		return nil, nil, err
	}
	found, err := s.matching(q)
	if err == nil && len(found) > maxSorted {
		err = no("LIMIT", "That is too much to be put in order at a time: search for less")
	}
	return found, p, err
}

// sortKeys reads the criteria in their parentheses.
func (p *queryParser) sortKeys() ([]sortKey, error) {
	var keys []sortKey
	reverse := false
	err := p.list(func() error {
		word, err := p.keyword()
		if err != nil {
			return err
		}
		if word == "REVERSE" && !reverse {
			reverse = true
			return nil
		}
		key, ok := sortKeys[word]
		if !ok || len(keys) == 2*len(sortKeys) {
			return expected("criteria to sort by")
		}
		key.reverse, reverse = reverse, false
		keys = append(keys, key)
		return nil
	})
	if err == nil && (len(keys) == 0 || reverse) {
		err = expected("criteria to sort by")
	}
	return keys, err
}

// sortValues are what the messages are compared by, one after another.
func (s *session) sortValues(found []hit, keys []sortKey) ([]sortValue, error) {
	values := make([]sortValue, len(found)*len(keys))
	fill := func(k int, h message.Header) {
		for n, key := range keys {
			values[k*len(keys)+n] = key.value(found[k], h)
		}
	}
	if slices.ContainsFunc(keys, func(k sortKey) bool { return k.reads }) {
		return values, s.eachHeader(found, fill)
	}
	for k := range found {
		fill(k, message.Header{})
	}
	return values, nil
}
