package pack

import (
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

// maxData is the longest zlib stream that Pack.Entry reads into memory.
const maxData = 1 << 20

// Entry returns the object at off as it lies in the pack. The CRC in the index
// tells whether it has been damaged there: what is copied from pack to pack is never
// unpacked, and damage would spread.
func (p *Pack) Entry(off int64) (Entry, error) {
	e, err := p.entry(off)
	if err != nil {
		return e, p.wrap(off, err)
	}
	return e, nil
}

var (
	errNoObject = errors.New("no object begins there")
	errDamaged  = formatError("the entry differs from its CRC in the index")
)

func (p *Pack) entry(off int64) (Entry, error) {
	i, next, ok := p.ix.atOffset(off, p.end)
	if !ok {
		return Entry{}, errNoObject
	}
	in, h, err := p.at(off)
	if err != nil {
		return Entry{}, err
	}
	defer in.free()
	e := Entry{Type: h.typ, Size: h.size}
	if h.isDelta() {
		if err := p.describeBase(&e, off, h); err != nil {
			return e, err
		}
	}
	start := in.position()
	if next <= start {
		return e, formatError("index overlaps")
	}
	stream := checkedStream{
		crc:  crc32.ChecksumIEEE(in.space[:start-off]), // the header is all in the first read
		want: p.ix.crc(i),
	}
	if next-start > maxData {
		e.Reader = func() (io.ReadCloser, error) {
			s := stream
			s.r = io.NewSectionReader(p.r, start, next-start)
			return io.NopCloser(&s), nil
		}
		return e, nil
	}
	e.Data = make([]byte, next-start)
	n := copy(e.Data, in.buf)
	if err := readAt(p.r, e.Data[n:], start+int64(n)); err != nil {
		return e, err
	}
	if crc32.Update(stream.crc, crc32.IEEETable, e.Data) != stream.want {
		return e, errDamaged
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
