package accounts

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

func TestChosen(t *testing.T) {
	for _, c := range []struct {
		in, want string
		err      error
	}{
		{"12345678", "12345678", nil},
		{"1234567", "", ErrPassword},
		{"", "", ErrPassword},
		{"pässword", "pässword", nil},
		{"pa\u0308ssword", "p\u00e4ssword", nil},          // NFC
		{"pa\u0308sswor", "", ErrPassword},                // 7 characters once composed
		{"one\u00a0two\u3000three", "one two three", nil}, // spaces
		{"Ｗide letters", "Ｗide letters", nil},             // width stays
		{"new\nline in it", "", ErrPassword},              // control character
		{"nul\x00 in it....", "", ErrPassword},            // control character
		{"not UTF-8 \xff\xfe", "", ErrPassword},           //
		{strings.Repeat("x", 1024), strings.Repeat("x", 1024), nil},
		{strings.Repeat("x", 1025), "", ErrPassword},
	} {
		got, err := chosen(c.in)
		if !errors.Is(err, c.err) || err == nil && got != c.want {
			t.Errorf("%.40q: got %.40q, %v, want %.40q, %v", c.in, got, err, c.want, c.err)
		}
	}
}

func TestGeneratePassword(t *testing.T) {
	form := regexp.MustCompile(`^([a-z2-7]{5}-){4}[a-z2-7]{6}$`) // 26 of 32 letters: 130 bits
	seen := map[string]bool{}
	for range 1000 {
		p := GeneratePassword()
		if !form.MatchString(p) || seen[p] {
			t.Fatalf("got %q (again: %v), want %v", p, seen[p], form)
		}
		seen[p] = true
	}
}
