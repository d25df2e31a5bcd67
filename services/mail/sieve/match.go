package sieve

import (
	"cmp"
	"strconv"
	"strings"
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
