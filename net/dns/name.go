package dns

import (
	"crypto/rand"
	"net"
	"strings"

	"github.com/miekg/dns"
)

// isName reports whether s is a name that a lookup may be for, and that an answer may
// lead to: labels of letters, digits, hyphens and underscores (RFC 1123 §2.1, RFC 2782),
// or the root. What has only digits is a misspelt address.
func isName(s string) bool {
	if s == "." {
		return true
	}
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	digits := true
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			switch {
			case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '_':
				digits = false
			case c < '0' || '9' < c:
				return false
			}
		}
	}
	return !digits
}

// key returns a name as the cache and answers compare it: complete and in small letters.
func key(name string) string { return dns.CanonicalName(name) }

// local answers for names that are never asked of a server: localhost (RFC 6761 §6.3) and
// names that do not exist, by decree (RFC 6761 §6.4, RFC 7686 §2).
func local(q question) (a answer, ok bool) {
	labels := dns.SplitDomainName(q.name)
	if len(labels) == 0 {
		return answer{}, false
	}
	head := dns.RR_Header{Name: q.name, Rrtype: q.qtype, Class: dns.ClassINET}
	a.name = q.name
	switch labels[len(labels)-1] {
	case "localhost":
		switch q.qtype {
		case dns.TypeA:
			a.records = []dns.RR{&dns.A{Hdr: head, A: net.IPv4(127, 0, 0, 1)}}
		case dns.TypeAAAA:
			a.records = []dns.RR{&dns.AAAA{Hdr: head, AAAA: net.IPv6loopback}}
		}
		return a, true
	case "invalid", "onion":
		return a, true
	}
	return answer{}, false
}

// mixCase returns a name with its letters in random case.
func mixCase(name string) string {
	random := make([]byte, len(name))
	rand.Read(random)
	mixed := []byte(name)
	for i, c := range mixed {
		if lower := c | 0x20; 'a' <= lower && lower <= 'z' {
			mixed[i] = c ^ random[i]&0x20
		}
	}
	return string(mixed)
}

// unescape returns the bytes of a string that the library has in the form of a master
// file: \" and \\ and \DDD (RFC 1035 §5.1).
func unescape(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		i++
		if i+2 < len(s) && isDigit(s[i]) && isDigit(s[i+1]) && isDigit(s[i+2]) {
			b = append(b, (s[i]-'0')*100+(s[i+1]-'0')*10+s[i+2]-'0')
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return b
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
