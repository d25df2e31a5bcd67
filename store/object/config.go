package object

import "strings"

// A configValue is one line of a file in git's configuration format (git-config(1)).
type configValue struct {
	section       string // in lower case
	subsection    string
	hasSubsection bool
	key           string // in lower case
	value         string // empty when there is none
}

// parseConfig calls f for each value until f returns false. It stops at the first
// error without a word, because git does: what came before it counts.
func parseConfig(data []byte, f func(configValue) bool) {
	p := configParser{s: strings.TrimPrefix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\ufeff")}
	var v configValue
	for {
		p.s = strings.TrimLeft(p.s, " \t\n\r")
		if p.s == "" {
			return
		}
		ok := true
		switch c := p.s[0]; {
		case c == '#' || c == ';':
			_, p.s, _ = strings.Cut(p.s, "\n")
		case c == '[':
			v, ok = p.header()
		default:
			v.key, v.value, ok = p.assignment()
			ok = ok && f(v)
		}
		if !ok {
			return
		}
	}
}

type configParser struct{ s string }

// header takes [section "subsection"], [section.subsection] or [section].
func (p *configParser) header() (v configValue, ok bool) {
	end := strings.IndexAny(p.s, "] \t\r\n")
	if end < 0 {
		return v, false
	}
	name := strings.ToLower(p.s[1:end])
	v.section, v.subsection, v.hasSubsection = strings.Cut(name, ".")
	p.s = p.s[end:]
	if p.s[0] == ']' {
		p.s = p.s[1:]
		return v, name != ""
	}
	v.hasSubsection = true
	p.s = strings.TrimLeft(p.s, " \t\r")
	if !strings.HasPrefix(p.s, `"`) {
		return v, false
	}
	var b strings.Builder
	for i := 1; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '\n':
			return v, false
		case c == '"':
			v.subsection = b.String()
			p.s, ok = strings.CutPrefix(p.s[i+1:], "]")
			return v, ok
		case c == '\\' && i+1 < len(p.s) && p.s[i+1] != '\n':
			i++
			b.WriteByte(p.s[i])
		default:
			b.WriteByte(c)
		}
	}
	return v, false
}

// assignment takes key = value, or key alone.
func (p *configParser) assignment() (key, value string, ok bool) {
	n := 0
	for n < len(p.s) && isKeyByte(p.s[n], n) {
		n++
	}
	key = strings.ToLower(p.s[:n])
	p.s = strings.TrimLeft(p.s[n:], " \t")
	if n == 0 {
		return "", "", false
	}
	if p.s == "" || p.s[0] == '\n' {
		return key, "", true
	}
	if p.s[0] != '=' {
		return "", "", false
	}
	p.s = p.s[1:]
	value, ok = p.value()
	return key, value, ok
}

func isKeyByte(c byte, at int) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || at > 0 && (c >= '0' && c <= '9' || c == '-')
}

// value takes the rest of the line, with quotes, escapes and continued lines; what
// follows a # or ; outside of quotes is left out, and so are spaces around.
func (p *configParser) value() (string, bool) {
	var b strings.Builder
	trimmed, quoted, comment := 0, false, false // trimmed: the length without spaces at the end
	for i := 0; i < len(p.s); i++ {
		c := p.s[i]
		switch {
		case c == '\n':
			p.s = p.s[i:]
			return b.String()[:trimmed], !quoted
		case comment:
			continue
		case !quoted && (c == '#' || c == ';'):
			comment = true
			continue
		case !quoted && strings.IndexByte(" \t\r", c) >= 0:
			if b.Len() > 0 {
				b.WriteByte(c)
			}
			continue
		case c == '"':
			quoted = !quoted
		case c == '\\':
			i++
			if i == len(p.s) {
				break
			}
			escaped := strings.IndexByte("\\\"tbn\n", p.s[i])
			if escaped < 0 {
				return "", false
			}
			if p.s[i] != '\n' {
				b.WriteByte("\\\"\t\b\n"[escaped])
			}
		default:
			b.WriteByte(c)
		}
		trimmed = b.Len()
	}
	p.s = ""
	return b.String()[:trimmed], !quoted
}
