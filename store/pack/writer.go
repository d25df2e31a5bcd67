package pack

import (
	"crypto/sha1"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"cairn/store/object"
)

// MaxDepth is the longest delta chain that is written: git's own default.
const MaxDepth = 50

const (
	// keepBytes is how much content a Writer keeps to make deltas against.
	keepBytes = 32 << 20
	// affixGain: a delta by prefix and suffix has to be this many times smaller.
	affixGain = 2
	flushAt   = 64 << 10
)

// A Writer writes a pack. Not safe for concurrent use.
type Writer struct {
	// RefDelta makes all deltas name their base by hash, for readers
	// that do not know OFS_DELTA.
	RefDelta bool

	w       io.Writer
	sum     hash.Hash
	buf     []byte // what has not been given to w yet
	flushed int64  // bytes that have
	at      int64  // offset of the entry that was begun last
	count   uint32
	level   Level
	err     error

	entries []IndexEntry
	placed  map[Hash]placed
	kept    []Hash // objects whose content is kept, oldest first
	keeping int64  // bytes of it
}

// placed is where and how an object has been written.
type placed struct {
	offset int64
	depth  int32
	typ    object.Type
	data   []byte // nil when it is not kept
}

// NewWriter begins a pack of exactly count objects. Nothing is written before
// there is enough to be worth it, or Close.
func NewWriter(w io.Writer, count uint32, level Level) *Writer {
	return &Writer{
		w: w, sum: sha1.New(), count: count, level: level,
		buf:    appendPackHeader(make([]byte, 0, flushAt+flushAt/4), count),
		placed: make(map[Hash]placed),
	}
}

func (w *Writer) offset() int64 { return w.flushed + int64(len(w.buf)) }

// Object writes an object and returns its hash. One that is there already
// is not written again, and not counted. The Writer may keep o.Data until Close.
func (w *Writer) Object(o object.Object) (Hash, error) {
	h := o.Hash()
	return h, w.object(h, o)
}

func (w *Writer) object(h Hash, o object.Object) error {
	if _, ok := w.placed[h]; ok || w.err != nil {
		return w.err
	}
	depth := int32(0)
	base, ok := w.placed[o.Base]
	var delta []byte
	if ok && base.data != nil && base.typ == o.Type && base.depth < MaxDepth {
		delta = affixDelta(base.data, o.Data)
	}
	if delta != nil && len(delta)*affixGain < len(o.Data) {
		depth = base.depth + 1
		w.delta(delta, o.Base, base)
	} else {
		w.begin(entryHeader{typ: o.Type, size: int64(len(o.Data))})
		w.buf = deflate(w.buf, o.Data, w.level)
	}
	w.placed[h] = placed{w.at, depth, o.Type, w.keep(h, o)}
	return w.end(h)
}

func (w *Writer) delta(delta []byte, base Hash, at placed) {
	w.begin(w.deltaHeader(int64(len(delta)), base, at))
	w.buf = deflate(w.buf, delta, w.level)
}

func (w *Writer) deltaHeader(size int64, base Hash, at placed) entryHeader {
	if at.offset == 0 || w.RefDelta {
		return entryHeader{typ: refDelta, size: size, base: base}
	}
	return entryHeader{typ: ofsDelta, size: size, distance: w.offset() - at.offset}
}

// keep keeps what may become a base. Trees and what has a base itself do.
func (w *Writer) keep(h Hash, o object.Object) []byte {
	if o.Type != object.TypeTree && o.Base.IsZero() || len(o.Data) > keepBytes/8 {
		return nil
	}
	w.kept = append(w.kept, h)
	w.keeping += int64(len(o.Data))
	for w.keeping > keepBytes {
		old := w.placed[w.kept[0]]
		w.keeping -= int64(len(old.data))
		old.data = nil
		w.placed[w.kept[0]] = old
		w.kept = w.kept[1:]
	}
	return o.Data
}

func (w *Writer) begin(h entryHeader) {
	w.at = w.offset()
	w.buf = h.append(w.buf)
}

// end ends the entry that was begun last, of which nothing has been flushed.
func (w *Writer) end(h Hash) error {
	return w.endSummed(h, crc32.ChecksumIEEE(w.buf[w.at-w.flushed:]))
}

func (w *Writer) endSummed(h Hash, crc uint32) error {
	w.entries = append(w.entries, IndexEntry{h, crc, w.at})
	if len(w.buf) >= flushAt {
		w.flush()
	}
	return w.err
}

func (w *Writer) flush() {
	if w.err != nil {
		return
	}
	w.sum.Write(w.buf)
	n, err := w.w.Write(w.buf)
	w.flushed += int64(n)
	w.buf = w.buf[:0]
	if err != nil {
		w.err = fmt.Errorf("write pack: %w", err)
	}
}

// Close writes the checksum and returns it with what the index needs. It does not
// close the underlying writer. It is an error when the number of
// objects is not the one that was announced.
func (w *Writer) Close() (sum Hash, entries []IndexEntry, err error) {
	if w.err == nil && len(w.entries) != int(w.count) {
		w.err = fmt.Errorf("write pack: %d objects instead of %d", len(w.entries), w.count)
	}
	w.flush()
	if w.err != nil {
		return sum, nil, w.err
	}
	w.sum.Sum(sum[:0])
	if _, err := w.w.Write(sum[:]); err != nil {
		w.err = fmt.Errorf("write pack: %w", err)
	}
	return sum, w.entries, w.err
}
