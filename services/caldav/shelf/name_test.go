package shelf

import (
	"errors"
	"strings"
	"testing"

	"cairn/store/object"
)

func TestFileName(t *testing.T) {
	for _, c := range []struct{ name, file string }{
		{"lunch.ics", "lunch.ics"},
		{"0B5DF1E2-ABCD.ics", "0B5DF1E2-ABCD.ics"},
		{"lunch", "lunch%.ics"},
		{"lunch.ICS", "lunch.ICS%.ics"},
		{".ics", "%2Eics%.ics"},
		{"..ics", "%2E.ics"},
		{".hidden.ics", "%2Ehidden.ics"},
		{"100%.ics", "100%25.ics"},
		{"a:b*c?.ics", "a%3Ab%2Ac%3F.ics"},
		{`a\b.ics`, "a%5Cb.ics"},
		{"con.ics", "%63on.ics"},
		{"Com1", "%43om1%.ics"},
		{"console.ics", "console.ics"},
		{"caf\u00e9.ics", "caf\u00e9.ics"},
		{"cafe\u0301.ics", "cafe%CC%81.ics"},
		{"uid@example.com.ics", "uid@example.com.ics"},
		{"%2e%2e%2fetc", "%252e%252e%252fetc%.ics"},
		{"trailing. ", "trailing.%20%.ics"},
	} {
		got, err := fileName(c.name, ".ics", escape)
		if err != nil || got != c.file {
			t.Errorf("%q: got %q, %v, want %q", c.name, got, err, c.file)
		}
		if back, ok := resourceName(got, ".ics"); !ok || back != c.name {
			t.Errorf("%q: back it is %q, %v, want %q", got, back, ok, c.name)
		}
	}
	for _, name := range []string{"", ".", "..", "a/b", "../x", "a\x00b", "a\nb", "\xff", strings.Repeat("x", 256), strings.Repeat("%", 86)} {
		if got, err := FileName(name); err == nil {
			t.Errorf("%q: got %q, want an error", name, got)
		} else if _, ok := errors.AsType[*NameError](err); !ok {
			t.Errorf("%q: got %v, want a NameError", name, err)
		}
	}
}

// TestConfusing puts names that some file systems take for one another.
func TestConfusing(t *testing.T) {
	each(t, func(k *kit) {
		all := []string{"party.ics", "Party.ics", "PARTY.ics", "caf\u00e9.ics", "cafe\u0301.ics", "Caf\u00e9.ics"}
		for i, name := range all {
			k.put("calendars/home/"+name, event(strings.Repeat("u", i+1), name))
		}
		folded := map[string]bool{}
		for file := range strings.FieldsSeq(k.files()) {
			if f := fold(file); folded[f] {
				t.Errorf("%q is there twice for some file systems: %s", f, k.files())
			} else {
				folded[f] = true
			}
		}
		for i, name := range all {
			k.want(name, k.read("calendars/home/"+name), event(strings.Repeat("u", i+1), name))
		}
		k.must(func(e *Edit) error { return e.Make(at("calendars/Home"), &Props{}) })
		k.want("calendar Home", names(t, k.coll("calendars/Home")), "")
		if k.coll("calendars/Home").Dir() == "calendars/Home" {
			t.Error("calendars home and Home would be one folder on some file systems")
		}
	})
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"a.ics", "%41.ics", "%.ics", "con", "é", "e\u0301", "~a~b", "a%2Fb", ".x", "x%", "..", "git~1", "a\x80.ics"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, ext := range []string{"", ".ics"} {
			for _, form := range forms {
				file, err := fileName(s, ext, form)
				if err != nil {
					continue
				}
				if err := object.CheckName(file); err != nil || file[0] == '.' {
					t.Errorf("%q became %q: %v", s, file, err)
				}
				if back, ok := resourceName(file, ext); !ok || back != s {
					t.Errorf("%q became %q became %q, %v", s, file, back, ok)
				}
			}
			if name, ok := resourceName(s, ext); ok {
				one, err := fileName(name, ext, escape)
				two, _ := fileName(name, ext, escapeAll)
				if err != nil || s != one && s != two {
					t.Errorf("file %q is %q, whose file is %q or %q", s, name, one, two)
				}
			}
		}
		if rel, ok := handmadePath(handmadeName(s)); !ok || rel != s {
			t.Errorf("%q by hand: %q, %v", s, rel, ok)
		}
	})
}
