package pack

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"cairn/store/object"
)

// heldBytes bounds what a resolver holds of objects that wait for their
// remaining deltas. What was dropped is derived anew.
const heldBytes = 16 << 20

const maxResolvers = 4

// A frame is an object whose deltas are being resolved.
type frame struct {
	rec     uint32  // number of the record
	next    uint32  // 1 + number of the delta to resolve next
	content content // none when it was dropped
}

// A resolver resolves the deltas on one whole object, on those, and so on, depth first.
// Several work on different objects at a time.
type resolver struct {
	*receiver
	ctx   context.Context // ends when another resolver has met an error
	stack []frame
	held  int64
	delta []byte // the delta being applied; its memory is used again
	leaf  []byte // the object being made, until it is known to be a base
	owner bool   // this resolver may use the scratch
}

// maxExpansion is how many bytes of objects there may be for each byte of a pack,
// beyond freeExpansion. Histories of large files that change a little
// come to some thousand, bombs to millions.
const (
	maxExpansion  = 10_000
	freeExpansion = 256 << 20
)

// resolveAll resolves every delta that rests on an object in the pack.
func (rc *receiver) resolveAll() error {
	rc.lim.TotalBytes = min(rc.lim.TotalBytes, freeExpansion+maxExpansion*rc.end)
	var roots []uint32
	for i := range rc.records {
		if rc.records[i].isDelta() {
			continue
		}
		rc.adopt(uint32(i))
		if rc.records[i].child != 0 {
			roots = append(roots, uint32(i))
		}
	}
	group, ctx := errgroup.WithContext(rc.ctx)
	var taken atomic.Int64
	for range min(runtime.GOMAXPROCS(0), maxResolvers) {
		group.Go(func() error {
			r := &resolver{receiver: rc, ctx: ctx}
			for {
				i := taken.Add(1) - 1
				if i >= int64(len(roots)) {
					return nil
				}
				if err := r.tree(roots[i], content{}); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// adopt hangs the refDeltas that named this object, now that its hash is
// known, under it.
func (rc *receiver) adopt(i uint32) {
	if rc.byHash == nil {
		return
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
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

// tree resolves all that rests on root, whose content may be at hand.
func (r *resolver) tree(root uint32, c content) error {
	t := r.records[root].typ
	defer r.clear()
	r.push(root, c)
	for len(r.stack) > 0 {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		top := &r.stack[len(r.stack)-1]
		if top.next == 0 {
			r.pop()
			continue
		}
		child := top.next - 1
		if err := r.child(top, child, t); err != nil {
			return fmt.Errorf("object at %d: %w", r.records[child].off, err)
		}
	}
	return nil
}

// child resolves one delta on the topmost frame.
func (r *resolver) child(top *frame, child uint32, t object.Type) error {
	if len(r.stack) > maxChain {
		return formatError("delta chain is longer than %d", maxChain)
	}
	if err := r.derive(); err != nil {
		return err
	}
	c, err := r.resolve(child, top.content, t)
	if err != nil {
		return err
	}
	if top.next = r.records[child].next; top.next == 0 {
		r.drop(top)
	}
	if r.records[child].child == 0 {
		r.forget(c)
		return nil
	}
	r.push(child, r.own(c))
	for i := 0; r.held > heldBytes && i < len(r.stack)-1; i++ {
		r.drop(&r.stack[i])
	}
	return nil
}

// push begins with the deltas on an object.
func (r *resolver) push(rec uint32, c content) {
	r.stack = append(r.stack, frame{rec: rec, next: r.records[rec].child, content: c})
	r.records[rec].child = 0
	r.held += int64(len(c.data))
}

func (r *resolver) pop() {
	top := &r.stack[len(r.stack)-1]
	r.drop(top)
	r.forget(top.content)
	r.stack = r.stack[:len(r.stack)-1]
}

// clear leaves nothing behind, also after an error.
func (r *resolver) clear() {
	for len(r.stack) > 0 {
		r.pop()
	}
	r.leaveScratch()
}

// drop forgets content that is in memory; what is in the scratch stays, because
// that is used like a stack.
func (r *resolver) drop(f *frame) {
	r.held -= int64(len(f.content.data))
	f.content.data = nil
}

// resolve unpacks one delta, verifies what comes out, and records it. The
// result is good until the next call: see own.
func (r *resolver) resolve(i uint32, base content, t object.Type) (content, error) {
	rec := &r.records[i]
	c, err := r.unpack(base, rec.off, t, r.admit)
	if err != nil {
		return c, err
	}
	if rec.hash, err = r.verifyContent(t, c); err != nil {
		return c, err
	}
	rec.typ, rec.size = t, c.size()
	if c.region.size == 0 {
		r.recalled.add(i, t, c.data)
	}
	r.unsolved.Add(-1)
	r.adopt(i)
	return c, nil
}

// derive makes sure that the content of the topmost frame is at hand.
func (r *resolver) derive() error {
	i := len(r.stack) - 1
	for i > 0 && !r.stack[i].content.present() {
		i--
	}
	if f := &r.stack[i]; !f.content.present() {
		if err := r.unpackRoot(f); err != nil {
			return err
		}
	}
	root := &r.records[r.stack[0].rec]
	c := r.stack[i].content
	for i++; i < len(r.stack); i++ {
		next, err := r.unpack(c, r.records[r.stack[i].rec].off, root.typ, r.spend)
		if err != nil {
			return err
		}
		c = r.own(next)
		if i == len(r.stack)-1 {
			r.stack[i].content = c
			r.held += int64(len(c.data))
		}
	}
	return nil
}

// open returns an inflater behind the header of the entry at off.
func (rc *receiver) open(off int64) (*inflater, entryHeader, error) {
	in := newInflater(rc.spool, off, rc.end)
	h, err := readEntryHeader(in, off)
	if err == nil {
		err = in.start()
	}
	if err != nil {
		in.free()
		return nil, h, noEOF(err)
	}
	return in, h, nil
}
