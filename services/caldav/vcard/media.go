package vcard

import (
	"encoding/base64"
	"net/url"
	"strings"

	"cairn/services/caldav/line"
)

// What 3.0 calls the type of inline data (RFC 2426 §3.1.4, §3.7.2), where it is
// not the upper-case subtype.
var mediaNames = []struct{ short, full string }{
	{"jpeg", "image/jpeg"}, {"jpg", "image/jpeg"}, {"svg", "image/svg+xml"},
	{"pgp", "application/pgp-keys"}, {"x509", "application/pkix-cert"},
}

// mediaProps lists the properties that hold data, and of which sort.
var mediaProps = map[string]string{"PHOTO": "image", "LOGO": "image", "SOUND": "audio", "KEY": "application"}

// isPlace reports whether a value of TYPE says what a property is for, and not
// of which sort its data is.
func isPlace(typ string) bool { return typ == "home" || typ == "work" || typ == "pref" }

// mediaType takes the media type that TYPE names out of l and returns it; "" when
// there is none.
func mediaType(l *line.Line) string {
	var short string
	for _, t := range types(l) {
		if !isPlace(t) {
			short = t
		}
	}
	if short == "" {
		return ""
	}
	dropTypes(l, func(t string) bool { return !isPlace(t) })
	for _, m := range mediaNames {
		if m.short == short {
			return m.full
		}
	}
	if strings.Contains(short, "/") {
		return short
	}
	return mediaProps[l.Name] + "/" + short
}

// shortType is what 3.0 has in TYPE for a media type.
func shortType(full string) string {
	full, _, _ = strings.Cut(strings.ToLower(full), ";")
	for _, m := range mediaNames {
		if m.full == full {
			return strings.ToUpper(m.short)
		}
	}
	_, sub, _ := strings.Cut(full, "/")
	if sub == "octet-stream" {
		return ""
	}
	return strings.ToUpper(sub)
}

// sniff names the media type of base64 data by how it begins.
func sniff(b64, otherwise string) string {
	for _, m := range []struct{ begin, full string }{
		{"/9j/", "image/jpeg"}, {"iVBORw", "image/png"}, {"R0lGOD", "image/gif"}, {"UklGR", "image/webp"},
		{"LS0tLS1CRUdJTiBQR1", "application/pgp-keys"},
	} {
		if strings.HasPrefix(b64, m.begin) {
			return m.full
		}
	}
	return otherwise
}

// isBinary reports whether a line of 3.0 holds inline data.
func isBinary(l *line.Line) bool {
	e := strings.ToLower(param(l, "ENCODING"))
	return e == "b" || e == "base64"
}

// inline4 turns a value in base64 into a data: URI (RFC 2397).
func inline4(l *line.Line) {
	full := ""
	if mediaProps[l.Name] != "" {
		full = mediaType(l)
	}
	dropParams(l, "ENCODING", "VALUE")
	value := dropSpace(l.Value)
	if full == "" {
		full = sniff(value, "application/octet-stream")
	}
	l.Value = "data:" + full + ";base64," + value
	if mediaProps[l.Name] == "" {
		l.SetParam("VALUE", "uri")
	}
}

// inline3 is the reverse; a value that is no data: URI stays as it is, as
// VALUE=uri.
func inline3(l *line.Line) {
	full, data, ok := parseData(l.Value)
	if !ok {
		if short := shortType(param(l, "MEDIATYPE")); short != "" {
			addType(l, short)
		}
		dropParams(l, "MEDIATYPE")
		if param(l, "VALUE") == "" {
			l.SetParam("VALUE", "uri")
		}
		return
	}
	dropParams(l, "VALUE", "MEDIATYPE")
	l.Params = append(l.Params, line.Param{Name: "ENCODING", Values: []string{"b"}})
	if short := shortType(full); short != "" && mediaProps[l.Name] != "" {
		addType(l, short)
	}
	l.Value = data
}

// parseData reads a data: URI and returns its media type and its data in base64.
func parseData(s string) (full, b64 string, ok bool) {
	if !isData(s) {
		return "", "", false
	}
	// Some clients escape what stands in a URI as if it were a text.
	head, data, ok := strings.Cut(strings.ReplaceAll(s[len("data:"):], `\`, ""), ",")
	if !ok {
		return "", "", false
	}
	if t, is64 := strings.CutSuffix(head, ";base64"); is64 {
		return t, dropSpace(strings.ReplaceAll(data, "%3D", "=")), true
	}
	raw, err := url.PathUnescape(data)
	if err != nil {
		return "", "", false
	}
	return head, base64.StdEncoding.EncodeToString([]byte(raw)), true
}

func isData(s string) bool {
	const scheme = "data:"
	return len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme)
}

func dropSpace(s string) string {
	if !strings.ContainsAny(s, " \t\r\n") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, s)
}
