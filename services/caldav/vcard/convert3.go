package vcard

import (
	"slices"
	"strings"
	"unicode"

	"cairn/services/caldav/line"
)

// to3 adds what a line of 4.0 is in 3.0.
func (v *conversion) to3(l *line.Line) {
	v.preference3(l)
	dropParams(l, "PID", "ALTID", "PREF", "CALSCALE")
	if _, media := mediaProps[l.Name]; media || isData(l.Value) && strings.EqualFold(param(l, "VALUE"), "uri") {
		inline3(l)
		v.add(*l)
		return
	}
	switch l.Name {
	case "CLIENTPIDMAP":
	case "FN", "N":
		v.one(l)
	case "BDAY":
		date3(l)
		v.one(l)
	case "DEATHDATE":
		date3(l)
		v.add(*l)
	case "ANNIVERSARY":
		v.anniversary3(l)
	case "REV":
		l.Value = timestamp3(l.Value)
		v.add(*l)
	case "TEL":
		telephone3(l)
		v.add(*l)
	case "GEO":
		geo3(l)
		v.add(*l)
	case "TZ":
		zone3(l)
		v.add(*l)
	case "UID":
		dropParams(l, "VALUE")
		v.add(*l)
	case "ADR":
		v.address3(l)
	case "KIND":
		v.kind3(l)
	case "MEMBER":
		l.Name = "X-ADDRESSBOOKSERVER-MEMBER"
		v.add(*l)
	case "RELATED":
		v.related3(l)
	default:
		v.add(*l)
	}
}

// preference3 turns the best PREF of a property's kind into TYPE=pref.
func (v *conversion) preference3(l *line.Line) {
	_, has := l.Param("PREF")
	if !has || preference(l) != v.best[l.Name] || v.ranked[l.Name] {
		return
	}
	v.ranked[l.Name] = true
	addType(l, "pref")
}

// one adds a property that 3.0 can have only once, and of several the preferred.
func (v *conversion) one(l *line.Line) {
	if v.taken[l.Name] {
		return
	}
	v.taken[l.Name] = true
	best := clone(v.from.preferred(l.Name))
	dropParams(&best, "PID", "ALTID", "PREF", "CALSCALE", "CHARSET")
	switch l.Name {
	case "BDAY":
		date3(&best)
	case "N":
		if sort := param(&best, "SORT-AS"); sort != "" {
			v.sortAs = sort
		}
		dropParams(&best, "SORT-AS")
	}
	v.add(best)
}

// finish3 adds what 3.0 asks for: N (RFC 2426 §3.1.2), and the sort order as a
// property.
func (v *conversion) finish3() {
	if !v.taken["N"] {
		v.add(line.Line{Name: "N", Value: line.Escape(v.from.Name()) + ";;;;"})
	}
	if v.sortAs != "" {
		v.add(line.Line{Name: "SORT-STRING", Value: line.Escape(v.sortAs)})
	}
	v.out = append(v.out, v.orphan...)
}

// anniversary3 adds the anniversary as Apple's address books have it.
func (v *conversion) anniversary3(l *line.Line) {
	if _, ok := parseMoment(l); !ok {
		v.add(*l)
		return
	}
	date3(l)
	l.Name = "X-ABDATE"
	v.addLabelled(*l, "Anniversary")
}

// address3 takes the label out of an address, into a property with the same types.
func (v *conversion) address3(l *line.Line) {
	if label, ok := l.Param("LABEL"); ok {
		dropParams(l, "LABEL")
		postal := line.Line{Name: "LABEL", Value: line.Escape(label)}
		if types, ok := paramValues(l, "TYPE"); ok {
			postal.Params = []line.Param{{Name: "TYPE", Values: types}}
		}
		v.orphan = append(v.orphan, postal)
	}
	v.add(*l)
}

// kind3 says as Apple's address books do what a card is of.
func (v *conversion) kind3(l *line.Line) {
	switch strings.ToLower(l.Value) {
	case "individual":
		return // as all are
	case "group":
		l.Name, l.Value = "X-ADDRESSBOOKSERVER-KIND", "group"
	case "org":
		l.Name, l.Value = "X-ABSHOWAS", "COMPANY"
	}
	v.add(*l)
}

// related3 turns a name into one of Apple's; a relation that is a URI stays, with
// the name of 4.0.
func (v *conversion) related3(l *line.Line) {
	if !strings.EqualFold(param(l, "VALUE"), "text") {
		v.add(*l)
		return
	}
	dropParams(l, "VALUE")
	l.Name = "X-ABRELATEDNAMES"
	kinds := slices.DeleteFunc(types(l), func(t string) bool { return t == "pref" || t == "" })
	if v.labels[strings.ToLower(l.Group)] != "" || len(kinds) == 0 {
		v.add(*l)
		return
	}
	dropTypes(l, func(t string) bool { return t != "pref" })
	word := []rune(strings.ReplaceAll(kinds[0], "-", " "))
	word[0] = unicode.ToUpper(word[0])
	v.addLabelled(*l, string(word))
}
