package pack

import (
	"fmt"

	"cairn/store/object"
)

// heldBytes bounds the contents of objects that wait for their remaining
// deltas. What was dropped is derived anew.
const heldBytes = 48 << 20

// A frame is an object whose deltas are being resolved.
type frame struct {
	rec  uint32 // number of the record
	data []byte // nil when it was dropped
	next uint32 // 1 + number of the delta to resolve next
}

// resolveAll resolves every delta that rests on an object in the pack.
func (rc *receiver) resolveAll() error {
	for i := range rc.records {
		rec := &rc.records[i]
		if isDeltaType(rec.typ) {
			continue
		}
		rc.adopt(uint32(i))
		if rec.child == 0 {
			continue
		}
		if err := rc.resolveTree(uint32(i), nil); err != nil {
			return err
		}
	}
	return nil
}

func isDeltaType(t object.Type) bool { return t == ofsDelta || t == refDelta }

// adopt hangs the refDeltas that named this object, now that its hash is
// known, under it.
func (rc *receiver) adopt(i uint32) {
	rec := &rc.records[i]
	first, ok := rc.byHash[rec.hash]
	if !ok {
		return
	}
	delete(rc.byHash, rec.hash)
	last := first
	for rc.records[last-1].next != 0 {
		last = rc.records[last-1].next
	}
	rc.records[last-1].next, rec.child = rec.child, first
}

// resolveTree resolves the deltas on one whole object, theirs, and so on, depth
// first. data is the object's content when it is at hand.
func (rc *receiver) resolveTree(root uint32, data []byte) error {
	stack := []frame{rc.frame(root, data)}
	held := int64(len(data))
	for len(stack) > 0 {
		if err := rc.ctx.Err(); err != nil {
			return err
		}
		top := &stack[len(stack)-1]
		if top.next == 0 {
			held -= int64(len(top.data))
			stack = stack[:len(stack)-1]
			continue
		}
		child := top.next - 1
		if err := rc.derive(stack, &held); err != nil {
			return err
		}
		data, err := rc.resolve(child, top.data, rc.records[root].typ)
		if err != nil {
			return fmt.Errorf("object at %d: %w", rc.records[child].off, err)
		}
		if top.next = rc.records[child].next; top.next == 0 {
			held -= int64(len(top.data))
			top.data = nil
		}
		if rc.records[child].child == 0 {
			continue
		}
		held += int64(len(data))
		stack = append(stack, rc.frame(child, data))
		for i := 0; held > heldBytes && i < len(stack)-1; i++ {
			held -= int64(len(stack[i].data))
			stack[i].data = nil
		}
	}
	return nil
}

// frame begins with the deltas on an object, which no other frame then does.
func (rc *receiver) frame(rec uint32, data []byte) frame {
	first := rc.records[rec].child
	rc.records[rec].child = 0
	return frame{rec: rec, data: data, next: first}
}

// resolve unpacks one delta, verifies what comes out, and records it.
func (rc *receiver) resolve(i uint32, base []byte, t object.Type) ([]byte, error) {
	rec := &rc.records[i]
	delta, err := rc.inflate(rec.off)
	if err != nil {
		return nil, err
	}
	_, size, _, err := deltaSizes(delta)
	if err != nil {
		return nil, err
	}
	if err := rc.admit(size); err != nil {
		return nil, err
	}
	data, err := Apply(base, delta, rc.lim.ObjectBytes)
	if err != nil {
		return nil, err
	}
	if rec.hash, err = rc.verify(t, data); err != nil {
		return nil, err
	}
	rec.typ = t
	rc.unsolved--
	rc.adopt(i)
	return data, nil
}

// derive makes sure that the content of the topmost frame is in memory.
func (rc *receiver) derive(stack []frame, held *int64) error {
	from := len(stack) - 1
	for from > 0 && stack[from].data == nil {
		from--
	}
	data := stack[from].data
	if data == nil {
		var err error
		if data, err = rc.inflate(rc.records[stack[from].rec].off); err != nil {
			return err
		}
		stack[from].data = data
		*held += int64(len(data))
	}
	for i := from + 1; i < len(stack); i++ {
		delta, err := rc.inflate(rc.records[stack[i].rec].off)
		if err != nil {
			return err
		}
		if data, err = Apply(data, delta, rc.lim.ObjectBytes); err != nil {
			return err
		}
	}
	if top := &stack[len(stack)-1]; top.data == nil {
		top.data = data
		*held += int64(len(data))
	}
	return nil
}

// inflate unpacks the stream of the entry at off from the spool.
func (rc *receiver) inflate(off int64) ([]byte, error) {
	in := newInflater(rc.spool, off, rc.end)
	defer in.free()
	h, err := readEntryHeader(in, off)
	if err != nil {
		return nil, noEOF(err)
	}
	return in.all(h.size)
}
