package dav

import (
	"net/http"
	"strings"
)

// If is the If header (RFC 4918 §10.4): it holds if any of its lists does.
type If []IfList

// IfList holds if all of its conditions do.
type IfList struct {
	Resource   string // URL of the resource it is about, as in the header; "" is that of the request
	Conditions []Condition
}

// Condition is about a state token or an entity tag; one of both is set.
type Condition struct {
	Not   bool
	Token string // a lock token, or a token that never holds, as DAV:no-lock
	ETag  string // with its quotes, W/ and all
}

// maxIf bounds the header; net/http bounds all headers together at a megabyte.
const maxIf = 16 << 10

// ParseIf reads the If header, nil if there is none. A header that does not parse is 400.
func ParseIf(h http.Header) (If, error) {
	v := strings.Join(h.Values("If"), " ")
	if strings.TrimSpace(v) == "" {
		return nil, nil
	}
	if len(v) > maxIf {
		return nil, Errorf(http.StatusRequestHeaderFieldsTooLarge, "If is longer than %d bytes", maxIf)
	}
	p := ifParser{rest: v}
	list, ok := p.lists()
	if !ok {
		return nil, Errorf(http.StatusBadRequest, "If is malformed at %.40q", p.rest)
	}
	return list, nil
}

// ifParser reads from the front of rest.
type ifParser struct{ rest string }

// lists reads either untagged lists only or tagged ones only.
func (p *ifParser) lists() (If, bool) {
	var all If
	var resource string
	tagged, pending := p.peek('<'), false
	for !p.done() {
		if p.peek('<') {
			uri, ok := p.between('<', '>')
			if !ok || !tagged || pending {
				return nil, false
			}
			resource, pending = uri, true
			continue
		}
		conditions, ok := p.list()
		if !ok {
			return nil, false
		}
		pending = false
		all = append(all, IfList{resource, conditions})
	}
	return all, !pending && len(all) > 0
}

func (p *ifParser) list() ([]Condition, bool) {
	if !p.take("(") {
		return nil, false
	}
	var list []Condition
	for !p.take(")") {
		var c Condition
		c.Not = p.takeNot()
		var ok bool
		switch {
		case p.peek('<'):
			c.Token, ok = p.between('<', '>')
		case p.peek('['):
			c.ETag, ok = p.entityTag()
		}
		if !ok {
			return nil, false
		}
		list = append(list, c)
	}
	return list, len(list) > 0
}

// entityTag reads ["…"] or [W/"…"]; the tag may hold brackets.
func (p *ifParser) entityTag() (string, bool) {
	s := p.rest[1:]
	i := strings.IndexByte(s, '"')
	if i < 0 || strings.Trim(s[:i], " \t") != "" && strings.Trim(s[:i], " \t") != "W/" {
		return "", false
	}
	j := strings.IndexByte(s[i+1:], '"')
	if j < 0 {
		return "", false
	}
	end := i + 1 + j + 1
	p.rest = s[end:]
	if !p.take("]") {
		return "", false
	}
	return strings.Trim(s[:end], " \t"), true
}

func (p *ifParser) between(open, shut byte) (string, bool) {
	i := strings.IndexByte(p.rest, shut)
	if i < 2 || strings.ContainsAny(p.rest[1:i], "<> \t") {
		return "", false
	}
	s := p.rest[1:i]
	p.rest = p.rest[i+1:]
	return s, true
}

func (p *ifParser) takeNot() bool {
	p.space()
	if len(p.rest) < 3 || !strings.EqualFold(p.rest[:3], "Not") {
		return false
	}
	p.rest = p.rest[3:]
	return true
}

func (p *ifParser) take(s string) bool {
	p.space()
	if !strings.HasPrefix(p.rest, s) {
		return false
	}
	p.rest = p.rest[len(s):]
	return true
}

func (p *ifParser) peek(c byte) bool {
	p.space()
	return p.rest != "" && p.rest[0] == c
}

func (p *ifParser) done() bool {
	p.space()
	return p.rest == ""
}

func (p *ifParser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// Tokens returns every state token that the header names: these have been submitted, whatever stands
// around them (RFC 4918 §10.4.1).
func (f If) Tokens() []string {
	var tokens []string
	for _, l := range f {
		for _, c := range l.Conditions {
			if c.Token != "" {
				tokens = append(tokens, c.Token)
			}
		}
	}
	return tokens
}

// Holds evaluates the header. state says of a resource (as in IfList.Resource) which entity tag it has, with quotes ("" if
// it has none or does not exist), and which lock tokens are in force on it. Entity tags are compared strongly. No
// header at all holds.
func (f If) Holds(state func(resource string) (etag string, tokens []string)) bool {
	if len(f) == 0 {
		return true
	}
	for _, l := range f {
		etag, tokens := state(l.Resource)
		if l.holds(etag, tokens) {
			return true
		}
	}
	return false
}

func (l IfList) holds(etag string, tokens []string) bool {
	for _, c := range l.Conditions {
		if c.matches(etag, tokens) == c.Not {
			return false
		}
	}
	return true
}

func (c Condition) matches(etag string, tokens []string) bool {
	if c.ETag != "" {
		return c.ETag == etag && etag[0] == '"'
	}
	for _, t := range tokens {
		if t == c.Token {
			return true
		}
	}
	return false
}
