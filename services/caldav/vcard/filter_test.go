package vcard

import (
	"strings"
	"testing"

	"cairn/services/caldav/line"
)

func TestFilter(t *testing.T) {
	c := parse(t, card("VERSION:3.0", "UID:1", `FN:Zoë Straße\, really`, "N:Straße;Zoë;;;", "NICKNAME:Zo,Zizi",
		"CATEGORIES:Friends,Tea Party", "item1.TEL;TYPE=CELL,pref:+43 1", "item1.X-ABLABEL:boat", "TEL;HOME:+43 2",
		"EMAIL;TYPE=INTERNET:zoe@example.org", `EMAIL;TYPE="WORK,x":zoe@work.example`))
	text := func(s string, typ line.MatchType, negate bool) []TextMatch {
		return []TextMatch{{Text: s, Type: typ, Negate: negate}}
	}
	param := func(name string, m *TextMatch) []ParamFilter { return []ParamFilter{{Name: name, Text: m}} }
	for _, k := range []struct {
		name string
		f    Filter
		want bool
	}{
		{"no condition", Filter{}, true},
		{"no condition, all", Filter{All: true}, true},
		{"defined", Filter{Props: []PropFilter{{Name: "fn"}}}, true},
		{"not there", Filter{Props: []PropFilter{{Name: "BDAY"}}}, false},
		{"not defined", Filter{Props: []PropFilter{{Name: "BDAY", NotDefined: true}}}, true},
		{"not defined, but is", Filter{Props: []PropFilter{{Name: "FN", NotDefined: true}}}, false},
		{"any group", Filter{Props: []PropFilter{{Name: "TEL", Texts: text("+43 1", line.Equals, false)}}}, true},
		{"that group", Filter{Props: []PropFilter{{Name: "ITEM1.tel"}}}, true},
		{"another group", Filter{Props: []PropFilter{{Name: "item2.TEL"}}}, false},
		{"group, not defined", Filter{Props: []PropFilter{{Name: "item2.TEL", NotDefined: true}}}, true},
		{"contains, any case", Filter{Props: []PropFilter{{Name: "FN", Texts: text("zOË", line.Contains, false)}}}, true},
		{"unescaped", Filter{Props: []PropFilter{{Name: "FN", Texts: text(", really", line.EndsWith, false)}}}, true},
		{"equals is whole", Filter{Props: []PropFilter{{Name: "FN", Texts: text("Zoë", line.Equals, false)}}}, false},
		{"starts", Filter{Props: []PropFilter{{Name: "FN", Texts: text("zo", line.StartsWith, false)}}}, true},
		{"starts, not", Filter{Props: []PropFilter{{Name: "FN", Texts: text("str", line.StartsWith, false)}}}, false},
		{"structured", Filter{Props: []PropFilter{{Name: "N", Texts: text("straße;zoë;;;", line.Equals, false)}}}, true},
		{"element of a list", Filter{Props: []PropFilter{{Name: "CATEGORIES", Texts: text("tea party", line.Equals, false)}}}, true},
		{"no element of a list", Filter{Props: []PropFilter{{Name: "CATEGORIES", Texts: text("party", line.Equals, false)}}}, false},
		{"negated", Filter{Props: []PropFilter{{Name: "CATEGORIES", Texts: text("friends", line.Equals, true)}}}, false},
		{"negated, no element", Filter{Props: []PropFilter{{Name: "CATEGORIES", Texts: text("foes", line.Equals, true)}}}, true},
		{"negated, of one property of two", Filter{Props: []PropFilter{{Name: "TEL", Texts: text("+43 1", line.Equals, true)}}}, true},
		{"negated, no property", Filter{Props: []PropFilter{{Name: "NOTE", Texts: text("x", line.Contains, true)}}}, false},
		{"octet", Filter{Props: []PropFilter{{Name: "FN", Texts: []TextMatch{{Text: "zoë", Collation: line.Octet}}}}}, false},
		{"ascii", Filter{Props: []PropFilter{{Name: "FN", Texts: []TextMatch{{Text: "ZOË", Collation: line.ASCIICasemap}}}}}, false},
		{"param", Filter{Props: []PropFilter{{Name: "TEL", Params: param("type", nil)}}}, true},
		{"param, bare type", Filter{Props: []PropFilter{{Name: "TEL", Params: param("TYPE", &TextMatch{Text: "home", Type: line.Equals})}}}, true},
		{"param, quoted list", Filter{Props: []PropFilter{{Name: "EMAIL", Params: param("TYPE", &TextMatch{Text: "work", Type: line.Equals})}}}, true},
		{"param not defined", Filter{Props: []PropFilter{{Name: "FN", Params: []ParamFilter{{Name: "TYPE", NotDefined: true}}}}}, true},
		{"param not defined, but is", Filter{Props: []PropFilter{{Name: "TEL", Params: []ParamFilter{{Name: "TYPE", NotDefined: true}}}}}, false},
		{"param negated", Filter{Props: []PropFilter{{Name: "item1.TEL", Params: param("TYPE", &TextMatch{Text: "pref", Negate: true})}}}, false},
		{"all, of one property", Filter{Props: []PropFilter{{Name: "TEL", All: true, Texts: text("+43 1", line.Equals, false), Params: param("TYPE", &TextMatch{Text: "cell"})}}}, true},
		{"all, of two properties", Filter{Props: []PropFilter{{Name: "TEL", All: true, Texts: text("+43 2", line.Equals, false), Params: param("TYPE", &TextMatch{Text: "cell"})}}}, false},
		{"any, of two properties", Filter{Props: []PropFilter{{Name: "TEL", Texts: text("+43 9", line.Equals, false), Params: param("TYPE", &TextMatch{Text: "cell"})}}}, true},
		{"any of two", Filter{Props: []PropFilter{{Name: "BDAY"}, {Name: "FN"}}}, true},
		{"all of two", Filter{All: true, Props: []PropFilter{{Name: "BDAY"}, {Name: "FN"}}}, false},
		{"all of two, both", Filter{All: true, Props: []PropFilter{{Name: "EMAIL", Texts: text("@work", line.Contains, false)}, {Name: "FN"}}}, true},
	} {
		if got := k.f.Match(c); got != k.want {
			t.Errorf("%s: got %v, want %v", k.name, got, k.want)
		}
	}
}

func TestProject(t *testing.T) {
	c := parse(t, card("VERSION:3.0", "UID:1", "FN:Alice", "item1.TEL;TYPE=CELL,pref:1", "item1.X-ABLABEL:boat", "TEL:2", "NOTE:long"))
	for _, k := range []struct {
		name string
		d    Data
		want string
	}{
		{"all", Data{}, lines(c)},
		{"named", Data{Props: []DataProp{{Name: "fn"}, {Name: "tel"}}}, "VERSION:3.0\nFN:Alice\nitem1.TEL;TYPE=CELL,pref:1\nTEL:2\n"},
		{"group", Data{Props: []DataProp{{Name: "Item1.Tel"}}}, "VERSION:3.0\nitem1.TEL;TYPE=CELL,pref:1\n"},
		{"no value", Data{Props: []DataProp{{Name: "NOTE", NoValue: true}, {Name: "item1.TEL", NoValue: true}}}, "VERSION:3.0\nitem1.TEL;TYPE=CELL,pref:\nNOTE:\n"},
		{"both ways", Data{Props: []DataProp{{Name: "NOTE", NoValue: true}, {Name: "NOTE"}}}, "VERSION:3.0\nNOTE:long\n"},
		{"none there", Data{Props: []DataProp{{Name: "BDAY"}}}, "VERSION:3.0\n"},
		{"another version", Data{Version: V4, Props: []DataProp{{Name: "TEL"}}}, "VERSION:4.0\nitem1.TEL;TYPE=CELL;PREF=1:1\nTEL:2\n"},
	} {
		want := "BEGIN:VCARD\n" + k.want + "END:VCARD\n"
		if got := string(k.d.Project(c)); got != strings.ReplaceAll(want, "\n", "\r\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", k.name, got, want)
		}
	}
	if d := (&Data{Version: V3}); !d.Whole(V3) || d.Whole(V4) {
		t.Error("Whole does not know the version")
	}
}
