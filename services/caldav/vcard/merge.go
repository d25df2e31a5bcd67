package vcard

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"cairn/services/caldav/line"
)

// ErrConflict says that both sides have changed the same thing differently.
var ErrConflict = errors.New("both sides have changed the same of a card")

// Merge brings together what two sides have made of the card base, property by
// property: what only one side has changed is taken from that side. Both may have
// added telephone numbers, say, or members to a group; when both have changed
// the same property, or one that a card has once, differently, it is ErrConflict. Of
// REV the later wins. A group, such as a telephone number with its label, is
// one thing, whatever its name: clients give them new names at every
// occasion. Without a base (nil) only what is the same on both sides can be merged.
//
// The result has the order of ours. An error that is not ErrConflict is of type
// *Error, about the first of the three that is no card.
func Merge(base, ours, theirs []byte) ([]byte, error) {
	var cards [3]*Card
	for i, data := range [][]byte{ours, theirs, base} {
		if i == 2 && base == nil {
			break
		}
		c, err := Parse(data)
		if err != nil {
			return nil, fmt.Errorf("merge: %w", err)
		}
		if i > 0 {
			c = c.Convert(cards[0].Version)
		}
		cards[i] = c
	}
	a, b := unitsOf(cards[0]), unitsOf(cards[1])
	if cards[2] == nil {
		if !a.equal(b) {
			return nil, ErrConflict
		}
		return ours, nil
	}
	merged, err := mergeUnits(unitsOf(cards[2]), a, b)
	if err != nil {
		return nil, err
	}
	return (&Card{Version: cards[0].Version, Lines: merged}).Encode(), nil
}

// single lists the properties that a card has once and that a merge must not double
// (RFC 6350 §6: cardinality 1 and *1; of the others, those that clients show once).
var single = map[string]bool{
	"VERSION": true, "UID": true, "FN": true, "N": true, "BDAY": true, "ANNIVERSARY": true, "DEATHDATE": true, "GENDER": true, "KIND": true,
	"X-ADDRESSBOOKSERVER-KIND": true, "X-ABSHOWAS": true, "NOTE": true, "PHOTO": true, "ORG": true, "TITLE": true, "ROLE": true,
	"NICKNAME": true, "CATEGORIES": true, "SORT-STRING": true, "CLASS": true,
}

// Bookkeeping of the client is nobody's data: ours stays.
var bookkeeping = map[string]bool{"PRODID": true, "REV": true}

// mergeUnits is Merge for cards of one version.
func mergeUnits(base, ours, theirs *units) ([]line.Line, error) {
	ourWay, theirWay := changes(base, ours), changes(base, theirs)
	for name, a := range ourWay {
		b := theirWay[name]
		if b == nil || a.equal(b) || bookkeeping[name] {
			continue
		}
		if single[name] || a.meets(b) {
			return nil, fmt.Errorf("%w: %s", ErrConflict, name)
		}
	}
	var kept []*unit
	for _, u := range ours.list {
		if bookkeeping[u.name] || theirs.has[u.key] || !base.has[u.key] {
			kept = append(kept, u)
		}
	}
	for _, u := range theirs.list {
		if !bookkeeping[u.name] && !base.has[u.key] && !ours.has[u.key] {
			kept = append(kept, u)
		}
	}
	return laterRev(regroup(kept), theirs), nil
}

// A change is what a side has done to the properties of one name.
type change struct{ added, removed map[string]bool } // by key

// changes are by name.
func changes(base, side *units) map[string]*change {
	all := map[string]*change{}
	at := func(name string) *change {
		if all[name] == nil {
			all[name] = &change{map[string]bool{}, map[string]bool{}}
		}
		return all[name]
	}
	for _, u := range base.list {
		if !side.has[u.key] {
			at(u.name).removed[u.key] = true
		}
	}
	for _, u := range side.list {
		if !base.has[u.key] {
			at(u.name).added[u.key] = true
		}
	}
	return all
}

func (c *change) equal(d *change) bool {
	return maps.Equal(c.added, d.added) && maps.Equal(c.removed, d.removed)
}

// meets reports whether both changes may be of the same property: they have taken
// away the same one, and do not agree on what came in its place.
func (c *change) meets(d *change) bool {
	for key := range c.removed {
		if d.removed[key] {
			return !maps.Equal(c.added, d.added)
		}
	}
	return false
}

// laterRev puts the later REV of both sides into lines.
func laterRev(lines []line.Line, theirs *units) []line.Line {
	i := slices.IndexFunc(lines, func(l line.Line) bool { return l.Name == "REV" })
	for _, u := range theirs.list {
		if u.name == "REV" && i >= 0 && timestamp4(u.lines[0].Value) > timestamp4(lines[i].Value) {
			lines[i] = u.lines[0]
		}
	}
	return lines
}
