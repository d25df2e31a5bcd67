package imap

import (
	"slices"
	"strings"
	"time"

	"cairn/services/mail/mailbox"

	"github.com/emersion/go-imap/v2"
)

// A query is what SEARCH, SORT and THREAD look for: one search key, or a list of which all
// have to fit (RFC 9051 §6.4.4). fits says of each message whether it does.
type query struct {
	cost cost
	fits func(s *session, list []hit) ([]bool, error)
}

// A cost is what has to be read of a message to know whether a query fits.
type cost int

const (
	costNothing cost = iota
	costHeader
	costText
)

// maxKeys bounds how many keys a search may have.
const maxKeys = 2000

// A queryParser reads search keys.
type queryParser struct {
	*scanner
	view   *view
	now    time.Time
	keys   int
	modSeq bool // there is a MODSEQ among them
}

// all reads keys up to the end of the command.
func (p *queryParser) all() (query, error) {
	var list []query
	for {
		q, err := p.key()
		if err != nil {
			return query{}, err
		}
		list = append(list, q)
		if !p.is(' ') || len(p.b) == 0 {
			return and(list), p.end()
		}
	}
}

// and fits when all of a list do. What costs least is asked first, and of what it leaves over the rest.
func and(list []query) query {
	if len(list) == 1 {
		return list[0]
	}
	slices.SortStableFunc(list, func(a, b query) int { return int(a.cost - b.cost) })
	return query{list[len(list)-1].cost, func(s *session, hits []hit) ([]bool, error) {
		yes := make([]bool, len(hits))
		for i := range yes {
			yes[i] = true
		}
		for _, q := range list {
			if err := narrow(s, q, hits, yes, true); err != nil {
				return nil, err
			}
		}
		return yes, nil
	}}
}

func or(a, b query) query {
	if b.cost < a.cost {
		a, b = b, a
	}
	return query{b.cost, func(s *session, hits []hit) ([]bool, error) {
		yes, err := a.fits(s, hits)
		if err == nil {
			err = narrow(s, b, hits, yes, false)
		}
		return yes, err
	}}
}

// narrow asks a query about those hits for which yes is known, and puts its answers there.
func narrow(s *session, q query, hits []hit, yes []bool, known bool) error {
	var some []hit
	for i, h := range hits {
		if yes[i] == known {
			some = append(some, h)
		}
	}
	if len(some) == 0 {
		return nil
	}
	answers, err := q.fits(s, some)
	if err != nil {
		return err
	}
	for i := range yes {
		if yes[i] == known {
			yes[i], answers = answers[0], answers[1:]
		}
	}
	return nil
}

func not(q query) query {
	return query{q.cost, func(s *session, hits []hit) ([]bool, error) {
		yes, err := q.fits(s, hits)
		for i := range yes {
			yes[i] = !yes[i]
		}
		return yes, err
	}}
}

// of makes a query of what is known of a message without reading it.
func of(f func(m mailbox.Message) bool) query {
	return ofHit(func(h hit) bool { return f(h.m) })
}

func ofHit(f func(h hit) bool) query {
	return query{costNothing, func(_ *session, hits []hit) ([]bool, error) {
		yes := make([]bool, len(hits))
		for i, h := range hits {
			yes[i] = f(h)
		}
		return yes, nil
	}}
}

func constant(yes bool) query { return of(func(mailbox.Message) bool { return yes }) }

func flagged(f mailbox.Flag) query {
	return of(func(m mailbox.Message) bool { return m.Flags.Has(f) })
}

// charset reads a name of a charset (RFC 9051 §6.4.4).
func (p *queryParser) charset() error {
	name, err := p.astring()
	if err != nil {
		return err
	}
	switch strings.ToUpper(name) {
	case "US-ASCII", "UTF-8":
		return nil
	}
	return no(imap.ResponseCodeBadCharset+" (US-ASCII UTF-8)", "Text is searched for in UTF-8")
}
