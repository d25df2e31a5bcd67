package pack

import (
	"bytes"
	"fmt"
	"io"

	"cairn/store/object"
)

// NewEntry returns the entry of a whole object, compressed.
func NewEntry(o object.Object, level Level) Entry {
	return Entry{Type: o.Type, Size: int64(len(o.Data)), Data: deflate(nil, o.Data, level)}
}

// Inflate returns what the zlib stream in Data holds: the content or, when Base is
// set, the instructions. One of more than limit bytes is ErrTooLarge, before anything
// is allocated for it.
func (e *Entry) Inflate(limit int64) ([]byte, error) {
	if e.Size > limit {
		return nil, fmt.Errorf("entry of %d bytes: %w", e.Size, ErrTooLarge)
	}
	in := newInflater(bytes.NewReader(e.Data), 0, int64(len(e.Data)))
	defer in.free()
	return in.all(e.Size)
}

// Open streams what the zlib stream in Data holds. The caller closes it.
func (e *Entry) Open() (io.ReadCloser, error) {
	in := newInflater(bytes.NewReader(e.Data), 0, int64(len(e.Data)))
	if err := in.start(); err != nil {
		in.free()
		return nil, err
	}
	return &objectReader{in: in, left: e.Size}, nil
}

// ContentSize returns the size of the object, for a delta that of what it
// makes. It reads the beginning of Data.
func (e *Entry) ContentSize() (int64, error) {
	if e.Base.IsZero() {
		return e.Size, nil
	}
	in := newInflater(bytes.NewReader(e.Data), 0, int64(len(e.Data)))
	defer in.free()
	return in.targetSize()
}
