package mem

import (
	"fmt"
	"io/fs"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// check says whether the changes may be made. The caller holds mu.
func (b *Backend) check(changes []store.RefChange) error {
	after := map[string]store.Hash{}
	for _, c := range changes {
		if !object.ValidRefName(c.Name) {
			return fmt.Errorf("ref name %q: %w", c.Name, fs.ErrInvalid)
		}
		if _, ok := after[c.Name]; ok {
			return fmt.Errorf("ref %s is changed twice: %w", c.Name, fs.ErrInvalid)
		}
		if actual := b.refs[c.Name]; actual != c.Old {
			return &store.ConflictError{Change: c, Actual: actual}
		}
		after[c.Name] = c.New
	}
	for _, c := range changes {
		if c.New == object.Zero {
			continue
		}
		if other := b.inTheWay(c.Name, after); other != "" {
			return fmt.Errorf("ref %s: %s is in the way: %w", c.Name, other, fs.ErrExist)
		}
	}
	return nil
}

// inTheWay returns a ref that cannot be beside this one, because one's name is
// a folder of the other's.
func (b *Backend) inTheWay(name string, after map[string]store.Hash) string {
	exists := func(name string) bool {
		if h, ok := after[name]; ok {
			return h != object.Zero
		}
		_, ok := b.refs[name]
		return ok
	}
	for i, c := range name {
		if c == '/' && exists(name[:i]) {
			return name[:i]
		}
	}
	if _, ok := b.refs[name]; ok {
		return "" // it is there already, so nothing is below it, or comes after
	}
	for other := range b.refs {
		if strings.HasPrefix(other, name+"/") && exists(other) {
			return other
		}
	}
	return ""
}
