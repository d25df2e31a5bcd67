package vcard

import (
	"io"
	"mime/quotedprintable"
	"slices"
	"strings"
	"unicode"

	"cairn/services/caldav/line"

	"golang.org/x/text/encoding/htmlindex"
)

// read makes a line of 3.0 or 4.0 of a text, which is 2.1 if old. What cannot be
// one becomes X-UNREADABLE.
func read(text string, old bool) line.Line {
	head, value, ok := strings.Cut(text, ":")
	if strings.Count(head, `"`)%2 == 1 { // the colon was a parameter's
		if end := strings.LastIndex(text, `":`); end > 0 {
			head, value = text[:end+1], text[end+2:]
		}
	}
	head = strings.Map(printable, head)
	parsed, err := line.Parse([]byte("BEGIN:VCARD\r\n" + strings.TrimSpace(head) + ":\r\nEND:VCARD\r\n"))
	if !ok || err != nil || len(parsed[0].Lines) != 1 {
		return line.Line{Name: "X-UNREADABLE", Value: line.Escape(strings.Map(printable, strings.ReplaceAll(text, "=\n", "")))}
	}
	l := clone(&parsed[0].Lines[0])
	encoding := encodingOf(&l)
	switch {
	case encoding == "quoted-printable":
		value = escapeOld(&l, decodeOld(&l, value))
	case isBinary(&l):
		value = dropSpace(value)
		l.SetParam("ENCODING", "b")
	case old:
		value = escapeOld(&l, value)
	}
	l.DelParam("CHARSET")
	l.Value = strings.Map(printable, value)
	return l
}

// encodingOf takes what 2.1 says of how a value is encoded, with the parameter's
// name or without, from the line and returns it in lower case, unless it is base64,
// which 3.0 has too.
func encodingOf(l *line.Line) string {
	encoding := strings.ToLower(param(l, "ENCODING"))
	for _, t := range types(l) {
		if t == "quoted-printable" {
			encoding = t
		}
	}
	dropTypes(l, func(t string) bool { return t == "quoted-printable" || t == "8bit" || t == "7bit" })
	l.DelParam("ENCODING")
	if encoding == "base64" || encoding == "b" {
		l.SetParam("ENCODING", "b")
	}
	return encoding
}

// decodeOld undoes quoted-printable and the character set beneath it.
func decodeOld(l *line.Line, value string) string {
	raw, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(value)))
	if err != nil {
		return value
	}
	text := string(raw)
	if enc, err := htmlindex.Get(param(l, "CHARSET")); err == nil {
		if decoded, err := enc.NewDecoder().String(text); err == nil {
			text = decoded
		}
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

// escapeOld writes a value of 2.1, in which only semicolons between the parts of N,
// ADR and ORG mean something, as one of 3.0. What looks escaped already, as by
// programs that did not mind the version, is left so.
func escapeOld(l *line.Line, value string) string {
	structured := slices.Contains([]string{"N", "ADR", "ORG", "GEO"}, l.Name)
	list := l.Name == "CATEGORIES" || l.Name == "NICKNAME"
	switch l.Name {
	case "URL", "PHOTO", "LOGO", "SOUND", "KEY", "SOURCE":
		return strings.ReplaceAll(value, "\n", "")
	}
	value = strings.ReplaceAll(strings.ReplaceAll(value, "\r\n", "\n"), "\r", "\n")
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && i+1 < len(value) && strings.IndexByte(`\;,nN`, value[i+1]) >= 0:
			b.WriteString(value[i : i+2])
			i++
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\\', c == ';' && !structured, c == ',' && !list:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// printable drops control characters, which no line may hold.
func printable(r rune) rune {
	if unicode.IsControl(r) && r != '\t' {
		return -1
	}
	return r
}
