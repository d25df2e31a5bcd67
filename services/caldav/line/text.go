package line

import "strings"

var (
	escaper   = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)
	unescaper = strings.NewReplacer(`\\`, `\`, `\;`, ";", `\,`, ",", `\n`, "\n", `\N`, "\n", `\:`, ":")
)

// Escape makes a value of type TEXT from s (RFC 5545 §3.3.11, RFC 6350 §3.4). What
// no line may hold, control characters and what is not UTF-8, is left out.
func Escape(s string) string {
	if unfit(s) != "" {
		s = clean(s)
	}
	if !strings.ContainsAny(s, "\\;,\n") {
		return s
	}
	return escaper.Replace(s)
}

// clean leaves out what no line may hold, but for the ends of lines.
func clean(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// Unescape returns the text that a value of type TEXT stands for. A backslash that
// escapes nothing stands for itself.
func Unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return unescaper.Replace(s)
}

// Split takes a value apart at every sep that is not escaped: the values of a list
// at ',', the fields of a structured value (N, ADR, REQUEST-STATUS) at ';'. The
// parts are still escaped.
func Split(value string, sep byte) []string {
	parts := make([]string, 0, 1+strings.Count(value, string(sep)))
	from := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case sep:
			parts = append(parts, value[from:i])
			from = i + 1
		}
	}
	return append(parts, value[from:])
}

// Texts returns the texts of a list (CATEGORIES:a,b), unescaped.
func Texts(value string) []string {
	parts := Split(value, ',')
	for i := range parts {
		parts[i] = Unescape(parts[i])
	}
	return parts
}

// Join makes the value of a list, or of a structured value, of texts that are not
// escaped.
func Join(texts []string, sep byte) string {
	var b strings.Builder
	for i, t := range texts {
		if i > 0 {
			b.WriteByte(sep)
		}
		b.WriteString(Escape(t))
	}
	return b.String()
}
