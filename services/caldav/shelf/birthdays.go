package shelf

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"cairn/services/caldav/line"
	"cairn/services/caldav/vcard"
	"cairn/store"
	"cairn/store/object"
)

// A calendar with Props.Birthdays has in it the birthdays of the same person's contacts. It
// is computed whenever it is read: a resource for each card with a birthday, as a
// yearly event, with the age in the years around that of the commit. All of it
// follows from the snapshot, so ETags and sync tokens are as good as those of files.

// Ages are told from a year before the commit's to a few after it.
const (
	yearsBefore = 1
	yearsAfter  = 3
)

// birthdays are what a birthday calendar is computed from.
type birthdays struct {
	snap *Snapshot
	year int
}

// A birth is the card behind a resource of a birthday calendar.
type birth struct {
	in   *Collection
	card Resource
}

// bear makes a birthday calendar of a collection.
func (s *Snapshot) bear(c *Collection) {
	c.born = &birthdays{s, s.tree.Time().UTC().Year()}
	contacts, _ := s.tree.Lookup(string(Contacts))
	made := fmt.Sprintf("birthdays %v %v %d", c.hash, contacts.Hash, c.born.year)
	c.hash = object.Object{Type: object.TypeBlob, Data: []byte(made)}.Hash()
}

// ReadOnly says that what is in the collection comes from elsewhere: from
// contacts, or from the source that it follows.
func (c *Collection) ReadOnly() bool { return c.props.Birthdays || c.props.Source != nil }

// readBirthday writes a birthday again.
func (c *Collection) readBirthday(r Resource) ([]byte, error) {
	what, err := c.content()
	if err != nil {
		return nil, err
	}
	from, ok := what.births[r.Name]
	if !ok {
		return nil, c.absent(r.Name)
	}
	return c.born.event(r.Name, from)
}

// content lists the birthdays.
func (b *birthdays) content(h store.Hash) (*content, error) {
	shelf := b.snap.shelf
	key := contentKey{hash: h}
	if c, ok := shelf.contents.get(key); ok {
		return c, nil
	}
	c := &content{flat: &leaf{hash: h}, births: map[string]birth{}}
	books, err := b.snap.Collections(Contacts)
	if err != nil {
		return nil, err
	}
	for _, book := range books {
		if book.Conflicts() {
			continue
		}
		for r, err := range book.Resources() {
			if err != nil {
				return nil, err
			}
			if x, err := book.Card(r); err != nil || x.Birthday.IsZero() {
				continue
			}
			if err := b.add(c, birth{book, r}); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(c.flat.files, func(x, y file) int { return strings.Compare(x.file, y.file) })
	shelf.contents.put(key, c, c.cost())
	return c, nil
}

func (b *birthdays) add(c *content, from birth) error {
	sum := sha256.Sum256([]byte(from.in.Name + "/" + from.card.Name))
	name := hex.EncodeToString(sum[:12]) + Calendars.ext()
	data, err := b.event(name, from)
	if err != nil || data == nil {
		return err
	}
	h := object.Object{Type: object.TypeBlob, Data: data}.Hash()
	c.flat.files = append(c.flat.files, file{name, name, h, int64(len(data))})
	c.flat.bytes += int64(len(data))
	c.births[name] = from
	return nil
}

// event writes one birthday, and nothing for a card without.
func (b *birthdays) event(name string, from birth) ([]byte, error) {
	data, err := from.in.Read(from.card)
	if err != nil {
		return nil, err
	}
	card, err := vcard.Parse(data)
	if err != nil {
		return nil, nil // Card said that it can be parsed: it is not the one that was listed
	}
	for _, o := range card.Occasions() {
		if o.Kind != vcard.Birthday {
			continue
		}
		// Two address books may have the same card.
		o.UID = strings.TrimSuffix(name, Calendars.ext())
		root := &line.Component{Name: "VCALENDAR", Children: o.Events(b.year-yearsBefore, b.year+yearsAfter)}
		root.Add(line.Line{Name: "VERSION", Value: "2.0"}, line.Line{Name: "PRODID", Value: "-//Cairn//Birthdays//EN"})
		return root.Encode(), nil
	}
	return nil, nil
}
