package image

import (
	"strings"
	"testing"
)

func TestCodeLines(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{"", 0},
		{"\n\n  \n\t\n", 0},
		{"a", 1},
		{"a\nb\n", 2},
		{"a\r\n\r\nb\r\n", 2},
		{"// a\n  // b\nc // d\n", 1},
		{"/* a\nb\n*/\nc\n", 1},
		{"/* a */ b\n/* c */\n", 1},
		{"a /* b\nc */ d\n", 2},
		{"/**/\n/***/\n/*/ a */\n", 0},
		{"s := \"// a\"\nt := \"/* a\"\nb\n", 3},
		{"s := `a\n\n// b\n/* c\n`\nd\n", 5},
		{"c := '\"'\n// d\n", 1},
		{"c := '\\''\n// d\n", 1},
		{"s := \"\\\\\"\n// d\n", 1},
		{"s := \"\\\"// a\"\n", 1},
		{"a /\nb\n", 2},
		{"/\n", 1},
		{"a / b\n", 1},
		{"//\n", 0},
		{"/* don't */ // can't\na\n", 1},
		{"#define x \\\n  1\n", 2},
	} {
		got, err := CodeLines(strings.NewReader(c.text))
		if err != nil || got != c.want {
			t.Errorf("%q: got %d, %v, want %d", c.text, got, err, c.want)
		}
	}
}

// TestSources counts tiny, whose lines can be counted by eye: all of it is linked.
func TestSources(t *testing.T) {
	list, err := Sources(t.Context(), tiny(t).Image, "")
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]Source{}
	for _, s := range list {
		by[s.Path] = s
		if s.Linked > s.Compiled {
			t.Errorf("%s: %d lines are linked of %d", s.Path, s.Linked, s.Compiled)
		}
	}
	if s := by["cairn/deploy/image/testdata/tiny"]; s.Linked != s.Compiled || s.Compiled < 30 || s.Compiled > 60 || s.Module != "cairn" {
		t.Errorf("tiny: got %+v", s)
	}
	if s := by["runtime"]; s.Linked < s.Compiled/3 || s.Linked == s.Compiled || s.Module != "" {
		t.Errorf("the runtime: got %+v", s)
	}
	if s := by["encoding/json"]; s.Linked == 0 || s.Linked == s.Compiled {
		t.Errorf("encoding/json: got %+v", s)
	}
}

func TestAssembly(t *testing.T) {
	got := assembly([]byte("#include \"x\"\n\nTEXT ·a(SB), $0\n\tRET\n\nTEXT ·b(SB), $0\n\tRET\n"))
	want := []extent{{3, 5}, {6, 7}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v, want %v", got, want)
	}
}
