package message

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// maxParams bounds the parameters that are read of one field.
const maxParams = 100

// Params reads a value such as that of Content-Type: the part before the first
// semicolon, in lower case, and the parameters, their names in lower case. RFC 2231's
// continuations and charsets are undone, RFC 2047 words where they must not be too.
func Params(value string) (string, map[string]string) {
	s := scanner{s: value}
	kind := strings.ToLower(strings.TrimSpace(s.until(";")))
	raw := map[string]string{}
	for s.skip(";") && len(raw) < maxParams {
		name := strings.ToLower(strings.TrimSpace(s.until("=;")))
		if !s.skip("=") {
			continue
		}
		v := s.paramValue()
		if _, dup := raw[name]; !dup && name != "" {
			raw[name] = v
		}
	}
	return clean(kind), joinParams(raw)
}

// joinParams undoes RFC 2231: name*0*, name*1 and name* become name.
func joinParams(raw map[string]string) map[string]string {
	if len(raw) == 0 {
		return nil
	}
	params := make(map[string]string, len(raw))
	pieces := map[string][]piece{}
	for name, v := range raw {
		base, rest, star := strings.Cut(name, "*")
		if !star {
			params[name] = DecodeWords(v)
			continue
		}
		p := piece{value: v}
		if rest == "" {
			p.coded = true
		} else {
			digits, coded := strings.CutSuffix(rest, "*")
			n, err := strconv.ParseUint(digits, 10, 16)
			if err != nil {
				continue
			}
			p.n, p.coded = int(n), coded
		}
		pieces[base] = append(pieces[base], p)
	}
	for name, list := range pieces {
		params[name] = joinPieces(list) // the extended one counts (RFC 6266 §4.3 says why)
	}
	return params
}

// A piece is one section of a parameter (RFC 2231 §3).
type piece struct {
	n     int
	coded bool
	value string
}

func joinPieces(list []piece) string {
	slices.SortFunc(list, func(a, b piece) int { return cmp.Or(a.n-b.n, strings.Compare(a.value, b.value)) })
	var b []byte
	charset := ""
	for i, p := range list {
		v := p.value
		if i == 0 && p.coded {
			if cs, rest, ok := strings.Cut(v, "'"); ok {
				charset = cs
				_, v, _ = strings.Cut(rest, "'")
			}
		}
		if p.coded {
			b = append(b, unpercent(v)...)
		} else {
			b = append(b, v...)
		}
	}
	return clean(toUTF8(b, charset, 3*len(b)+16))
}

func unpercent(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16 {
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return b
}
