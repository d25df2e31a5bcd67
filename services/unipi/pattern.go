package unipi

import (
	"errors"
	"regexp"
	"strings"
	"sync"
)

// A pattern is the left side of a rule in _redirects or _headers: a path in
// which "*" stands for any rest (once, named splat) and ":name" for one segment
// or part of one. A path without either is static and matched without regexp.
type pattern struct {
	static string         // the path without its closing slash; when re is nil
	re     *regexp.Regexp // linear in the length of the path: RE2 never backtracks
	names  []string       // of the submatches, in order
}

var (
	errPatternSlash = errors.New("the path must begin with /")
	errPatternSplat = errors.New("only one * is allowed")
	errPatternTwice = errors.New("a placeholder is named twice")
	errPatternMany  = errors.New("more than 20 placeholders")
)

// placeholder is compiled when there is a first pattern: most sites have none.
var placeholder = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`:[A-Za-z][A-Za-z0-9_]*|\*`)
})

// parsePattern reads a path pattern. A closing slash makes no difference, and
// "/news/*" covers "/news" too.
func parsePattern(s string) (*pattern, error) {
	if !strings.HasPrefix(s, "/") {
		return nil, errPatternSlash
	}
	if s != "/" {
		s = strings.TrimSuffix(s, "/")
	}
	marks := placeholder().FindAllStringIndex(s, -1)
	if marks == nil {
		return &pattern{static: s}, nil
	}
	if len(marks) > 20 {
		return nil, errPatternMany
	}
	p := &pattern{}
	var re strings.Builder
	re.WriteString(`^`)
	at := 0
	for _, m := range marks {
		literal, mark := s[at:m[0]], s[m[0]:m[1]]
		at = m[1]
		name := strings.TrimPrefix(mark, ":")
		if mark == "*" {
			name = "splat"
		}
		for _, n := range p.names {
			if n == name && mark == "*" {
				return nil, errPatternSplat
			} else if n == name {
				return nil, errPatternTwice
			}
		}
		p.names = append(p.names, name)
		switch {
		case mark != "*":
			re.WriteString(regexp.QuoteMeta(literal) + `([^/]+)`)
		case strings.HasSuffix(literal, "/") && at == len(s):
			re.WriteString(regexp.QuoteMeta(strings.TrimSuffix(literal, "/")) + `(?:/(.*))?`)
		default:
			re.WriteString(regexp.QuoteMeta(literal) + `(.*)`)
		}
	}
	re.WriteString(regexp.QuoteMeta(s[at:]) + `/?$`)
	var err error
	p.re, err = regexp.Compile("(?s)" + re.String())
	return p, err
}

// match reports whether path, decoded and with its leading slash, is one that
// the pattern means, and what the placeholders stand for then.
func (p *pattern) match(path string) (values map[string]string, ok bool) {
	if p.re == nil {
		return nil, path == p.static || strings.TrimSuffix(path, "/") == p.static
	}
	m := p.re.FindStringSubmatch(path)
	if m == nil {
		return nil, false
	}
	values = make(map[string]string, len(p.names))
	for i, name := range p.names {
		values[name] = m[i+1]
	}
	return values, true
}

// dynamic reports whether the pattern has a splat or a placeholder.
func (p *pattern) dynamic() bool { return p.re != nil }

// expand replaces the placeholders in s that values knows of, each value
// passed through escape first. Others stay as they are.
func expand(s string, values map[string]string, escape func(string) string) string {
	if len(values) == 0 {
		return s
	}
	return placeholder().ReplaceAllStringFunc(s, func(mark string) string {
		if v, ok := values[strings.TrimPrefix(mark, ":")]; ok && mark != "*" {
			return escape(v)
		}
		return mark
	})
}
