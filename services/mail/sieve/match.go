package sieve

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxCaptures is how many of the things that wildcards match can be referred to.
const maxCaptures = 32

// A matcher compares values with keys, by a comparator (RFC 5228 §2.7, RFC 5231).
type matcher struct {
	at       int
	kind     string // is, contains, matches, count or value
	relation string // of count and value: gt, ge, lt, le, eq, ne
	by       string // comparator
	captures bool   // matches sets ${1} and so on
}

const (
	casemap = "i;ascii-casemap"
	octet   = "i;octet"
	numeric = "i;ascii-numeric"
)

// matcher reads the options of a test that compares.
func (b *builder) matcher(c *call) (*matcher, error) {
	m := &matcher{at: c.at, kind: c.given("match"), by: casemap, captures: b.has["variables"]}
	if m.kind == "" {
		m.kind = "is"
	}
	if o, ok := c.options["comparator"]; ok {
		list, err := c.constants(o.value, "a comparator")
		if err != nil {
			return nil, err
		}
		m.by = list[0]
		switch {
		case m.by != casemap && m.by != octet && m.by != numeric:
			return nil, b.errorf(o.value.at, "there is no comparator %q; there are: %s, %s, %s", m.by, casemap, octet, numeric)
		case m.by == numeric && !b.has["comparator-"+numeric]:
			return nil, b.errorf(o.value.at, "this comparator needs require %q at the beginning of the script", "comparator-"+numeric)
		case m.by == numeric && (m.kind == "contains" || m.kind == "matches"):
			return nil, b.errorf(o.value.at, "numbers cannot be compared by :%s", m.kind)
		}
	}
	if m.kind == "count" || m.kind == "value" {
		o := c.options["match"]
		list, err := c.constants(o.value, "a relation")
		if err != nil {
			return nil, err
		}
		switch m.relation = lower(list[0]); m.relation {
		case "gt", "ge", "lt", "le", "eq", "ne":
		default:
			return nil, b.errorf(o.value.at, "there is no relation %q; there are: gt, ge, lt, le, eq, ne", list[0])
		}
	}
	return m, nil
}

// any reports whether any of the values fits any of the keys.
func (m *matcher) any(r *run, values, keys []string) (bool, error) {
	if m.kind == "count" {
		values = []string{strconv.Itoa(len(values))}
	}
	for i, k := range keys {
		keys[i] = m.fold(k)
	}
	for _, v := range values {
		if err := r.spend(m.at, len(v)); err != nil {
			return false, err
		}
		folded := m.fold(v)
		for _, k := range keys {
			if err := r.spend(m.at, min(len(k), len(v))+len(v)/8+1); err != nil {
				return false, err
			}
			ok, err := m.one(r, v, folded, k)
			if ok || err != nil {
				return ok, err
			}
		}
	}
	return false, nil
}

// one compares a value, which is also there folded, with a folded key.
func (m *matcher) one(r *run, value, folded, key string) (bool, error) {
	switch m.kind {
	case "contains":
		return strings.Contains(folded, key), nil
	case "matches":
		return m.matches(r, value, folded, key)
	case "count", "value":
		return related(m.relation, m.compare(folded, key)), nil
	}
	return m.compare(folded, key) == 0, nil
}

// fold makes strings equal that the comparator takes for equal.
func (m *matcher) fold(s string) string {
	if m.by == casemap {
		return lower(s)
	}
	return s
}

// compare orders folded strings as the comparator does (RFC 4790 §9).
func (m *matcher) compare(a, b string) int {
	if m.by == numeric {
		return compareNumbers(a, b)
	}
	return strings.Compare(a, b)
}

// compareNumbers compares the digits with which strings begin; what begins with none is infinite
// (RFC 4790 §9.1).
func compareNumbers(a, b string) int {
	x, y := digits(a), digits(b)
	switch {
	case x == "" || y == "":
		return cmp.Compare(min(len(y), 1), min(len(x), 1))
	case len(strip(x)) != len(strip(y)):
		return cmp.Compare(len(strip(x)), len(strip(y)))
	}
	return strings.Compare(strip(x), strip(y))
}

func digits(s string) string {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return s[:i]
		}
	}
	return s
}

func strip(s string) string { return strings.TrimLeft(s, "0") }

func related(relation string, order int) bool {
	switch relation {
	case "gt":
		return order > 0
	case "ge":
		return order >= 0
	case "lt":
		return order < 0
	case "le":
		return order <= 0
	case "eq":
		return order == 0
	}
	return order != 0
}

// matches compares a value with a pattern, in which * stands for any characters and ? for one, and
// remembers what they stand for.
func (m *matcher) matches(r *run, value, folded, pattern string) (bool, error) {
	g := glob{pieces: pieces(pattern), text: folded, octets: m.by == octet}
	for !g.done {
		if err := r.spend(m.at, g.run(1<<12)); err != nil {
			return false, err
		}
	}
	if !g.ok || !m.captures {
		return g.ok, nil
	}
	r.matched = []string{value}
	for _, p := range g.pieces {
		if p.wild != 0 && len(r.matched) < maxCaptures {
			r.matched = append(r.matched, value[p.from:p.to])
		}
	}
	return true, nil
}

// A piece is a byte of a pattern, or a wildcard and what it stands for.
type piece struct {
	wild     byte // * or ?, 0 for a byte
	char     byte
	from, to int
}

// pieces reads a pattern; a backslash takes the meaning of what follows it.
func pieces(pattern string) []piece {
	list := make([]piece, 0, len(pattern))
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*' || c == '?':
			list = append(list, piece{wild: c})
		case c == '\\' && i+1 < len(pattern):
			i++
			list = append(list, piece{char: pattern[i]})
		default:
			list = append(list, piece{char: c})
		}
	}
	return list
}

// A glob is a text being compared with a pattern. Each * takes as little as it can (RFC 5229
// §3.2); as only the last one before a mismatch can take more, no others need be tried again.
type glob struct {
	pieces   []piece
	text     string
	octets   bool // ? is a byte, not a character
	p, t     int  // where it is
	star     int  // 1 + the last *, 0 for none
	done, ok bool
}

// run takes at most n steps and returns how many it took.
func (g *glob) run(n int) int {
	for i := range n {
		if g.step(); g.done {
			return i + 1
		}
	}
	return n
}

func (g *glob) step() {
	if g.p == len(g.pieces) {
		switch {
		case g.t == len(g.text):
			g.done, g.ok = true, true
		case g.star == g.p && g.star > 0: // the pattern ends with a *
			g.pieces[g.star-1].to = len(g.text)
			g.t = len(g.text)
		default:
			g.back()
		}
		return
	}
	switch p := &g.pieces[g.p]; {
	case p.wild == '*':
		p.from, p.to = g.t, g.t
		g.p++
		g.star = g.p
	case g.t == len(g.text):
		g.done = true
	case p.wild == '?':
		p.from = g.t
		g.t += g.width(g.t)
		p.to = g.t
		g.p++
	case p.char == g.text[g.t]:
		g.p++
		g.t++
	default:
		g.back()
	}
}

// back has the last * take one character more.
func (g *glob) back() {
	if g.star == 0 {
		g.done = true
		return
	}
	s := &g.pieces[g.star-1]
	if s.to == len(g.text) {
		g.done = true
		return
	}
	s.to += g.width(s.to)
	g.p, g.t = g.star, s.to
}

func (g *glob) width(at int) int {
	if g.octets {
		return 1
	}
	_, n := utf8.DecodeRuneInString(g.text[at:])
	return n
}
