package vcard

import (
	"slices"
	"strings"

	"cairn/services/caldav/line"
)

// to4 adds what a line of 3.0 is in 4.0.
func (v *conversion) to4(l *line.Line) {
	preference4(l)
	if isBinary(l) {
		inline4(l)
		v.add(*l)
		return
	}
	switch l.Name {
	case "PROFILE": // says that a vCard is a vCard
	case "PHOTO", "LOGO", "SOUND", "KEY":
		reference4(l)
		v.add(*l)
	case "BDAY", "ANNIVERSARY", "DEATHDATE":
		date4(l)
		v.add(*l)
	case "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY":
		v.anniversary4(l)
	case "X-ABDATE":
		if v.label(l) == "anniversary" {
			v.anniversary4(l)
			return
		}
		v.add(*l)
	case "REV":
		l.Value = timestamp4(l.Value)
		dropParams(l, "VALUE")
		v.add(*l)
	case "EMAIL":
		dropTypes(l, func(t string) bool { return t == "internet" }) // there is no other any more
		v.add(*l)
	case "GEO":
		if lat, long, ok := strings.Cut(strings.ReplaceAll(l.Value, `\`, ""), ";"); ok {
			l.Value = "geo:" + strings.TrimSpace(lat) + "," + strings.TrimSpace(long)
		}
		v.add(*l)
	case "TZ":
		zone4(l)
		v.add(*l)
	case "URL", "SOURCE", "FBURL", "CALURI", "CALADRURI", "IMPP":
		l.Value = line.Unescape(l.Value) // some clients write http\://
		dropParams(l, "VALUE")
		v.add(*l)
	case "UID":
		if !isURI(l.Value) {
			l.SetParam("VALUE", "text")
		}
		v.add(*l)
	case "AGENT":
		if value := strings.ToLower(param(l, "VALUE")); value == "uri" || value == "url" {
			v.add(line.Line{Group: l.Group, Name: "RELATED", Params: []line.Param{{Name: "TYPE", Values: []string{"agent"}}}, Value: line.Unescape(l.Value)})
			return
		}
		v.add(*l)
	case "LABEL":
		key := typesKey(l)
		v.postal[key] = append(v.postal[key], line.Unescape(l.Value))
		v.orphan = append(v.orphan, *l)
	case "SORT-STRING":
		v.sortAs = line.Unescape(l.Value)
	default:
		v.apple4(l)
	}
}

// apple4 does the same for what Apple's address books have of their own.
func (v *conversion) apple4(l *line.Line) {
	switch l.Name {
	case "X-ADDRESSBOOKSERVER-KIND":
		l.Name, l.Value = "KIND", strings.ToLower(l.Value)
	case "X-ADDRESSBOOKSERVER-MEMBER":
		l.Name = "MEMBER"
	case "X-ABSHOWAS":
		if !strings.EqualFold(l.Value, "company") {
			break
		}
		l.Name, l.Value = "KIND", "org"
	case "X-ABRELATEDNAMES":
		l.Name = "RELATED"
		l.SetParam("VALUE", "text")
		dropTypes(l, func(t string) bool { return true })
		if word := v.label(l); word != "" {
			v.dropLabel(l)
			addType(l, strings.ReplaceAll(word, " ", "-"))
		}
	}
	v.add(*l)
}

// anniversary4 adds an ANNIVERSARY, of which 4.0 can have one. The same again is left
// out, another stays what it is.
func (v *conversion) anniversary4(l *line.Line) {
	as := clone(l)
	as.Name = "ANNIVERSARY"
	date4(&as)
	has := v.anniversary != ""
	if has && v.anniversary != as.Value {
		v.add(*l)
		return
	}
	if l.Name == "X-ABDATE" {
		v.dropLabel(&as)
	}
	if !has {
		v.anniversary = as.Value
		v.add(as)
	}
}

// finish4 puts sort order and address labels into the properties that have them as
// parameters in 4.0. An address gets the first of the labels with the same types.
func (v *conversion) finish4() {
	for i := range v.out {
		switch l := &v.out[i]; l.Name {
		case "N":
			if v.sortAs != "" {
				l.SetParam("SORT-AS", v.sortAs)
				v.sortAs = ""
			}
		case "ADR":
			if key := typesKey(l); len(v.postal[key]) > 0 {
				l.SetParam("LABEL", v.postal[key][0])
				v.postal[key] = v.postal[key][1:]
			}
		}
	}
	if v.sortAs != "" {
		v.add(line.Line{Name: "SORT-STRING", Value: line.Escape(v.sortAs)})
	}
	for i := len(v.orphan) - 1; i >= 0; i-- { // the last ones were not wanted
		if key := typesKey(&v.orphan[i]); len(v.postal[key]) > 0 {
			v.postal[key] = v.postal[key][1:]
			v.add(v.orphan[i])
		}
	}
}

// typesKey is the same for lines of the same types.
func typesKey(l *line.Line) string {
	all := types(l)
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ",")
}

// preference4 turns TYPE=pref into PREF=1 (RFC 6350 §5.3).
func preference4(l *line.Line) {
	if !slices.Contains(types(l), "pref") {
		return
	}
	dropTypes(l, func(t string) bool { return t == "pref" })
	l.SetParam("PREF", "1")
}

// reference4 is a PHOTO, LOGO, SOUND or KEY that lies elsewhere, or a KEY that is a
// text.
func reference4(l *line.Line) {
	full := mediaType(l)
	if strings.EqualFold(param(l, "VALUE"), "text") {
		return
	}
	dropParams(l, "VALUE")
	l.Value = line.Unescape(l.Value)
	if full != "" {
		l.SetParam("MEDIATYPE", full)
	}
}

// date4 writes a date as RFC 6350 §4.3 has it; one that cannot be understood
// becomes a text.
func date4(l *line.Line) {
	m, ok := parseMoment(l)
	dropParams(l, "VALUE", omitYear)
	switch {
	case ok:
		l.Value = m.v4()
	case !isReduced(l.Value):
		l.SetParam("VALUE", "text")
	}
}

// timestamp4 turns 1995-10-31T22:27:10Z into 19951031T222710Z.
func timestamp4(s string) string {
	if m, ok := parseMoment(&line.Line{Value: s}); ok {
		return m.v4()
	}
	return s
}

// zone4 turns -05:00 into a utc-offset of -0500; a text is what TZ holds in 4.0 by
// default.
func zone4(l *line.Line) {
	value := strings.TrimSpace(l.Value)
	dropParams(l, "VALUE")
	if n := 0; len(value) == 6 && (value[0] == '+' || value[0] == '-') && value[3] == ':' && number(value[1:3]+value[4:], &n) {
		l.SetParam("VALUE", "utc-offset")
		l.Value = value[:3] + value[4:]
	}
}

// isURI reports whether s begins with a scheme (RFC 3986 §3.1).
func isURI(s string) bool {
	scheme, _, ok := strings.Cut(s, ":")
	for i, c := range []byte(strings.ToLower(scheme)) {
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return false
		}
	}
	return ok && scheme != ""
}
