package message

import "strings"

// BaseSubject returns what is left of a decoded subject without "Re:", "Fwd:",
// "[list]" and the like, and whether it showed that the message is a reply or
// a forward (RFC 5256 §2.1). Subjects are compared by it without regard to case.
func BaseSubject(subject string) (base string, reply bool) {
	s := strings.Join(strings.Fields(subject), " ")
	for {
		for hasFold(s, len(s)-5, "(fwd)") {
			s, reply = strings.TrimRight(s[:len(s)-5], " "), true
		}
		for {
			rest := blobs(s)
			after, ok := refwd(s[rest:])
			if !ok {
				// A blob in front goes, but not when nothing else is left.
				if rest == len(s) {
					rest = lastBlob(s)
				}
				s = s[rest:]
				break
			}
			s, reply = s[rest+after:], true
		}
		if !hasFold(s, 0, "[fwd:") || !strings.HasSuffix(s, "]") {
			return s, reply
		}
		s, reply = strings.Trim(s[5:len(s)-1], " "), true
	}
}

// hasFold reports whether what stands in s at pos is word, in any case.
func hasFold(s string, pos int, word string) bool {
	return pos >= 0 && len(s)-pos >= len(word) && strings.EqualFold(s[pos:pos+len(word)], word)
}

// blob returns the length of "[…]" and white space at the beginning of s, or 0.
func blob(s string) int {
	if !strings.HasPrefix(s, "[") {
		return 0
	}
	end := strings.IndexAny(s[1:], "[]")
	if end < 0 || s[1+end] == '[' {
		return 0
	}
	rest := s[end+2:]
	return len(s) - len(strings.TrimLeft(rest, " "))
}

// blobs returns the length of all blobs at the beginning of s.
func blobs(s string) int {
	pos := 0
	for n := blob(s); n > 0; n = blob(s[pos:]) {
		pos += n
	}
	return pos
}

// lastBlob returns where the last of the blobs that s consists of begins.
func lastBlob(s string) int {
	return max(0, strings.LastIndexByte(s, '['))
}

// refwd returns the length of "Re:", "Fw:", "Fwd [x]:" and the white space behind it.
func refwd(s string) (int, bool) {
	pos := 0
	switch {
	case hasFold(s, 0, "fwd"):
		pos = 3
	case hasFold(s, 0, "re"), hasFold(s, 0, "fw"):
		pos = 2
	default:
		return 0, false
	}
	skip := func() { pos += len(s[pos:]) - len(strings.TrimLeft(s[pos:], " ")) }
	skip()
	pos += blob(s[pos:])
	if !strings.HasPrefix(s[pos:], ":") {
		return 0, false
	}
	pos++
	skip()
	return pos, true
}
