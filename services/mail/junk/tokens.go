package junk

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
)

// A Message is what is judged or learned.
type Message struct {
	// Prefix are the header fields that this server has put before the message. Of
	// them Authentication-Results is used, and believed.
	Prefix []byte
	Raw    []byte
}

// Bounds of what is looked at of a message.
const (
	maxText   = 64 << 10 // bytes of readable text of all parts
	maxTokens = 5000     // different ones
	maxToken  = 64       // bytes
	maxLinks  = 200
)

// A word is the hash of a token.
type word uint64

const wordBits = 48

func hashToken(s string) word {
	sum := sha256.Sum256([]byte(s))
	return word(binary.BigEndian.Uint64(sum[:8]) >> (64 - wordBits))
}

// tokenize returns the words of a message, each once, sorted.
func tokenize(m Message) []word {
	t := tokens{seen: map[word]struct{}{}}
	t.prefix(m.Prefix)
	t.header(m.Raw)
	t.parts(m.Raw)
	list := make([]word, 0, len(t.seen))
	for w := range t.seen {
		list = append(list, w)
	}
	slices.Sort(list)
	return list
}

// tokens are collected here.
type tokens struct {
	seen  map[word]struct{}
	links int
}

// add takes a token: a kind, which says where it was found, and a value.
func (t *tokens) add(kind, value string) {
	if len(t.seen) < maxTokens {
		t.seen[hashToken(kind+":"+clip(value, maxToken))] = struct{}{}
	}
}

// lower is add in lower case.
func (t *tokens) lower(kind, value string) { t.add(kind, strings.ToLower(value)) }

func clip(s string, n int) string { return s[:min(len(s), n)] }

// shape returns what kinds of characters a text is made of, one for each run:
// "20020809.ab12@x" has the shape "9.a9@a". Programs are known by it.
func shape(s string) string {
	var b []byte
	for _, c := range []byte(clip(s, 40)) {
		switch {
		case '0' <= c && c <= '9':
			c = '9'
		case 'a' <= c && c <= 'z':
			c = 'a'
		case 'A' <= c && c <= 'Z':
			c = 'A'
		}
		if len(b) == 0 || b[len(b)-1] != c {
			b = append(b, c)
		}
	}
	return string(b)
}
