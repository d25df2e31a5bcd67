package vcard

import (
	"testing"
)

func seeds(f *testing.F) {
	for _, c := range both {
		f.Add(card("VERSION:3.0\nUID:1\nFN:A\n" + c.v3))
		f.Add(card("VERSION:4.0\nUID:1\nFN:A\n" + c.v4))
	}
	f.Add([]byte("BEGIN:VCARD\nVERSION:2.1\nFN;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Zo=EB=\nx\nPHOTO;BASE64:\n AAAA\n\nAGENT:\nBEGIN:VCARD\nEND:VCARD\nEND:VCARD"))
}

// What is accepted stays acceptable however it is converted and projected, and
// conversion comes to rest: what went there and back goes there and back unchanged.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			return
		}
		ok := c.Check() == nil
		other := V3
		if c.Version == V3 {
			other = V4
		}
		there := reread(t, c.Convert(other))
		back := reread(t, there.Convert(c.Version))
		if ok && (there.Check() != nil || back.Check() != nil) {
			t.Errorf("%q: a conversion lost UID or FN:\n%s", data, there.Encode())
		}
		if again := reread(t, back.Convert(other)).Convert(c.Version); sorted(again) != sorted(back) {
			t.Errorf("%q: conversion does not come to rest:\n%s\n%s", data, back.Encode(), again.Encode())
		}
		for _, o := range c.Occasions() {
			o.Events(1990, 2030)
		}
		(&Data{Props: []DataProp{{Name: "item1.TEL"}, {Name: "FN", NoValue: true}}}).Project(c)
		(&Filter{Props: []PropFilter{{Name: "TEL", Texts: []TextMatch{{Text: "1"}}, Params: []ParamFilter{{Name: "TYPE"}}}}}).Match(c)
		if x := c.Index(); x.Version != c.Version {
			t.Errorf("%q: got index %+v", data, x)
		}
	})
}

func reread(t *testing.T, c *Card) *Card {
	t.Helper()
	again, err := Parse(c.Encode())
	if err != nil {
		t.Fatalf("%s\n%v", c.Encode(), err)
	}
	return again
}

// Whatever is imported can be kept.
func FuzzImport(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for c, err := range Import(data) {
			if err != nil {
				return
			}
			again, err := Parse(c.Encode())
			if err != nil {
				t.Fatalf("%q: %s\n%v", data, c.Encode(), err)
			}
			if err := again.Check(); err != nil {
				t.Errorf("%q: %v", data, err)
			}
		}
	})
}

// A merge is a card, and where only one side has changed something it is that side.
func FuzzMerge(f *testing.F) {
	for _, c := range both {
		f.Add(card("VERSION:3.0\nUID:1\n"+c.v3), card("VERSION:3.0\nUID:1\nTEL:1"), card("VERSION:4.0\nUID:1\n"+c.v4))
	}
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) {
		if got, err := Merge(base, ours, theirs); err == nil {
			if _, err := Parse(got); err != nil {
				t.Fatalf("%q, %q, %q: got\n%s\n%v", base, ours, theirs, got, err)
			}
		}
		b, err1 := Parse(base)
		o, err2 := Parse(ours)
		if err1 != nil || err2 != nil || b.Version != o.Version {
			return
		}
		for _, sides := range [][2][]byte{{ours, base}, {base, ours}, {ours, ours}} {
			got, err := Merge(base, sides[0], sides[1])
			if err != nil {
				t.Fatalf("%q into %q: %v", ours, base, err)
			}
			if g, want := data(parse(t, got)), data(o); !g.equal(want) {
				t.Fatalf("%q into %q: got\n%s\nwant\n%s", ours, base, got, ours)
			}
		}
	})
}

// data are a card's units without the bookkeeping.
func data(c *Card) *units {
	u := unitsOf(c)
	for _, one := range u.list {
		if bookkeeping[one.name] {
			delete(u.has, one.key)
		}
	}
	return u
}
