package ringtest

import (
	"slices"
	"testing"
)

// TestRead finds top-level tests on a console, also behind what something else has printed
// without an end of line.
func TestRead(t *testing.T) {
	r := read(`=== RUN   TestA
--- PASS: TestA (0.00s)
    --- PASS: TestA/part (0.00s)
0x12--- FAIL: TestB (1.20s)
--- SKIP: TestC (0.00s)
    c_test.go:1: -short
FAIL
`, 1)
	if !slices.Equal(r.Passed, []string{"TestA"}) || !slices.Equal(r.Failed, []string{"TestB"}) || !slices.Equal(r.Skipped, []string{"TestC"}) || r.Status != 1 {
		t.Errorf("got %+v", r)
	}
}

// TestWithout makes one pattern of all that is left out.
func TestWithout(t *testing.T) {
	s := Suite{Without: []Gap{{files, "TestA TestB"}, {programs, "TestC"}}}
	if got, want := s.without(), "^(TestA|TestB|TestC)$"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := (Suite{}).without(); got != "" {
		t.Errorf("of nothing: got %s", got)
	}
}
