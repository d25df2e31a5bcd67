package store

import (
	"fmt"

	"cairn/store/object"
)

// A Blob is the content of a file that is put at many paths, of one branch or of many: hashed
// once, and written once by an Update. It is immutable and safe for concurrent use.
type Blob struct {
	o    object.Object
	hash Hash
}

// NewBlob hashes data, which from now on nobody changes. Its size is checked where it is put.
func NewBlob(data []byte) *Blob {
	o := object.Object{Type: object.TypeBlob, Data: data}
	return &Blob{o: o, hash: o.Hash()}
}

// Hash is the name of the content.
func (b *Blob) Hash() Hash { return b.hash }

// Bytes is the content; shared: nobody changes it.
func (b *Blob) Bytes() []byte { return b.o.Data }

// PutBlob is Put without copying and hashing the content again.
func (tx *Tx) PutBlob(path string, b *Blob) error {
	if len(b.o.Data) > MaxObject {
		return fmt.Errorf("put %q: %w", path, ErrTooLarge)
	}
	if err := tx.set(path, object.Entry{Mode: tx.modeAt(path), Hash: b.hash}, true); err != nil {
		return fmt.Errorf("put %q: %w", path, err)
	}
	tx.made[b.hash] = newObject{Object: b.o, hash: b.hash}
	return nil
}
