package vcard

import (
	"strings"

	"cairn/services/caldav/line"
)

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
