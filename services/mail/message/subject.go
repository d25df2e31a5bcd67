package message

import (
	"regexp"
	"strings"
)

// BaseSubject returns what is left of a decoded subject without "Re:", "Fwd:",
// "[list]" and the like, and whether it showed that the message is a reply or
// a forward (RFC 5256 §2.1).
func BaseSubject(subject string) (base string, reply bool) {
	s := strings.Join(strings.Fields(subject), " ")
	for {
		before := s
		for strings.HasSuffix(strings.ToLower(s), "(fwd)") {
			s = strings.TrimSpace(s[:len(s)-5])
			reply = true
		}
		for {
			if m := subjLeader.FindString(s); m != "" {
				s, reply = s[len(m):], true
				continue
			}
			if m := subjBlob.FindString(s); m != "" && len(m) < len(s) {
				s = s[len(m):]
				continue
			}
			break
		}
		if low := strings.ToLower(s); strings.HasPrefix(low, "[fwd:") && strings.HasSuffix(s, "]") {
			s, reply = strings.TrimSpace(s[5:len(s)-1]), true
		}
		if s == before {
			return s, reply
		}
	}
}

var (
	subjLeader = regexp.MustCompile(`^(?i)(\[[^\[\]]*\] ?)*(re|fwd?) ?(\[[^\[\]]*\] ?)?: ?`)
	subjBlob   = regexp.MustCompile(`^\[[^\[\]]*\] ?`)
)
