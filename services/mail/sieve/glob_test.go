package sieve

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzGlob compares patterns with regular expressions that say the same, each * taking as little as it can.
func FuzzGlob(f *testing.F) {
	f.Add("*a?b*", "xxaäbyy")
	f.Add(`\*?\\*`, `*x\yz`)
	f.Add("**??*", "abc")
	f.Add("*.b.*-?-e", "a.b.c-d-e")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, pattern, value string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(value) || len(pattern) > 100 || strings.Contains(pattern, "\n") {
			return
		}
		g := glob{pieces: pieces(pattern), text: value}
		steps := 0
		for !g.done {
			if steps += g.run(1); steps > (len(pattern)+2)*(len(value)+2)*2 {
				t.Fatalf("%q on %q takes more than %d steps", pattern, value, steps)
			}
		}
		want := expression(pattern).FindStringSubmatch(value)
		if g.ok != (want != nil) {
			t.Fatalf("%q on %q: got %v, want %v", pattern, value, g.ok, want != nil)
		}
		if !g.ok {
			return
		}
		got := []string{value}
		for _, p := range g.pieces {
			if p.wild != 0 {
				got = append(got, value[p.from:p.to])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q on %q: got %q, want %q", pattern, value, got, want)
		}
	})
}

// expression says a pattern as a regular expression.
func expression(pattern string) *regexp.Regexp {
	var b strings.Builder
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			b.WriteString(regexp.QuoteMeta(string(r)))
			escaped = false
		case r == '\\':
			escaped = true
		case r == '*':
			b.WriteString("(.*?)")
		case r == '?':
			b.WriteString("(.)")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	if escaped {
		b.WriteString(`\\`)
	}
	return regexp.MustCompile(`(?s)^` + b.String() + `$`)
}
