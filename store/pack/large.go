package pack

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/pjbgf/sha1cd"

	"cairn/store/object"
)

// largeObject is the largest blob that is in memory while deltas are received.
// Larger ones lie in the spool behind the pack, and their deltas are streamed.
const largeObject = 16 << 20

// content is an object's content while its deltas are resolved: in memory, or
// a region of the scratch.
type content struct {
	data   []byte
	region region
}

type region struct{ off, size int64 }

func (c content) present() bool { return c.data != nil || c.region.size > 0 }

func (c content) size() int64 { return max(int64(len(c.data)), c.region.size) }

// The scratch is the spool behind the pack. One resolver at a time uses it, like a
// stack.
type scratch struct {
	mu   sync.Mutex
	top  int64
	used bool
}

func (r *resolver) enterScratch() {
	if !r.owner {
		r.scratch.mu.Lock()
		r.owner = true
		r.scratch.used = true
		r.scratch.top = r.end + trailerSize
	}
}

func (r *resolver) leaveScratch() {
	if r.owner {
		r.owner = false
		r.scratch.mu.Unlock()
	}
}

// spill begins a region of this size; write must fill it.
func (r *resolver) spill(size int64, write func(io.Writer) error) (content, error) {
	r.enterScratch()
	c := content{region: region{r.scratch.top, size}}
	w := bufio.NewWriterSize(io.NewOffsetWriter(r.spool, c.region.off), flushAt)
	err := write(w)
	if err == nil {
		if err = w.Flush(); err != nil {
			err = fmt.Errorf("spool pack: %w", err)
		}
	}
	r.scratch.top += size
	return c, err
}

// forget frees what c takes of the scratch; it was the last to take.
func (r *resolver) forget(c content) {
	if c.region.size > 0 {
		r.scratch.top = c.region.off
	}
}

func (r *resolver) reader(c content) io.ReaderAt {
	if c.region.size > 0 {
		return io.NewSectionReader(r.spool, c.region.off, c.region.size)
	}
	return bytes.NewReader(c.data)
}

// own makes content outlive the next delta.
func (r *resolver) own(c content) content {
	switch {
	case c.data == nil:
	case cap(c.data)-len(c.data) <= len(c.data)/8:
		r.leaf = nil // it fits well: no copy
	default:
		c.data = append(make([]byte, 0, len(c.data)), c.data...)
	}
	return c
}

func (r *resolver) verifyContent(t object.Type, c content) (Hash, error) {
	if c.region.size == 0 {
		return r.verify(t, c.data)
	}
	d := sha1cd.New().(sha1cd.CollisionResistantHash)
	d.Write(object.AppendHeader(nil, t, c.region.size))
	if _, err := io.Copy(d, io.NewSectionReader(r.spool, c.region.off, c.region.size)); err != nil {
		return Hash{}, fmt.Errorf("read spooled pack: %w", err)
	}
	return sumOf(d)
}

// unpackRoot inflates the object at the bottom of the stack.
func (r *resolver) unpackRoot(f *frame) error {
	in, h, err := r.open(r.records[f.rec].off)
	if err != nil {
		return err
	}
	defer in.free()
	if err := r.spend(h.typ, h.size); err != nil {
		return err
	}
	if h.typ == object.TypeBlob && h.size > largeObject {
		f.content, err = r.spill(h.size, func(w io.Writer) error {
			_, err := io.CopyN(w, in.z, h.size)
			return zlibError(err)
		})
		return err
	}
	f.content.data, err = inflateGrowing(in.z, nil, h.size)
	r.held += int64(len(f.content.data))
	return err
}

// unpack makes the target of the delta at off. It lies in r.leaf or in the
// scratch. count is asked whether there may be an object of that size.
func (r *resolver) unpack(base content, off int64, t object.Type, count func(object.Type, int64) error) (c content, err error) {
	in, h, err := r.open(off)
	if err != nil {
		return c, err
	}
	defer in.free()
	if h.size > 2*maxParsed {
		if t != object.TypeBlob || h.size > maxBase {
			return c, fmt.Errorf("delta of %d bytes: %w", h.size, ErrTooLarge)
		}
		return r.unpackLarge(base, bufio.NewReader(in.z), t, count)
	}
	if r.delta, err = inflateGrowing(in.z, r.delta, h.size); err != nil {
		return c, err
	}
	_, size, _, err := deltaSizes(r.delta)
	if err != nil {
		return c, err
	}
	if t == object.TypeBlob && max(base.size(), size) > largeObject {
		return r.unpackLarge(base, bytes.NewReader(r.delta), t, count)
	}
	if err := count(t, size); err != nil {
		return c, err
	}
	data, err := appendTarget(r.leaf, base.data, r.delta, size)
	if err != nil {
		return c, err
	}
	r.leaf = data
	return content{data: data}, nil
}

// unpackLarge applies a delta of which neither base nor target nor
// instructions need be in memory.
func (r *resolver) unpackLarge(base content, delta byteReader, t object.Type, count func(object.Type, int64) error) (c content, err error) {
	baseSize, err := readDeltaSize(delta)
	if err != nil {
		return c, err
	}
	size, err := readDeltaSize(delta)
	if err != nil {
		return c, err
	}
	if baseSize != base.size() {
		return c, formatError("delta is for a base of %d bytes, not %d", baseSize, base.size())
	}
	if max(baseSize, size) > maxBase { // could be received, but not read
		return c, fmt.Errorf("delta of %d bytes on %d: %w", size, baseSize, ErrTooLarge)
	}
	if err := count(t, size); err != nil {
		return c, err
	}
	from := r.reader(base)
	if size > largeObject {
		return r.spill(size, func(w io.Writer) error { return applyStream(w, from, baseSize, size, delta) })
	}
	w := &appender{make([]byte, 0, size)}
	if err := applyStream(w, from, baseSize, size, delta); err != nil {
		return c, err
	}
	r.leaf = w.b
	return content{data: w.b}, nil
}
