package gitwire

import (
	"bytes"
	"strconv"

	"cairn/store"
)

// commitLinks reads what a commit is linked to from its first lines, and the
// committer's date. It allocates nothing but the parents.
func commitLinks(data []byte) (tree store.Hash, parents []store.Hash, date int64, ok bool) {
	tree, data, ok = hexLine(data, "tree ")
	if !ok {
		return tree, nil, 0, false
	}
	for {
		p, rest, more := hexLine(data, "parent ")
		if !more {
			break
		}
		parents = append(parents, p)
		data = rest
	}
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		if len(line) == 0 {
			break
		}
		if who, ok := bytes.CutPrefix(line, []byte("committer ")); ok {
			return tree, parents, signatureDate(who), true
		}
		data = rest
	}
	return tree, parents, 0, true
}

// hexLine reads one line made of a word and a hash.
func hexLine(data []byte, word string) (h store.Hash, rest []byte, ok bool) {
	after, ok := bytes.CutPrefix(data, []byte(word))
	if !ok || len(after) < 2*len(h)+1 || after[2*len(h)] != '\n' {
		return h, data, false
	}
	h, ok = parseHash(after[:2*len(h)])
	return h, after[2*len(h)+1:], ok
}

// signatureDate reads the seconds of "Name <mail> seconds zone", 0 when there
// are none: old commits with broken dates exist and have to be walked too.
func signatureDate(who []byte) int64 {
	fields := bytes.Fields(who[bytes.LastIndexByte(who, '>')+1:])
	if len(fields) == 0 {
		return 0
	}
	seconds, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return seconds
}

// parseHash reads exactly 40 hexadecimal digits.
func parseHash[T string | []byte](s T) (h store.Hash, ok bool) {
	if len(s) != 2*len(h) {
		return h, false
	}
	for i := range h {
		hi, lo := hexDigit(s[2*i]), hexDigit(s[2*i+1])
		if hi|lo > 15 {
			return store.Hash{}, false
		}
		h[i] = hi<<4 | lo
	}
	return h, true
}

// hexDigit returns a digit's value, 255 when it is none.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
