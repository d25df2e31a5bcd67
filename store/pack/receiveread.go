package pack

import (
	"fmt"
	"io"
	"slices"

	"cairn/store/object"
)

// A packReader makes the records of a pack as it streams by: whole objects are
// hashed, deltas are passed over.
type packReader struct {
	*receiver
	in     *intake
	inf    *inflater // for its zlib reader alone
	hasher *hasher
	buf    []byte
}

func (rc *receiver) readAll(in *intake) (err error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return noEOF(err)
	}
	count, err := parsePackHeader(head[:])
	if err != nil {
		return err
	}
	if int64(count) > rc.lim.Objects {
		return fmt.Errorf("pack of %d objects: %w", count, ErrTooLarge)
	}
	pr := &packReader{receiver: rc, in: in, inf: newInflater(nil, 0, 0), hasher: startHasher(rc)}
	defer pr.inf.free()
	err = pr.readEntries(count)
	if hashErr := pr.hasher.finish(); err == nil {
		err = hashErr
	}
	if err != nil {
		return err
	}
	if rc.sum, err = in.trailer(); err != nil {
		return err
	}
	rc.end = in.offset() - trailerSize
	return nil
}

func (pr *packReader) readEntries(count uint32) error {
	for range count {
		at := pr.in.offset()
		if err := pr.readEntry(at); err != nil {
			return fmt.Errorf("object at %d: %w", at, err)
		}
	}
	return nil
}

func (pr *packReader) readEntry(at int64) error {
	pr.in.beginEntry()
	h, err := readEntryHeader(pr.in, at)
	if err != nil {
		return noEOF(err)
	}
	pr.records = append(pr.records, record{off: at, size: h.size, typ: h.typ})
	if err := resetZlib(&pr.inf.z, pr.in.Reader); err != nil {
		return err
	}
	if h.isDelta() {
		err = pr.skip(h.size)
	} else {
		err = pr.readWhole(h)
	}
	if err != nil {
		return err
	}
	if err := expectEnd(pr.inf.z); err != nil {
		return err
	}
	pr.records[len(pr.records)-1].crc = pr.in.endEntry()
	return pr.link(&h, at)
}

// link hangs the delta that was read last under its base.
func (rc *receiver) link(h *entryHeader, at int64) error {
	me := uint32(len(rc.records))
	rec := &rc.records[me-1]
	switch h.typ {
	case ofsDelta:
		base, ok := slices.BinarySearchFunc(rc.records, at-h.distance, func(r record, off int64) int {
			return int(min(max(r.off-off, -1), 1))
		})
		if !ok {
			return formatError("no object begins at the delta's base %d", at-h.distance)
		}
		rec.next, rc.records[base].child = rc.records[base].child, me
	case refDelta:
		if rc.byHash == nil {
			rc.byHash = make(map[Hash]uint32)
		}
		rec.hash = h.base
		rec.next, rc.byHash[h.base] = rc.byHash[h.base], me
	default:
		return nil
	}
	rc.unsolved.Add(1)
	return nil
}

// skip inflates a delta, which is only to be measured now.
func (pr *packReader) skip(size int64) error {
	if size > pr.lim.ObjectBytes {
		return fmt.Errorf("delta of %d bytes: %w", size, ErrTooLarge)
	}
	if err := pr.spend(ofsDelta, size); err != nil {
		return err
	}
	if pr.buf == nil {
		pr.buf = make([]byte, 8<<10)
	}
	for size > 0 {
		n := min(size, int64(len(pr.buf)))
		if _, err := io.ReadFull(pr.inf.z, pr.buf[:n]); err != nil {
			return zlibError(err)
		}
		size -= n
	}
	return nil
}

// readWhole inflates an object into the hasher's slabs.
func (pr *packReader) readWhole(h entryHeader) error {
	if err := pr.admit(h.typ, h.size); err != nil {
		return err
	}
	rec := uint32(len(pr.records) - 1)
	if h.typ != object.TypeBlob && h.size > slabBytes {
		return pr.readParsed(rec, h)
	}
	for first, left := true, h.size; first || left > 0; first = false {
		space, err := pr.hasher.space(h.typ, left)
		if err != nil {
			return err
		}
		if _, err := io.ReadFull(pr.inf.z, space); err != nil {
			return zlibError(err)
		}
		left -= int64(len(space))
		pr.hasher.put(piece{rec: rec, typ: h.typ, size: h.size, n: len(space), first: first, last: left == 0})
	}
	return nil
}

// readParsed reads a tree, commit or tag that does not fit into a slab.
func (pr *packReader) readParsed(rec uint32, h entryHeader) error {
	data, err := inflateGrowing(pr.inf.z, nil, h.size)
	if err != nil {
		return err
	}
	hash, err := pr.verify(h.typ, data)
	pr.records[rec].hash = hash
	return err
}
