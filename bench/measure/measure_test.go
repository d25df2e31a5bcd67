package measure

import (
	"strings"
	"testing"
)

func TestMet(t *testing.T) {
	for _, c := range []struct {
		r    Result
		want bool
	}{
		{Result{Ours: []float64{9, 11, 10}, Peer: []float64{10, 10, 10}, Goal: Goal{Ratio: 1}}, true},
		{Result{Ours: []float64{9, 11, 9}, Peer: []float64{10, 10, 10}, Goal: Goal{Ratio: 1}}, false},
		{Result{Unit: Seconds, Ours: []float64{9}, Peer: []float64{10}, Goal: Goal{Ratio: 1}}, true},
		{Result{Unit: Seconds, Ours: []float64{11}, Peer: []float64{10}, Goal: Goal{Ratio: 1}}, false},
		{Result{Unit: Bytes, Ours: []float64{11}, Goal: Goal{Value: 10}}, false},
		{Result{Ours: []float64{1}}, true},
	} {
		if got := c.r.Met(); got != c.want {
			t.Errorf("%+v: got %v, want %v", c.r, got, c.want)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		unit Unit
		x    float64
		want string
	}{
		{PerSecond, 5912, "5.91k/s"},
		{PerSecond, 1.2e6, "1.20M/s"},
		{PerSecond, 12.3, "12.3/s"},
		{Seconds, 0.0000954, "95.4 µs"},
		{Seconds, 2, "2.00 s"},
		{Bytes, 40 << 20, "40.0 MiB"},
		{Bytes, 3 << 30, "3.00 GiB"},
		{Lines, 123456, "123k"},
	} {
		if got := c.unit.format(c.x); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestPrint(t *testing.T) {
	var b strings.Builder
	err := Print(&b, []Result{{Work: "push", Size: 10, Unit: Seconds, Ours: []float64{0.1, 0.2, 0.3}, Peer: []float64{0.1, 0.1, 0.1}, Tool: "git", Goal: Goal{Ratio: 1.5}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `
| work | size | Cairn               | beside it |     | ratio              | goal     |       |
| ---- | ---- | ------------------- | --------- | --- | ------------------ | -------- | ----- |
| push | 10   | 200 ms (100 ms–300 ms) | 100 ms    | git | 2.00 (1.00–3.00) × | ≤ 1.50 × | short |
`
	if squeeze(b.String()) != squeeze(want) {
		t.Errorf("got\n%s\nwant%s", b.String(), want)
	}
}

// squeeze drops what depends on the widths of columns.
func squeeze(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "-", "")), " ")
}

func TestInTurn(t *testing.T) {
	var order strings.Builder
	note := func(name string) func() (float64, error) {
		return func() (float64, error) { order.WriteString(name); return 1, nil }
	}
	ours, peer, err := InTurn(3, note("a"), note("b"))
	if err != nil || len(ours) != 3 || len(peer) != 3 {
		t.Fatalf("got %v, %v, %v", ours, peer, err)
	}
	if got, want := order.String(), "abbaab"; got != want {
		t.Errorf("order: got %s, want %s", got, want)
	}
}
