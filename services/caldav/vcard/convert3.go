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

// date3 writes a date as RFC 2426 §3.1.5 has it. What has no day, such as "1985",
// or is a text stays one.
func date3(l *line.Line) {
	m, ok := parseMoment(l)
	if !ok {
		l.SetParam("VALUE", "text")
		return
	}
	dropParams(l, "VALUE")
	var noYear bool
	if l.Value, noYear = m.v3(); noYear {
		l.SetParam(omitYear, l.Value[:4])
	}
	if m.time != "" {
		l.SetParam("VALUE", "date-time")
	}
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

// timestamp3 turns 19951031T222710Z into 1995-10-31T22:27:10Z.
func timestamp3(s string) string {
	if m, ok := parseMoment(&line.Line{Value: s}); ok && m.Year != 0 {
		value, _ := m.v3()
		return value
	}
	return s
}

// telephone3 turns a tel: URI (RFC 3966) into a number as people write it.
func telephone3(l *line.Line) {
	isTel := len(l.Value) > 4 && strings.EqualFold(l.Value[:4], "tel:")
	if v := param(l, "VALUE"); !isTel || !strings.EqualFold(v, "uri") {
		if strings.EqualFold(v, "text") {
			dropParams(l, "VALUE")
		}
		return
	}
	dropParams(l, "VALUE")
	parts := strings.Split(l.Value[4:], ";")
	l.Value = parts[0]
	for _, p := range parts[1:] {
		if ext, ok := strings.CutPrefix(strings.ToLower(p), "ext="); ok {
			l.Value += " x" + ext
		}
	}
}

// geo3 turns geo:37.38,-122.08 (RFC 5870) into 37.38;-122.08.
func geo3(l *line.Line) {
	dropParams(l, "VALUE", "MEDIATYPE")
	place, ok := strings.CutPrefix(strings.ToLower(l.Value), "geo:")
	place, _, _ = strings.Cut(place, ";")
	if at := strings.Split(place, ","); ok && len(at) >= 2 {
		l.Value = at[0] + ";" + at[1]
		return
	}
	l.SetParam("VALUE", "uri")
}

// zone3 turns a utc-offset of -0500 into -05:00, which 3.0 has by default.
func zone3(l *line.Line) {
	kind := strings.ToLower(param(l, "VALUE"))
	dropParams(l, "VALUE")
	switch s := l.Value; {
	case kind != "utc-offset":
		if kind == "" {
			kind = "text"
		}
		l.SetParam("VALUE", kind)
	case len(s) == 5:
		l.Value = s[:3] + ":" + s[3:]
	case len(s) == 3:
		l.Value = s + ":00"
	}
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
