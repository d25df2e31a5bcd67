package kernel

import "testing"

func TestRDRANDIsTrustedWhileItVaries(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []uint64
		want   bool
	}{
		{"good", []uint64{1, 2, 1, 3}, true},
		{"all ones, as some AMD processors after they slept", []uint64{5, ^uint64(0)}, false},
		{"zero", []uint64{0}, false},
		{"stuck", []uint64{7, 7}, false},
		{"no second chance", []uint64{7, 7, 8, 9}, false},
	} {
		r := rdrandSource{trusted: true}
		got := true
		for _, v := range c.values {
			got = r.accept(v, true)
		}
		if got != c.want {
			t.Errorf("%s: trusted %v, want %v", c.name, got, c.want)
		}
	}
	r := rdrandSource{trusted: true}
	if r.accept(12345, false) {
		t.Error("a number that the processor says is none was accepted")
	}
}
