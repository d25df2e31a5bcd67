package shelf

import (
	"hash/maphash"
	"slices"
)

// A uidEntry says that a file in a leaf has a UID with this hash.
type uidEntry struct {
	key uint64
	at  int32
}

// byUID calls f with the resources that have this UID until it returns false.
func (c *content) byUID(of *Collection, uid string, f func(Resource) bool) error {
	key := maphash.String(of.snap.shelf.seed, uid)
	for l := range c.leaves() {
		table, err := l.table(of, c)
		if err != nil {
			return err
		}
		i, _ := slices.BinarySearchFunc(table, key, func(e uidEntry, key uint64) int {
			if e.key < key {
				return -1
			}
			return int(min(e.key-key, 1))
		})
		for ; i < len(table) && table[i].key == key; i++ {
			r := c.resource(l, &l.files[table[i].at])
			x, err := of.record(r)
			if err != nil {
				return err
			}
			if x.uid == uid && !f(r) {
				return nil
			}
		}
	}
	return nil
}

// table returns the UIDs of a leaf. It reads those files that are not known yet.
func (l *leaf) table(of *Collection, c *content) ([]uidEntry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known {
		return l.uids, nil
	}
	table := make([]uidEntry, 0, len(l.files))
	for i := range l.files {
		x, err := of.record(c.resource(l, &l.files[i]))
		if err != nil {
			return nil, err
		}
		if x.uid != "" {
			table = append(table, uidEntry{maphash.String(of.snap.shelf.seed, x.uid), int32(i)})
		}
	}
	slices.SortFunc(table, func(a, b uidEntry) int {
		if a.key < b.key {
			return -1
		}
		return int(min(a.key-b.key, 1))
	})
	l.uids, l.known = table, true
	return table, nil
}
