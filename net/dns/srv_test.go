package dns_test

import (
	"testing"

	"cairn/net/dns"
)

// TestSRVOrder: priorities in order, and within one the weights decide how often a
// host is the first.
func TestSRVOrder(t *testing.T) {
	f := always(0, "example. 60 IN SRV 1 0 1 never.example.", "example. 60 IN SRV 1 10 1 seldom.example.", "example. 60 IN SRV 1 90 1 often.example.",
		"example. 60 IN SRV 2 65535 1 last.example.", "example. 60 IN SRV 0 0 1 first.example.")
	r := f.resolver(dns.Options{}, one)
	first := map[string]int{}
	for range 2000 {
		_, all, err := r.LookupSRV(t.Context(), "", "", "example")
		if err != nil || len(all) != 5 || all[0].Target != "first.example." || all[4].Target != "last.example." {
			t.Fatalf("%v, %v, want the priorities 0, 1, 1, 1, 2", all, err)
		}
		first[all[1].Target]++
	}
	if n := first["often.example."]; n < 1650 || n > 1900 {
		t.Errorf("weight 90 of 100 was first %d times in 2000, want about 1780", n)
	}
	if n := first["seldom.example."]; n < 120 || n > 300 {
		t.Errorf("weight 10 of 100 was first %d times in 2000, want about 200", n)
	}
	if n := first["never.example."]; n > 100 {
		t.Errorf("weight 0 was first %d times in 2000, want about 20", n)
	}
}
