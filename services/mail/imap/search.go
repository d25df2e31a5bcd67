package imap

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

// An inquiry is a SEARCH command (RFC 9051 §6.4.4, RFC 4731, RFC 5182). The front answers it, as
// the library knows no MODSEQ, OLDER and EMAILID, and forgets SMALLER before a date.
type inquiry struct {
	extended, min, max, all, count, save bool
	query                                query
	modSeq                               bool
}

// search is SEARCH and UID SEARCH.
func (s *session) search(c *command) error {
	uid := strings.HasPrefix(c.name, "UID ")
	if err := s.refresh(); err != nil {
		return err
	}
	q, err := s.parseSearch(c)
	if err != nil {
		return err
	}
	s.condStore = s.condStore || q.modSeq
	found, err := s.matching(q.query)
	if err != nil {
		if q.save {
			s.view.saved = numbers{}
		}
		return err
	}
	return s.front.wire.send(s.report(q, c.tag, found, uid))
}

func (s *session) parser(c *command) *queryParser {
	return &queryParser{scanner: c.arguments(), view: s.view, now: time.Now()}
}

func (s *session) parseSearch(c *command) (*inquiry, error) {
	p, q := s.parser(c), &inquiry{}
	if err := p.space(); err != nil {
		return nil, err
	}
	for {
		word, rest, _ := strings.Cut(strings.ToUpper(string(p.b[:min(len(p.b), 10)])), " ")
		var err error
		switch {
		case word == "RETURN" && strings.HasPrefix(rest, "("):
			p.b = p.b[len("RETURN "):]
			q.extended = true
			if err = p.list(func() error { return q.option(p.scanner) }); err == nil {
				err = p.space()
			}
		case word == "CHARSET" && len(p.b) > len("CHARSET "):
			p.b = p.b[len("CHARSET "):]
			if err = p.charset(); err == nil {
				err = p.space()
			}
		default:
			q.all = q.all || !q.min && !q.max && !q.count && !q.save
			q.query, err = p.all()
			q.modSeq = p.modSeq
			return q, err
		}
		if err != nil {
			return nil, err
		}
	}
}

func (q *inquiry) option(s *scanner) error {
	word, err := s.keyword()
	if err != nil {
		return err
	}
	switch word {
	case "MIN":
		q.min = true
	case "MAX":
		q.max = true
	case "ALL":
		q.all = true
	case "COUNT":
		q.count = true
	case "SAVE":
		q.save = true
	default:
		return syntaxError("there is no return option " + word)
	}
	return nil
}

func highest(found []hit) uint64 {
	var n uint64
	for _, h := range found {
		n = max(n, h.m.ModSeq)
	}
	return n
}

// report writes the response to a search, and saves what was found if it has to.
func (s *session) report(q *inquiry, tag string, found []hit, uid bool) []byte {
	if q.save {
		s.save(q, found)
	}
	if q.save && !q.min && !q.max && !q.count && !q.all {
		return nil
	}
	if q.extended || s.conn.EnabledCaps().Has(imap.CapIMAP4rev2) {
		return q.esearch(tag, found, uid)
	}
	b := []byte("* SEARCH")
	for _, h := range found {
		b = strconv.AppendUint(append(b, ' '), uint64(h.number(uid)), 10)
	}
	if q.modSeq && len(found) > 0 {
		b = append(strconv.AppendUint(append(b, " (MODSEQ "...), highest(found), 10), ')')
	}
	return append(b, "\r\n"...)
}

func (q *inquiry) esearch(tag string, found []hit, uid bool) []byte {
	b := append(appendString([]byte("* ESEARCH (TAG "), tag, false), ')')
	if uid {
		b = append(b, " UID"...)
	}
	number := func(name string, n uint32) {
		b = strconv.AppendUint(append(append(append(b, ' '), name...), ' '), uint64(n), 10)
	}
	if len(found) > 0 {
		if q.min {
			number("MIN", found[0].number(uid))
		}
		if q.max {
			number("MAX", found[len(found)-1].number(uid))
		}
		if q.all {
			var set numbers
			for _, h := range found {
				set.add(h.number(uid))
			}
			b = set.append(append(b, " ALL "...))
		}
	}
	if q.count {
		number("COUNT", uint32(len(found)))
	}
	if q.modSeq && len(found) > 0 {
		b = strconv.AppendUint(append(b, " MODSEQ "...), q.highest(found), 10)
	}
	return append(b, "\r\n"...)
}

// highest is the MODSEQ that goes with what is returned (RFC 4731 §3.2).
func (q *inquiry) highest(found []hit) uint64 {
	if q.all || q.count {
		return highest(found)
	}
	return highest(q.ends(found))
}

// ends are the first and the last hit, as far as they are asked for.
func (q *inquiry) ends(found []hit) []hit {
	var ends []hit
	if q.min && len(found) > 0 {
		ends = append(ends, found[0])
	}
	if q.max && len(found) > 0 {
		ends = append(ends, found[len(found)-1])
	}
	return ends
}

// save keeps what was found for "$" (RFC 5182 §2.1).
func (s *session) save(q *inquiry, found []hit) {
	if (q.min || q.max) && !q.all && !q.count {
		found = slices.CompactFunc(q.ends(found), func(a, b hit) bool { return a.m.UID == b.m.UID })
	}
	s.view.saved = numbers{}
	for _, h := range found {
		s.view.saved.add(uint32(h.m.UID))
	}
}
