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
