package caldav

import (
	"errors"
	"net/http"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/vcard"
)

// errEnough ends a walk early.
var errEnough = errors.New("enough")

// addressbookQuery answers addressbook-query (RFC 6352 §8.6).
func (x *exchange) addressbookQuery(n *node, q *dav.AddressbookQuery) error {
	depth, err := x.queryDepth()
	if err != nil {
		return err
	}
	m, _ := x.multistatus()
	s, found := selected(&q.Want), 0
	err = x.eachBelow(n, depth, func(c *node) error {
		e := cardNode{node: c}
		ok, err := e.meets(q.Filter)
		if err != nil || !ok {
			return err
		}
		if found++; q.Limit > 0 && found > q.Limit {
			return errEnough
		}
		x.respondCard(m, e, s, q.Data)
		return m.Err()
	})
	if errors.Is(err, errEnough) {
		err = nil
		truncated(m, n)
	}
	return x.closing(m, err)
}

// truncated says that there is more than the answer holds (RFC 6352 §8.6.2, RFC 6578 §3.6).
func truncated(m *dav.Multistatus, n *node) {
	m.Status(n.href, http.StatusInsufficientStorage,
		dav.Violated(http.StatusInsufficientStorage, dav.D("number-of-matches-within-limits"), "there are more"))
}

// addressbookMultiget answers addressbook-multiget (RFC 6352 §8.7).
func (x *exchange) addressbookMultiget(n *node, q *dav.AddressbookMultiget) error {
	m, _ := x.multistatus()
	s := selected(&q.Want)
	err := x.eachHref(n, q.Hrefs, m, func(c *node) error {
		x.respondCard(m, cardNode{node: c}, s, q.Data)
		return nil
	})
	return x.closing(m, err)
}

// A cardNode is an address object, and what has been read of it so far.
type cardNode struct {
	*node
	card *vcard.Card
}

// meets reports whether a card meets a filter. What is no card meets none.
func (e *cardNode) meets(f *vcard.Filter) (bool, error) {
	if len(f.Props) == 0 {
		return true, nil
	}
	if err := e.read(); err != nil {
		return false, unlessInvalid(err)
	}
	return f.Match(e.card), nil
}

// read parses the card.
func (e *cardNode) read() error {
	if e.card != nil {
		return nil
	}
	data, err := e.col.Read(e.res)
	if err != nil {
		return err
	}
	e.card, err = vcard.Parse(data)
	return err
}

// show returns what is wanted of the card (RFC 6352 §10.4). A card that is wanted whole, and in the version that
// it has, is not parsed.
func (e *cardNode) show(d *vcard.Data) ([]byte, error) {
	if len(d.Props) == 0 {
		index, err := e.col.Card(e.res)
		if err != nil {
			return nil, err
		}
		if index.Version == d.Version {
			return e.col.Read(e.res)
		}
	}
	if err := e.read(); err != nil {
		return nil, err
	}
	return d.Project(e.card), nil
}

// respondCard adds one card to an answer; d is nil when its data is not asked for.
func (x *exchange) respondCard(m *dav.Multistatus, e cardNode, s *selection, d *vcard.Data) {
	r := m.Response(e.href)
	if d != nil {
		data, err := e.show(d)
		switch {
		case err != nil:
			x.unreadable(r, dav.AddressData, e.node, err)
		case d.Version == vcard.V3:
			r.Data(dav.AddressData, data)
		default:
			r.Data(dav.AddressData, data, dav.At("content-type", "text/vcard"), dav.At("version", d.Version))
		}
	}
	x.describe(e.node, s, r)
	r.Done()
}
