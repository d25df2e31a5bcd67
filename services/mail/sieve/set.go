package sieve

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// buildSet reads set (RFC 5229 §4).
func buildSet(b *builder, c *call) (statement, error) {
	name, err := b.variable(c.args[0], c)
	if err != nil {
		return nil, err
	}
	value, err := c.phrase(c.args[1])
	if err != nil {
		return nil, err
	}
	// The order is that of precedence, the highest first (§4.1).
	modifiers := []string{c.given("case"), c.given("initial"), c.given("quote"), c.given("length")}
	return func(r *run) error {
		s, err := value.in(r)
		if err != nil {
			return err
		}
		for _, m := range modifiers {
			s = modify(m, s)
		}
		return r.set(c.at, name, s)
	}, nil
}

// variable reads the name of a variable.
func (b *builder) variable(a argument, c *call) (string, error) {
	list, err := c.constants(a, "the name of a variable")
	if err != nil {
		return "", err
	}
	name := lower(list[0])
	if !validName(name) || strings.Contains(name, ".") || len(name) > maxName {
		return "", b.errorf(a.at, "%q is no name of a variable: it has letters, digits and _, and begins with no digit", list[0])
	}
	return name, nil
}

func modify(modifier, s string) string {
	first, size := utf8.DecodeRuneInString(s)
	switch modifier {
	case "lower":
		return strings.ToLower(s)
	case "upper":
		return strings.ToUpper(s)
	case "lowerfirst":
		return initial(unicode.ToLower(first), s, size)
	case "upperfirst":
		return initial(unicode.ToUpper(first), s, size)
	case "quotewildcard":
		return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `\`, `\\`).Replace(s)
	case "length":
		return strconv.Itoa(utf8.RuneCountInString(s))
	}
	return s
}

func initial(r rune, s string, size int) string {
	if size == 0 || r == utf8.RuneError {
		return s
	}
	return string(r) + s[size:]
}

// cut shortens s to at most n bytes, between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
