package pack

import (
	"fmt"

	"cairn/store/object"
)

// maxSpecials bounds what is noted of a pack: more different .gitmodules and
// .gitattributes than any real history has.
const maxSpecials = 1 << 16

func (rc *receiver) noteSpecial(kind object.Special, h Hash) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if rc.special == nil {
		rc.special = make(map[Hash]object.Special)
	}
	if len(rc.special) < maxSpecials {
		rc.special[h] |= kind
	}
}

// checkSpecials checks the blobs that git reads itself, once everything can
// be read. Those that are not in the pack were checked when they came.
func (rc *receiver) checkSpecials() error {
	if len(rc.special) == 0 {
		return nil
	}
	if len(rc.special) == maxSpecials {
		return fmt.Errorf("different .gitmodules and .gitattributes: %w", ErrTooLarge)
	}
	ix, err := OpenIndex(rc.received().Index())
	if err != nil {
		return err
	}
	p, err := Open(rc.spool, rc.end+trailerSize, ix, NewBaseCache(heldBytes))
	if err != nil {
		return err
	}
	for i := range rc.records {
		rec := &rc.records[i]
		kinds := rc.special[rec.hash]
		if kinds == 0 {
			continue
		}
		if err := rc.checkSpecial(p, rec, kinds); err != nil {
			return fmt.Errorf("object %s: %w", rec.hash, err)
		}
	}
	return nil
}

func (rc *receiver) checkSpecial(p *Pack, rec *record, kinds object.Special) error {
	o := object.Object{Type: rec.typ}
	if rec.typ == object.TypeBlob {
		var work int64
		var err error
		if o, work, err = p.read(rec.off, maxSpecial, MaxObject); err != nil {
			return err
		}
		if err := rc.spend(o.Type, work); err != nil {
			return err
		}
	}
	if err := object.CheckSpecial(kinds, o); err != nil {
		return err
	}
	return rc.ctx.Err()
}

// maxSpecial is the largest .gitmodules or .gitattributes that is accepted.
const maxSpecial = 8 << 20
