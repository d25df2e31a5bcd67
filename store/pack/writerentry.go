package pack

import (
	"fmt"
	"hash/crc32"
	"io"

	"cairn/store/object"
)

// Entry writes an object in the form in which another pack holds it. It becomes
// an OFS_DELTA when its base has been written, else a REF_DELTA: its base must follow,
// or the reader must have it.
func (w *Writer) Entry(h Hash, e Entry) error {
	if _, ok := w.placed[h]; ok || w.err != nil {
		return w.err
	}
	depth := int32(0)
	head := entryHeader{typ: e.Type, size: e.Size}
	if !e.Base.IsZero() {
		base := w.placed[e.Base]
		depth = base.depth + 1
		head = w.deltaHeader(e.Size, e.Base, base)
	}
	w.begin(head)
	w.placed[h] = placed{offset: w.at, depth: depth}
	if e.Data != nil {
		w.buf = append(w.buf, e.Data...)
		return w.end(h)
	}
	r, err := e.Reader()
	if err != nil {
		w.err = fmt.Errorf("write pack: object %s: %w", h, err)
		return w.err
	}
	defer r.Close()
	return w.stream(h, func(out io.Writer) error {
		_, err := io.Copy(out, r)
		return err
	})
}

// Stream writes an object of size bytes that r reads. It is never in memory as
// a whole.
func (w *Writer) Stream(h Hash, t object.Type, size int64, r io.Reader) error {
	if _, ok := w.placed[h]; ok || w.err != nil {
		return w.err
	}
	w.begin(entryHeader{typ: t, size: size})
	w.placed[h] = placed{offset: w.at}
	return w.stream(h, func(out io.Writer) error {
		z := newDeflater(out, w.level)
		n, err := io.Copy(z, io.LimitReader(r, size+1))
		if err == nil && n != size {
			err = fmt.Errorf("has %d bytes or more, not %d", n, size)
		}
		if err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		deflaters[w.level].Put(z)
		return nil
	})
}

// stream ends an entry with what write writes. When that fails the pack is lost.
func (w *Writer) stream(h Hash, write func(io.Writer) error) error {
	out := &entryWriter{w: w, crc: crc32.ChecksumIEEE(w.buf[w.at-w.flushed:])}
	if err := write(out); err != nil && w.err == nil {
		w.err = fmt.Errorf("write pack: object %s: %w", h, err)
	}
	return w.endSummed(h, out.crc)
}

type entryWriter struct {
	w   *Writer
	crc uint32
}

func (e *entryWriter) Write(p []byte) (int, error) {
	e.crc = crc32.Update(e.crc, crc32.IEEETable, p)
	e.w.buf = append(e.w.buf, p...)
	if len(e.w.buf) >= flushAt {
		e.w.flush()
	}
	return len(p), e.w.err
}
