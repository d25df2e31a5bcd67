package pack

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/pjbgf/sha1cd"

	"cairn/store/object"
)

// Limits bound what Receive accepts; zero fields mean the defaults.
type Limits struct {
	PackBytes   int64 // bytes of the pack as sent; default 2 GiB
	ObjectBytes int64 // bytes of one object, unpacked; default 1 GiB
	TotalBytes  int64 // bytes of all objects, unpacked; default 8 GiB
	Objects     int64 // number of objects; default 4 Mi
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int64
		value int64
	}{{&l.PackBytes, 2 << 30}, {&l.ObjectBytes, 1 << 30}, {&l.TotalBytes, 8 << 30}, {&l.Objects, 4 << 20}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}

// Received describes a pack that lies complete in its spool.
type Received struct {
	Size int64 // of the pack, trailer included
	Sum  Hash  // its checksum

	records []record
}

// Len returns the number of objects, with the bases that were added.
func (r *Received) Len() int { return len(r.records) }

// All yields every object's name and type in the order of the pack.
func (r *Received) All() iter.Seq2[Hash, object.Type] {
	return func(yield func(Hash, object.Type) bool) {
		for i := range r.records {
			if !yield(r.records[i].hash, r.records[i].typ) {
				return
			}
		}
	}
}

// Index returns the pack's version 2 index.
func (r *Received) Index() []byte {
	entries := make([]IndexEntry, len(r.records))
	for i, rec := range r.records {
		entries[i] = IndexEntry{rec.hash, rec.crc, rec.off}
	}
	return AppendIndex(nil, entries, r.Sum)
}

// A BaseFunc supplies an object that a thin pack's deltas lean on but that the
// pack does not hold. It decides what the sender may lean on; an error ends Receive.
type BaseFunc func(context.Context, Hash) (object.Object, error)

// Receive reads one pack from r, to its last byte and no further, and spools it.
// It checks the checksum, that every object can be unpacked to the size declared, its
// hash (with detection of collisions) and its format (object.Check). Bases that base
// supplies are appended, so that the pack needs no other. Nothing is allocated because a
// pack declares it: an error that is ErrTooLarge or ErrFormat comes first.
// After an error the spool's content is of no use.
//
// Memory is about 64 bytes an object and some 100 MB, whatever the pack holds.
func Receive(ctx context.Context, r *bufio.Reader, spool Spool, base BaseFunc, lim Limits) (*Received, error) {
	rc := &receiver{ctx: ctx, spool: spool, base: base, lim: lim.withDefaults()}
	if err := rc.receive(r); err != nil {
		return nil, fmt.Errorf("receive pack: %w", err)
	}
	return &Received{Size: rc.end + trailerSize, Sum: rc.sum, records: rc.records}, nil
}

// A receiver is one Receive under way.
type receiver struct {
	ctx   context.Context // of the one call that the receiver lives for
	spool Spool
	base  BaseFunc
	lim   Limits

	records []record
	end     int64 // offset of the trailer
	sum     Hash
	total   int64 // bytes of all objects so far
	z       io.ReadCloser
	buf     []byte

	byHash   map[Hash]uint32 // first record of a chain of refDeltas with that base
	unsolved int
}

// A record is what is kept of each object: 48 bytes.
type record struct {
	hash  Hash // of the object; of the base, for a refDelta not yet resolved
	crc   uint32
	off   int64
	child uint32 // 1 + number of the first delta on this object
	next  uint32 // 1 + number of the next delta on the same base
	typ   object.Type
}

func (rc *receiver) receive(r *bufio.Reader) error {
	in := newIntake(rc.ctx, r, rc.spool, rc.lim.PackBytes)
	if err := rc.readAll(in); err != nil {
		return err
	}
	if rc.unsolved == 0 {
		return nil
	}
	if err := rc.resolveAll(); err != nil {
		return err
	}
	return rc.completeThin()
}

func (rc *receiver) readAll(in *intake) error {
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
	for range count {
		if err := rc.readEntry(in); err != nil {
			return fmt.Errorf("object at %d: %w", in.offset(), err)
		}
	}
	if rc.sum, err = in.trailer(); err != nil {
		return err
	}
	rc.end = in.offset() - trailerSize
	return nil
}

func (rc *receiver) readEntry(in *intake) error {
	at := in.offset()
	in.beginEntry()
	h, err := readEntryHeader(in, at)
	if err != nil {
		return noEOF(err)
	}
	rec := record{off: at, typ: h.typ}
	if h.isDelta() {
		if h.size > rc.lim.ObjectBytes {
			return ErrTooLarge
		}
		err = rc.skip(in, h.size)
	} else {
		rec.hash, err = rc.readWhole(in, h)
	}
	if err != nil {
		return err
	}
	rec.crc = in.endEntry()
	rc.records = append(rc.records, rec)
	return rc.link(&h, at)
}

// link hangs the delta that was read last under its base.
func (rc *receiver) link(h *entryHeader, at int64) error {
	me := uint32(len(rc.records))
	rec := &rc.records[me-1]
	switch h.typ {
	case ofsDelta:
		base, ok := rc.recordAt(at - h.distance)
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
	rc.unsolved++
	return nil
}

// recordAt finds the record of the entry at this offset.
func (rc *receiver) recordAt(off int64) (int, bool) {
	lo, hi := 0, len(rc.records)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if rc.records[mid].off < off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(rc.records) && rc.records[lo].off == off
}

// admit counts an object of this size against the limits, before there is any
// memory for it.
func (rc *receiver) admit(size int64) error {
	if size > rc.lim.ObjectBytes {
		return fmt.Errorf("object of %d bytes: %w", size, ErrTooLarge)
	}
	rc.total += size
	if rc.total > rc.lim.TotalBytes {
		return fmt.Errorf("objects of more than %d bytes: %w", rc.lim.TotalBytes, ErrTooLarge)
	}
	return nil
}

func (rc *receiver) readWhole(in *intake, h entryHeader) (Hash, error) {
	if err := rc.admit(h.size); err != nil {
		return Hash{}, err
	}
	if h.typ == object.TypeBlob {
		return rc.streamBlob(in, h.size)
	}
	if h.size > MaxObject {
		return Hash{}, fmt.Errorf("%s of %d bytes: %w", h.typ, h.size, ErrTooLarge)
	}
	data, err := rc.readData(in, h.size)
	if err != nil {
		return Hash{}, err
	}
	return rc.verify(h.typ, data)
}

// readData inflates an object into the receiver's buffer, which grows as data
// arrives and not because a size was declared.
func (rc *receiver) readData(in io.Reader, size int64) ([]byte, error) {
	if err := resetZlib(&rc.z, in); err != nil {
		return nil, err
	}
	rc.buf = rc.buf[:0]
	for int64(len(rc.buf)) < size {
		step := min(size, max(4096, 2*int64(len(rc.buf)), int64(cap(rc.buf))))
		rc.buf = append(rc.buf, make([]byte, int(step)-len(rc.buf))...)
		if _, err := io.ReadFull(rc.z, rc.buf[:step]); err != nil {
			return nil, zlibError(err)
		}
	}
	return rc.buf, expectEnd(rc.z)
}

// verify hashes and checks an object.
func (rc *receiver) verify(t object.Type, data []byte) (Hash, error) {
	d := sha1cd.New().(sha1cd.CollisionResistantHash)
	d.Write(object.AppendHeader(nil, t, int64(len(data))))
	d.Write(data)
	h, err := sumOf(d)
	if err != nil {
		return h, err
	}
	if err := object.Check(t, data); err != nil {
		return h, fmt.Errorf("object %s: %w", h, err)
	}
	return h, nil
}

func sumOf(d sha1cd.CollisionResistantHash) (h Hash, err error) {
	sum, collision := d.CollisionResistantSum(nil)
	copy(h[:], sum)
	if collision {
		return h, fmt.Errorf("object %s is part of a SHA-1 collision attack", h)
	}
	return h, nil
}

func (rc *receiver) streamBlob(in io.Reader, size int64) (Hash, error) {
	if err := resetZlib(&rc.z, in); err != nil {
		return Hash{}, err
	}
	d := sha1cd.New().(sha1cd.CollisionResistantHash)
	d.Write(object.AppendHeader(nil, object.TypeBlob, size))
	if cap(rc.buf) < 32<<10 {
		rc.buf = make([]byte, 32<<10)
	}
	if _, err := io.CopyBuffer(d, io.LimitReader(rc.z, size), rc.buf[:32<<10]); err != nil {
		return Hash{}, zlibError(err)
	}
	// A short stream ends the copy without an error and is found here.
	if err := expectEnd(rc.z); err != nil {
		return Hash{}, err
	}
	return sumOf(d)
}

// skip inflates what is only to be measured now.
func (rc *receiver) skip(in io.Reader, size int64) error {
	if err := resetZlib(&rc.z, in); err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(rc.z, size))
	if err != nil {
		return zlibError(err)
	}
	if n < size {
		return formatError("zlib stream is shorter than declared")
	}
	return expectEnd(rc.z)
}
