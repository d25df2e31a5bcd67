package pack

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"

	"cairn/store/object"
)

// An Entry is an object in the form in which a pack holds it.
type Entry struct {
	Type object.Type // the object's own type, never a delta's
	Size int64       // of the content; of the delta's instructions when Base is set
	Base Hash        // the object that the delta applies to, or Zero
	Data []byte      // the zlib stream; nil when long, read Reader then
	// Reader opens the zlib stream when Data is nil.
	Reader func() (io.ReadCloser, error)
}

// maxData is the longest entry that Pack.Entry reads into memory.
const maxData = 1 << 20

// maxEntryHeader is more than an entry's header can be long, in bytes: a size of nine
// bytes and the name of a base.
const maxEntryHeader = 32

// Entry returns the object at off as it lies in the pack. The CRC in the index
// tells whether it has been damaged there: what is copied from pack to pack is never
// unpacked, and damage would spread.
func (p *Pack) Entry(off int64) (Entry, error) { return p.loadEntry(off, maxData) }

// WholeEntry is Entry with the zlib stream in Data, however long it is.
func (p *Pack) WholeEntry(off int64) (Entry, error) { return p.loadEntry(off, p.end) }

func (p *Pack) loadEntry(off, most int64) (Entry, error) {
	e, err := p.entry(off, most)
	if err != nil {
		return e, p.wrap(off, err)
	}
	return e, nil
}

var (
	errNoObject = errors.New("no object begins there")
	errDamaged  = formatError("the entry differs from its CRC in the index")
)

func (p *Pack) entry(off, most int64) (Entry, error) {
	i, next, ok := p.ix.atOffset(off, p.end)
	if !ok || off < headerSize {
		return Entry{}, errNoObject
	}
	size := next - off
	if size > most {
		size = maxEntryHeader
	}
	raw := make([]byte, size)
	if err := readAt(p.r, raw, off); err != nil {
		return Entry{}, err
	}
	in := bytes.NewReader(raw)
	h, err := readEntryHeader(in, off)
	if err != nil {
		return Entry{}, noEOF(err)
	}
	e := Entry{Type: h.typ, Size: h.size}
	if h.isDelta() {
		if err := p.describeBase(&e, off, h); err != nil {
			return e, err
		}
	}
	start := len(raw) - in.Len()
	if start == len(raw) {
		return e, formatError("index overlaps")
	}
	want := p.ix.crc(i)
	if int64(len(raw)) == next-off {
		e.Data = raw[start:]
		if crc32.ChecksumIEEE(raw) != want {
			return e, errDamaged
		}
		return e, nil
	}
	stream := checkedStream{crc: crc32.ChecksumIEEE(raw[:start]), want: want}
	e.Reader = func() (io.ReadCloser, error) {
		s := stream
		s.r = io.NewSectionReader(p.r, off+int64(start), next-off-int64(start))
		return io.NopCloser(&s), nil
	}
	return e, nil
}

// describeBase finds the name of a delta's base, and the type of both.
func (p *Pack) describeBase(e *Entry, off int64, h entryHeader) error {
	base, err := p.base(off, h)
	if err != nil {
		return err
	}
	i, _, ok := p.ix.atOffset(base, p.end)
	if !ok {
		return formatError("delta base is not in the index")
	}
	e.Base = p.ix.hash(i)
	e.Type, err = p.typeOf(base)
	return err
}

// A checkedStream is a zlib stream whose end is an error when it was damaged.
type checkedStream struct {
	r         io.Reader
	crc, want uint32
}

func (s *checkedStream) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.crc = crc32.Update(s.crc, crc32.IEEETable, b[:n])
	if err == io.EOF && s.crc != s.want {
		err = errDamaged
	}
	return n, err
}
