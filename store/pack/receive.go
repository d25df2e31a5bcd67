package pack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"sync/atomic"

	"cairn/store/object"
)

// Limits bound what Receive accepts; zero fields mean the defaults.
type Limits struct {
	PackBytes   int64 // bytes of the pack as sent; default 2 GiB
	ObjectBytes int64 // bytes of one object, unpacked; default 1 GiB
	TotalBytes  int64 // bytes of all objects, unpacked; default 8 GiB, less for deltas in a small pack
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

	records  []record
	recalled []recalledObject
}

// Len returns the number of objects, with the bases that were added.
func (r *Received) Len() int { return len(r.records) }

// All yields every object's name and type in the order of the pack. An object that
// the pack holds twice comes twice.
func (r *Received) All() iter.Seq2[Hash, object.Type] {
	return func(yield func(Hash, object.Type) bool) {
		for i := range r.records {
			if !yield(r.records[i].hash, r.records[i].typ) {
				return
			}
		}
	}
}

// Objects yields what is known of every object, in the order of the pack.
func (r *Received) Objects() iter.Seq[ReceivedObject] {
	return func(yield func(ReceivedObject) bool) {
		for i := range r.records {
			rec := &r.records[i]
			if !yield(ReceivedObject{rec.hash, rec.typ, rec.size, rec.off}) {
				return
			}
		}
	}
}

// A ReceivedObject is one object of a received pack.
type ReceivedObject struct {
	Hash   Hash
	Type   object.Type
	Size   int64 // unpacked, also of a delta
	Offset int64
}

// Index returns the pack's version 2 index.
func (r *Received) Index() []byte {
	entries := make([]IndexEntry, len(r.records))
	for i := range r.records {
		rec := &r.records[i]
		entries[i] = IndexEntry{rec.hash, rec.crc, rec.off}
	}
	return AppendIndex(nil, entries, r.Sum)
}

// Open opens the pack in its spool. What the objects are is known already.
func (r *Received) Open(spool io.ReaderAt, bases *BaseCache) (*Pack, error) {
	ix, err := OpenIndex(r.Index())
	if err != nil {
		return nil, err
	}
	p, err := Open(spool, r.Size, ix, bases)
	if err != nil {
		return nil, err
	}
	p.types = make([]uint8, ix.Len())
	for k, i := range ix.byOffset() {
		p.types[i] = uint8(r.records[k].typ)
	}
	r.Recall(p)
	return p, nil
}

// A BaseFunc supplies an object that a thin pack's deltas lean on but that the
// pack does not hold. It decides what the sender may lean on: the rest is
// fs.ErrNotExist. Any other error ends Receive.
type BaseFunc func(context.Context, Hash) (object.Object, error)

// Receive reads one pack from r, to its last byte and no further, and spools it.
// It checks the checksum, that every object can be unpacked to the size declared, its
// hash (with detection of collisions) and its format (object.Check). Bases that base
// supplies are appended, so that the pack needs no other; a nil base has none. Nothing is
// allocated because a pack declares it: an error that is ErrTooLarge or ErrFormat comes
// first. After an error the spool's content is of no use. When ctx ends, Receive returns
// as soon as a read from r does.
//
// Memory is about 60 bytes an object and some 150 MB, whatever the pack holds. Deltas
// of objects beyond largeObject use the spool behind the pack meanwhile.
func Receive(ctx context.Context, r *bufio.Reader, spool Spool, base BaseFunc, lim Limits) (*Received, error) {
	rc := &receiver{ctx: ctx, spool: spool, base: base, lim: lim.withDefaults()}
	if err := rc.receive(r); err != nil {
		return nil, fmt.Errorf("receive pack: %w", err)
	}
	return rc.received(), nil
}

func (rc *receiver) received() *Received {
	return &Received{Size: rc.end + trailerSize, Sum: rc.sum, records: rc.records, recalled: rc.recalled.objs}
}

// maxParsed is the largest tree, commit or tag that is accepted: these are
// checked in memory. A tree this large has about a million entries.
const maxParsed = 32 << 20

// A receiver is one Receive under way.
type receiver struct {
	ctx   context.Context // of the one call that the receiver lives for
	spool Spool
	base  BaseFunc
	lim   Limits

	records []record
	end     int64 // offset of the trailer
	sum     Hash

	total atomic.Int64 // bytes of all objects so far
	work  atomic.Int64 // bytes unpacked beyond those

	mu     sync.Mutex
	byHash map[Hash]uint32 // 1 + number of the first record in a list of refDeltas with that base
	// special are the blobs that trees call .gitmodules or .gitattributes.
	special map[Hash]object.Special

	unsolved atomic.Int64 // deltas
	recalled recalled
	scratch  scratch
}

// A record is what is kept of each object: 56 bytes.
type record struct {
	hash  Hash // of the object; of the base, for a refDelta not yet resolved
	crc   uint32
	off   int64
	size  int64  // of the object; of a delta as long as that is not resolved
	child uint32 // 1 + number of the first delta on this object
	next  uint32 // 1 + number of the next delta on the same base
	typ   object.Type
}

func (rec *record) isDelta() bool { return rec.typ == ofsDelta || rec.typ == refDelta }

func (rc *receiver) receive(r *bufio.Reader) error {
	in := newIntake(rc.ctx, r, rc.spool, rc.lim.PackBytes)
	defer in.free()
	if err := rc.readAll(in); err != nil {
		return err
	}
	if rc.unsolved.Load() > 0 {
		if err := rc.resolveAll(); err != nil {
			return err
		}
	}
	if rc.unsolved.Load() > 0 {
		if err := rc.completeThin(); err != nil {
			return err
		}
	}
	if rc.scratch.used {
		if err := rc.spool.Truncate(rc.end + trailerSize); err != nil {
			return fmt.Errorf("spool pack: %w", err)
		}
	}
	return rc.checkSpecials()
}

// admit counts an object of this size against the limits, before there is any
// memory for it.
func (rc *receiver) admit(t object.Type, size int64) error {
	if size > rc.lim.ObjectBytes || t != object.TypeBlob && size > maxParsed {
		return fmt.Errorf("%s of %d bytes: %w", t, size, ErrTooLarge)
	}
	if rc.total.Add(size) > rc.lim.TotalBytes {
		return fmt.Errorf("objects of more than %d bytes: %w", rc.lim.TotalBytes, ErrTooLarge)
	}
	return nil
}

var errWork = errors.New("its deltas take too much work")

// spend counts bytes that are unpacked on the way to objects: deltas, and bases
// that have to be derived again.
func (rc *receiver) spend(_ object.Type, size int64) error {
	if rc.work.Add(size) > 2*rc.lim.TotalBytes {
		return fmt.Errorf("%w: %w", errWork, ErrTooLarge)
	}
	return nil
}
