package tomlfile

import (
	"strings"
	"testing"
)

type pet struct {
	Name string   `toml:"name"`
	Toys []string `toml:"toys,omitempty"`
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]struct{ strict, lax bool }{
		"name = \"cat\"":                    {true, true},
		"name = \"cat\"\nage = 3":           {false, true},
		"name = 3":                          {false, false},
		"name":                              {false, false},
		"":                                  {true, true},
		"#" + strings.Repeat("x", MaxBytes): {false, false},
		"a" + strings.Repeat(".a", 30000) + " = 1": {false, false},
		strings.Repeat("a={", 20000):               {false, false},
	} {
		if err := Decode([]byte(text), &pet{}, true); (err == nil) != want.strict {
			t.Errorf("%.20q strictly: got %v, want it taken: %v", text, err, want.strict)
		}
		if err := Decode([]byte(text), &pet{}, false); (err == nil) != want.lax {
			t.Errorf("%.20q: got %v, want it taken: %v", text, err, want.lax)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	data, err := Encode(pet{"cat", []string{"mouse"}})
	if err != nil {
		t.Fatal(err)
	}
	var p pet
	if err := Decode(data, &p, true); err != nil || p.Name != "cat" || len(p.Toys) != 1 {
		t.Errorf("%s: got %v, %v", data, p, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name = \"cat\"\ntoys = [\"mouse\"]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p pet
		if Decode(data, &p, true) != nil {
			return
		}
		again, err := Encode(p)
		if err != nil {
			return // a string that TOML cannot hold
		}
		if err := Decode(again, &p, true); err != nil {
			t.Errorf("%q is written as %q: %v", data, again, err)
		}
	})
}
