package vcard

import (
	"slices"
	"strings"

	"cairn/services/caldav/line"
)

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
