package line

import (
	"strings"
	"unicode/utf8"
)

// Bounds of what Parse accepts.
const (
	MaxDepth  = 16
	MaxLines  = 1 << 20
	MaxLength = 16 << 20
	MaxParams = 64
	MaxValues = 4096
)

// Parse reads the components of a text: one VCALENDAR, or any number of VCARDs.
// Its errors are of type *Error.
func Parse(data []byte) ([]*Component, error) {
	r := reader{rest: strings.TrimPrefix(string(data), "\ufeff")}
	var roots, open []*Component
	for count := 0; ; count++ {
		text, ok := r.next()
		if !ok {
			break
		}
		if count == MaxLines {
			return nil, r.errorf("more lines than can be kept")
		}
		l, reason := parseLine(text)
		if reason != "" {
			return nil, r.errorf(reason)
		}
		switch {
		case l.Name == "BEGIN" && l.Group == "":
			if len(open) == MaxDepth {
				return nil, r.errorf("components nested too deep")
			}
			c := &Component{Name: strings.ToUpper(strings.TrimSpace(l.Value))}
			if !isName(c.Name) {
				return nil, r.errorf("BEGIN without the name of a component")
			}
			if n := len(open); n == 0 {
				roots = append(roots, c)
			} else {
				open[n-1].Children = append(open[n-1].Children, c)
			}
			open = append(open, c)
		case len(open) == 0:
			return nil, r.errorf(l.Name + " outside of any component")
		case l.Name == "END" && l.Group == "":
			if name := strings.ToUpper(strings.TrimSpace(l.Value)); name != open[len(open)-1].Name {
				return nil, r.errorf("END of another component than " + open[len(open)-1].Name)
			}
			open = open[:len(open)-1]
		default:
			c := open[len(open)-1]
			c.Lines = append(c.Lines, l)
		}
	}
	switch {
	case r.bad != "":
		return nil, r.errorf(r.bad)
	case len(open) > 0:
		return nil, r.errorf("the text ends within " + open[len(open)-1].Name)
	case len(roots) == 0:
		return nil, r.errorf("no component")
	}
	return roots, nil
}

// A reader takes a text apart into unfolded lines.
type reader struct {
	rest string
	at   int    // physical lines read before rest
	line int    // where the last line began
	bad  string // why there is no next line, if the text is not at its end
}

func (r *reader) errorf(reason string) error { return &Error{max(r.line, 1), reason} }

// next returns the next line that is not empty, unfolded and checked.
func (r *reader) next() (string, bool) {
	for r.rest != "" {
		r.line = r.at + 1
		text := r.physical()
		if r.rest != "" && (r.rest[0] == ' ' || r.rest[0] == '\t') {
			text = r.unfold(text)
		}
		if text == "" {
			continue
		}
		if len(text) > MaxLength {
			r.bad = "longer than can be kept"
		} else {
			r.bad = unfit(text)
		}
		return text, r.bad == ""
	}
	return "", false
}

// physical takes one line up to its end, which is CRLF or LF, from the text.
func (r *reader) physical() string {
	r.at++
	text, rest, _ := strings.Cut(r.rest, "\n")
	r.rest = rest
	return strings.TrimSuffix(text, "\r")
}

// unfold joins the lines that go on with first.
func (r *reader) unfold(first string) string {
	var b strings.Builder
	b.WriteString(first)
	for r.rest != "" && (r.rest[0] == ' ' || r.rest[0] == '\t') {
		b.WriteString(r.physical()[1:])
	}
	return b.String()
}

// unfit says why a text must not stand in a line, "" if it may.
func unfit(s string) string {
	ascii := true
	for i := range len(s) {
		switch b := s[i]; {
		case b < ' ' && b != '\t' || b == 0x7f:
			return "control character"
		case b >= utf8.RuneSelf:
			ascii = false
		}
	}
	if !ascii && !utf8.ValidString(s) {
		return "not UTF-8"
	}
	return ""
}
