package line

import "strings"

// parseLine takes an unfolded line apart; reason says why it cannot be.
func parseLine(s string) (l Line, reason string) {
	end := strings.IndexAny(s, ":;")
	if end < 0 {
		return l, "no colon"
	}
	name := s[:end]
	if group, rest, ok := strings.Cut(name, "."); ok {
		if !isName(group) {
			return l, "bad name of a group"
		}
		l.Group, name = group, rest
	}
	if !isName(name) {
		return l, "bad name of a property"
	}
	l.Name = strings.ToUpper(name)
	values := 0
	for s = s[end:]; s[0] == ';'; {
		if len(l.Params) == MaxParams {
			return l, "too many parameters"
		}
		var p Param
		if p, s, reason = parseParam(s[1:]); reason != "" {
			return l, reason
		}
		if values += len(p.Values); values > MaxValues {
			return l, "too many values of parameters"
		}
		l.Params = append(l.Params, p)
	}
	l.Value = s[1:]
	return l, ""
}

// parseParam reads one parameter; rest begins with the colon or semicolon after it.
func parseParam(s string) (p Param, rest, reason string) {
	end := strings.IndexAny(s, "=:;")
	if end < 0 {
		return p, "", "no colon"
	}
	if !isName(s[:end]) {
		return p, "", "bad name of a parameter"
	}
	p.Name = strings.ToUpper(s[:end])
	if s[end] != '=' {
		return p, s[end:], ""
	}
	for s = s[end:]; ; {
		var v string
		if v, s, reason = paramValue(s[1:]); reason != "" {
			return p, "", reason
		}
		if p.Values = append(p.Values, v); len(p.Values) > MaxValues {
			return p, "", "too many values of parameters"
		}
		if s[0] != ',' {
			return p, s, ""
		}
	}
}

// paramValue reads one value, in quotes or not; rest begins with what ends it.
func paramValue(s string) (v, rest, reason string) {
	if s != "" && s[0] == '"' {
		v, rest, ok := strings.Cut(s[1:], `"`)
		if !ok {
			return "", "", "quote without its end"
		}
		if rest == "" || strings.IndexByte(",;:", rest[0]) < 0 {
			return "", "", "no colon after a quoted parameter"
		}
		return decodeParam(v), rest, ""
	}
	end := strings.IndexAny(s, ",;:")
	if end < 0 {
		return "", "", "no colon"
	}
	return decodeParam(s[:end]), s[end:], ""
}

var (
	paramDecoder = strings.NewReplacer("^n", "\n", "^'", `"`, "^^", "^")
	paramEncoder = strings.NewReplacer("\n", "^n", `"`, "^'", "^", "^^")
)

// decodeParam undoes RFC 6868; a ^ before anything else stands for itself.
func decodeParam(s string) string {
	if strings.IndexByte(s, '^') < 0 {
		return s
	}
	return paramDecoder.Replace(s)
}

// isName reports whether s may name a property, parameter or component: letters,
// digits, hyphens, and the underscore that some programs put into X- names.
func isName(s string) bool {
	for i := range len(s) {
		switch b := s[i]; {
		case 'A' <= b && b <= 'Z', 'a' <= b && b <= 'z', '0' <= b && b <= '9', b == '-', b == '_':
		default:
			return false
		}
	}
	return s != ""
}
