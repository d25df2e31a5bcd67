package search

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
)

// ErrDamaged says that saved bytes are not what was saved.
var ErrDamaged = errors.New("saved search index is damaged or of another version")

// magic begins what is saved. Its number changes with anything that signatures depend on.
const magic = "cairn search index 1\n"

// Save writes the index: magic, then for each message its key, the number of
// words as two bytes and the words, little-endian; after them a key of zeros with no words, and a SHA-256 of
// all that. Searches go on meanwhile.
func (x *Index) Save(w io.Writer) error {
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(w, sum), 64<<10)
	out.WriteString(magic) // errors stay with the writer until Flush
	x.mu.RLock()
	keys := slices.Collect(maps.Keys(x.refs))
	x.mu.RUnlock()
	for len(keys) > 0 {
		n := min(batch, len(keys))
		if _, err := out.Write(x.entries(keys[:n])); err != nil {
			return fmt.Errorf("save search index: %w", err)
		}
		keys = keys[n:]
	}
	out.Write(make([]byte, entryHead))
	if err := out.Flush(); err != nil {
		return fmt.Errorf("save search index: %w", err)
	}
	if _, err := w.Write(sum.Sum(nil)); err != nil {
		return fmt.Errorf("save search index: %w", err)
	}
	return nil
}

// entryHead is the length of a key and the number of words behind it.
const entryHead = len(Key{}) + 2

func (x *Index) entries(keys []Key) []byte {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var b []byte
	for _, key := range keys {
		s, ok := x.signature(key)
		if !ok || key == (Key{}) {
			continue
		}
		b = append(b, key[:]...)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(s)))
		for _, w := range s {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
	}
	return b
}

// Load adds what Save has written. Bytes that are not whole and unchanged are ErrDamaged, and nothing
// of them is taken. It reads no more than the index may hold.
func (x *Index) Load(r io.Reader) error {
	fresh := New(x.max)
	sum := sha256.New()
	in := bufio.NewReaderSize(r, 64<<10)
	if err := fresh.load(io.TeeReader(in, sum), in, sum); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = ErrDamaged
		}
		return fmt.Errorf("load search index: %w", err)
	}
	for key := range fresh.refs {
		s, _ := fresh.signature(key)
		x.put(key, s)
	}
	return nil
}

func (x *Index) load(in, rest io.Reader, sum hash.Hash) error {
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(in, head); err != nil {
		return err
	}
	if string(head) != magic {
		return ErrDamaged
	}
	var entry [entryHead + 8*maxWords]byte
	for total := 0; ; {
		if _, err := io.ReadFull(in, entry[:entryHead]); err != nil {
			return err
		}
		n := int(binary.LittleEndian.Uint16(entry[len(Key{}):entryHead]))
		if n == 0 {
			break
		}
		if total += 8 * n; n > maxWords || n < minWords || total > x.max {
			return ErrDamaged
		}
		words := entry[entryHead : entryHead+8*n]
		if _, err := io.ReadFull(in, words); err != nil {
			return err
		}
		s := make(signature, n)
		for i := range s {
			s[i] = binary.LittleEndian.Uint64(words[8*i:])
		}
		x.put(Key(entry[:len(Key{})]), s)
	}
	want := sum.Sum(nil)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(rest, got); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return ErrDamaged
	}
	return nil
}
