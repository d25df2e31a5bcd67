package self

import (
	"errors"
	"strings"
	"testing"
)

func TestSeal(t *testing.T) {
	a, err := newSealer([32]byte{1}, "session")
	if err != nil {
		t.Fatal(err)
	}
	b, err := newSealer([32]byte{1}, "profile")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := a.seal(session{User: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	var s session
	if err := a.open(sealed, &s); err != nil || s.User != "alice" {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := b.open(sealed, &s); !errors.Is(err, errSeal) {
		t.Errorf("for another purpose: got %v, want errSeal", err)
	}
	for i := range sealed {
		changed := sealed[:i] + string(rune('A'+(sealed[i]+1)%26)) + sealed[i+1:]
		if changed != sealed && a.open(changed, &s) == nil {
			t.Fatalf("byte %d can be changed", i)
		}
	}
}

func FuzzSeal(f *testing.F) {
	a, err := newSealer([32]byte{1}, "session")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add("AAAA")
	f.Add(strings.Repeat("A", 100))
	f.Fuzz(func(t *testing.T, sealed string) {
		if a.open(sealed, &session{}) == nil {
			t.Errorf("%q was opened", sealed)
		}
	})
}
