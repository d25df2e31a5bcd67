package shelf

import (
	"strings"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/vcard"
	"cairn/store"
)

// A record is what is remembered of one resource, by its hash.
type record struct {
	uid   string
	event *ical.Index
	card  *vcard.Index
	err   error // it is no calendar or address object
}

// A recordKey names a record: the same bytes may lie in a calendar and, by
// mistake, in an address book.
type recordKey struct {
	hash store.Hash
	card bool
}

// recordBytes and cardBytes are about what a record, and a vcard.Index, take besides
// their texts.
const (
	recordBytes = 64
	cardBytes   = 112
)

func (r *record) bytes() int64 {
	n := recordBytes + int64(len(r.uid))
	if r.event != nil {
		n += int64(r.event.Size())
	}
	if r.card != nil {
		n += cardBytes + int64(len(r.card.FN)+len(r.card.Kind))
	}
	return n
}

func summarize(o *Object) *record {
	if o.Card != nil {
		x := o.Card.Index()
		// Its texts must not keep the whole card in memory.
		x.UID, x.FN, x.Kind = strings.Clone(x.UID), strings.Clone(x.FN), strings.Clone(x.Kind)
		return &record{uid: x.UID, card: &x}
	}
	x := o.Calendar.Index()
	return &record{uid: x.UID, event: x}
}

// record returns the record of a resource.
func (c *Collection) record(r Resource) (*record, error) {
	records := c.snap.shelf.records
	key := recordKey{r.ETag, c.Kind == Contacts}
	if x, ok := records.get(key); ok {
		return x, nil
	}
	data, err := c.Read(r)
	if err != nil {
		return nil, err
	}
	x := parseRecord(c.Kind, data)
	records.put(key, x, x.bytes())
	return x, nil
}

// parseRecord accepts what Parse refuses if it can be read at all.
func parseRecord(kind Kind, data []byte) *record {
	o := &Object{Kind: kind}
	var err error
	if kind == Contacts {
		o.Card, err = vcard.Parse(data)
	} else {
		o.Calendar, err = ical.Parse(data)
	}
	if err != nil {
		return &record{err: err}
	}
	return summarize(o)
}
