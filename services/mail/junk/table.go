package junk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrDamaged says that the files of the filter are not as it wrote them. A lesson begins them anew.
var ErrDamaged = errors.New("statistics of the junk filter are damaged")

// A count says in how many messages that were learned a word was, and which merge saw
// it last. In a file of recent it is a difference, and may be below zero.
type count struct {
	spam, ham int16
	merge     uint16
}

// A table is words, ascending, and their counts.
type table struct {
	words  []word
	counts []count
}

// entrySize is that of a word in a file, in bytes.
const entrySize = wordBits/8 + 6

func (t *table) find(w word) (count, bool) {
	i, ok := slices.BinarySearch(t.words, w)
	if !ok {
		return count{}, false
	}
	return t.counts[i], true
}

func (t *table) append(w word, c count) {
	t.words, t.counts = append(t.words, w), append(t.counts, c)
}

// encode returns the words from index i to j as a file.
func (t *table) encode(i, j int) []byte {
	b := make([]byte, 0, (j-i)*entrySize)
	for k := i; k < j; k++ {
		var w [8]byte
		binary.BigEndian.PutUint64(w[:], uint64(t.words[k]))
		c := t.counts[k]
		b = append(b, w[8-wordBits/8:]...)
		b = binary.BigEndian.AppendUint16(b, uint16(c.spam))
		b = binary.BigEndian.AppendUint16(b, uint16(c.ham))
		b = binary.BigEndian.AppendUint16(b, c.merge)
	}
	return b
}

// decode appends a file's words, which have to be greater than those that are there.
func (t *table) decode(b []byte) error {
	if len(b)%entrySize != 0 || len(t.words)+len(b)/entrySize > maxRead {
		return fmt.Errorf("%w: a file of %d bytes", ErrDamaged, len(b))
	}
	for ; len(b) > 0; b = b[entrySize:] {
		var full [8]byte
		copy(full[8-wordBits/8:], b)
		w := word(binary.BigEndian.Uint64(full[:]))
		if n := len(t.words); n > 0 && t.words[n-1] >= w {
			return fmt.Errorf("%w: words are not in order", ErrDamaged)
		}
		rest := b[wordBits/8:]
		t.append(w, count{int16(binary.BigEndian.Uint16(rest)), int16(binary.BigEndian.Uint16(rest[2:])), binary.BigEndian.Uint16(rest[4:])})
	}
	return nil
}

// mark says that a merge to come will be the last that has seen the words.
func (t *table) mark(merge int) {
	for i := range t.counts {
		t.counts[i].merge = uint16(min(merge, math.MaxUint16))
	}
}

// merged returns the sum of two tables.
func merged(a, b *table) *table {
	sum := &table{make([]word, 0, len(a.words)+len(b.words)), make([]count, 0, len(a.words)+len(b.words))}
	i, j := 0, 0
	for i < len(a.words) || j < len(b.words) {
		switch {
		case j == len(b.words) || i < len(a.words) && a.words[i] < b.words[j]:
			sum.append(a.words[i], a.counts[i])
			i++
		case i == len(a.words) || b.words[j] < a.words[i]:
			sum.append(b.words[j], b.counts[j])
			j++
		default:
			x, y := a.counts[i], b.counts[j]
			sum.append(a.words[i], count{plus(x.spam, y.spam), plus(x.ham, y.ham), max(x.merge, y.merge)})
			i, j = i+1, j+1
		}
	}
	return sum
}

// plus adds within the bounds of an int16.
func plus(a, b int16) int16 {
	return int16(max(math.MinInt16, min(math.MaxInt16, int(a)+int(b))))
}
