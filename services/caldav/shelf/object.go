package shelf

import (
	"fmt"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/vcard"
	"cairn/store"
	"cairn/store/object"
)

// An Object is what can be put into a collection: bytes that were found to be a
// calendar or address object. It does not change.
type Object struct {
	Kind     Kind
	Data     []byte
	Hash     store.Hash // the ETag
	UID      string
	Calendar *ical.Calendar // of Calendars and Inbox
	Card     *vcard.Card    // of Contacts

	fresh    bool   // of those that a Copy has: it has to be written
	in, file string // where it lies on another branch, of those that a merge brings in
}

// Parse checks that data may lie in a collection of a kind, and belongs before
// an Update rather than in it. Errors: *ical.Error, *vcard.Error,
// store.ErrTooLarge. What lies in the inbox may have a METHOD.
func (s *Shelf) Parse(kind Kind, data []byte) (*Object, error) {
	if int64(len(data)) > s.o.MaxResource {
		return nil, fmt.Errorf("%d bytes, %d at most: %w", len(data), s.o.MaxResource, store.ErrTooLarge)
	}
	o := &Object{Kind: kind, Data: data, Hash: object.Object{Type: object.TypeBlob, Data: data}.Hash()}
	var err error
	switch kind {
	case Contacts:
		if o.Card, err = vcard.Parse(data); err == nil {
			err = o.Card.Check()
		}
	default:
		if o.Calendar, err = ical.Parse(data); err == nil && kind != Inbox {
			err = o.Calendar.CheckObject()
		}
	}
	if err != nil {
		return nil, err
	}
	r := summarize(o)
	o.UID = r.uid
	s.records.put(recordKey{o.Hash, kind == Contacts}, r, r.bytes())
	return o, nil
}
