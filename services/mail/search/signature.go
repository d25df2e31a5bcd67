package search

import (
	"math/bits"
	"strings"
)

// A signature is a Bloom filter, with one hash function, of the trigrams of a
// document: of all its text, and apart from that of the fields that are searched
// most. Bit i of n is that of the trigrams whose 16-bit hash h has h*n>>16 = i.
type signature []uint64

const (
	// maxWords is the size of the largest signature: one bit for each hash.
	maxWords = 1 << 16 / 64
	minWords = 4
	// bitsPer is how many tenths of a bit a signature has for each trigram that is
	// in it. Half of the bits of an average message are set then.
	bitsPer = 20
)

// salts keep the trigrams of fields apart from those of the text, which have 0.
var salts = map[string]uint32{"from": 1, "to": 2, "cc": 3, "bcc": 4, "subject": 5}

// hash16 hashes a trigram, the first three of four bytes, and a salt in the fourth.
func hash16(trigram uint32) uint16 { return uint16(trigram * 0x9E3779B1 >> 16) }

// trigrams calls f with the hash of each trigram of s.
func trigrams(s string, salt uint32, f func(uint16)) {
	if len(s) < 3 {
		return
	}
	t := uint32(s[0])<<8 | uint32(s[1])
	for i := 2; i < len(s); i++ {
		t = (t<<8 | uint32(s[i])) & 0xFFFFFF
		f(hash16(t | salt<<24))
	}
}

// sign returns the signature of a document.
func sign(d *document) signature {
	var all [maxWords]uint64
	set := func(h uint16) { all[h>>6] |= 1 << (h & 63) }
	trigrams(d.header(), 0, set)
	trigrams(d.body(), 0, set)
	for name, salt := range salts {
		for _, v := range d.fields(name) {
			trigrams(v, salt, set)
		}
	}
	n := 0
	for _, w := range all {
		n += bits.OnesCount64(w)
	}
	s := make(signature, max(minWords, min(maxWords, (n*bitsPer/10+63)/64)))
	for i, w := range all {
		for ; w != 0; w &= w - 1 {
			s.set(uint16(i<<6 | bits.TrailingZeros64(w)))
		}
	}
	return s
}

func (s signature) bit(h uint16) uint32 { return uint32(h) * uint32(len(s)*64) >> 16 }

func (s signature) set(h uint16) {
	b := s.bit(h)
	s[b>>6] |= 1 << (b & 63)
}

// may reports whether a document with all these trigrams can have this signature.
func (s signature) may(probes []uint16) bool {
	for _, h := range probes {
		if b := s.bit(h); s[b>>6]&(1<<(b&63)) == 0 {
			return false
		}
	}
	return true
}

// probes returns the hashes that the signature of each document has that matches.
func (q Query) probes() []uint16 {
	var salt uint32
	if q.In == Field {
		salt = salts[strings.ToLower(q.Name)]
	}
	var list []uint16
	trigrams(Fold(q.Value), salt, func(h uint16) {
		if len(list) < 256 {
			list = append(list, h)
		}
	})
	return list
}
