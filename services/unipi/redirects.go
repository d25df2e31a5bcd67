package unipi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Limits of a _redirects file, those of Cloudflare Pages.
const (
	maxStaticRules   = 2000
	maxDynamicRules  = 100
	maxRedirectLine  = 1000
	maxRuleFileBytes = 1 << 20
)

// A RuleError says what is wrong with one line of _redirects or _headers. The
// line is left out; the rest of the file works.
type RuleError struct {
	File string // "_redirects" or "_headers"
	Line int    // from 1; 0 for the file as a whole
	Text string // what is wrong, and what to do
}

func (e *RuleError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Text
	}
	return e.File + " line " + strconv.Itoa(e.Line) + ": " + e.Text
}

// Redirects are the rules of a _redirects file in the syntax of Netlify and
// Cloudflare Pages:
//
//	from [name=value …] to [status[!]]
//
// The first rule that matches wins. A file that exists wins over a rule,
// unless the status ends in "!". The status is one of 301 (the default), 302,
// 303, 307, 308, 404, 410 and 200, which shows another page of the same site
// under the address asked for. Conditions by country, language, role or
// cookie, rules for whole domains and proxying to other hosts are reported and
// left out.
type Redirects struct {
	rules []redirect
	query bool // some rule looks at the query
}

type redirect struct {
	from   *pattern
	query  []param
	to     string
	status int
	force  bool
}

// A param is a condition on the query: name=value, or name=:placeholder.
type param struct{ name, value string }

// ParseRedirects reads a _redirects file. What it cannot use it reports and
// leaves out.
func ParseRedirects(data []byte) (*Redirects, []*RuleError) {
	rs := &Redirects{}
	if len(data) > maxRuleFileBytes {
		return rs, []*RuleError{{File: "_redirects", Text: "is larger than 1 MiB and was ignored"}}
	}
	var errs []*RuleError
	var static, dynamic int
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		rule, problem := parseRedirect(line)
		if rule != nil && rule.from.dynamic() {
			if dynamic++; dynamic > maxDynamicRules {
				rule, problem = nil, "more than 100 rules with * or :placeholders; left out"
			}
		} else if rule != nil {
			if static++; static > maxStaticRules {
				rule, problem = nil, "more than 2,000 rules; left out"
			}
		}
		if problem != "" {
			errs = appendRuleError(errs, &RuleError{File: "_redirects", Line: n, Text: problem})
		}
		if rule != nil {
			rs.rules = append(rs.rules, *rule)
			rs.query = rs.query || len(rule.query) > 0
		}
	}
	return rs, errs
}

// appendRuleError keeps the report short: 50 lines, whatever the file.
func appendRuleError(errs []*RuleError, e *RuleError) []*RuleError {
	if len(errs) == 50 {
		return append(errs, &RuleError{File: e.File, Text: "has more problems, not listed"})
	}
	if len(errs) > 50 {
		return errs
	}
	return append(errs, e)
}

// parseRedirect reads one line. Both results are empty for blank lines and
// comments.
func parseRedirect(line string) (rule *redirect, problem string) {
	if len(line) > maxRedirectLine {
		return nil, "the line is longer than 1,000 characters; left out"
	}
	words := strings.Fields(line)
	for i, w := range words {
		if strings.HasPrefix(w, "#") {
			words = words[:i]
			break
		}
	}
	if len(words) == 0 {
		return nil, ""
	}
	from, err := url.PathUnescape(words[0])
	if err != nil {
		return nil, "the path " + strconv.Quote(words[0]) + " has a bad % escape; left out"
	}
	if strings.Contains(from, "://") {
		return nil, "rules for a whole domain are not supported: begin with the path; left out"
	}
	rule = &redirect{status: http.StatusMovedPermanently}
	if rule.from, err = parsePattern(from); err != nil {
		return nil, strconv.Quote(words[0]) + ": " + err.Error() + "; left out"
	}
	words = words[1:]
	for len(words) > 0 && !isTarget(words[0]) {
		name, value, ok := strings.Cut(words[0], "=")
		if !ok || name == "" {
			return nil, "expected a target that begins with / or https://, not " + strconv.Quote(words[0]) + "; left out"
		}
		rule.query = append(rule.query, param{name, value})
		words = words[1:]
	}
	if len(words) == 0 {
		return nil, "there is no target; left out"
	}
	rule.to = words[0]
	return rule.finish(words[1:])
}

// isTarget reports whether a word can be where a rule leads.
func isTarget(w string) bool {
	return strings.HasPrefix(w, "/") || strings.HasPrefix(w, "http://") || strings.HasPrefix(w, "https://")
}

// finish reads what follows the target and checks the whole.
func (r *redirect) finish(words []string) (*redirect, string) {
	if len(words) > 0 {
		code, force := strings.CutSuffix(words[0], "!")
		status, err := strconv.Atoi(code)
		if err != nil && strings.Contains(code, "=") {
			return nil, "conditions such as " + strconv.Quote(words[0]) + " are not supported; left out"
		}
		switch status {
		case 200, 301, 302, 303, 307, 308, 404, 410:
		default:
			return nil, "status " + strconv.Quote(words[0]) + " is none of 200 301 302 303 307 308 404 410; left out"
		}
		r.status, r.force = status, force
		words = words[1:]
	}
	if len(words) > 0 {
		return nil, "conditions such as " + strconv.Quote(words[0]) + " are not supported; left out"
	}
	u, err := url.Parse(r.to)
	switch {
	case err != nil || strings.HasPrefix(r.to, "//") || strings.ContainsAny(r.to, "\\"):
		return nil, "the target " + strconv.Quote(r.to) + " is not a valid address; left out"
	case u.Host != "" && !r.moves():
		return nil, "status " + strconv.Itoa(r.status) + " shows pages of this site only: the target must begin with /; left out"
	case u.Scheme != "" && (u.Host == "" || placeholder().MatchString(u.Host) || u.User != nil):
		return nil, "the host of the target must be written out; left out"
	}
	return r, ""
}

// moves reports whether the rule sends the client elsewhere.
func (r *redirect) moves() bool { return r.status >= 300 && r.status < 400 }
