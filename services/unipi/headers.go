package unipi

import (
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Limits of a _headers file, those of Cloudflare Pages.
const (
	maxHeaderRules = 100
	maxHeaderLine  = 2000
)

// HeaderRules are the rules of a _headers file in the syntax of Netlify and
// Cloudflare Pages: a path pattern at the start of a line, below it indented
// "Name: value" lines that are added to the responses for such paths, or
// "! Name" lines that take a header away again. All rules that match apply,
// from top to bottom; the same name twice is joined with a comma.
type HeaderRules struct{ rules []headerRule }

type headerRule struct {
	path *pattern
	ops  []headerOp
}

type headerOp struct {
	name   string // canonical
	value  string
	detach bool
}

// reserved are headers that describe the message itself; a site that could set
// them could break the framing or the cache of its readers.
var reserved = map[string]string{
	"Accept-Ranges": "", "Connection": "", "Content-Encoding": "", "Content-Length": "", "Content-Range": "",
	"Date": "", "Etag": "", "Host": "", "Keep-Alive": "", "Last-Modified": "", "Proxy-Authenticate": "",
	"Proxy-Connection": "", "Server": "", "Te": "", "Trailer": "", "Transfer-Encoding": "", "Upgrade": "",
	"Www-Authenticate": "",
	"Basic-Auth":       "passwords do not belong in a site's files: protect the path in the settings of the site. THE PATH IS NOT PROTECTED NOW",
}

// ParseHeaders reads a _headers file. What it cannot use it reports and leaves
// out.
func ParseHeaders(data []byte) (*HeaderRules, []*RuleError) {
	hs := &HeaderRules{}
	if len(data) > maxRuleFileBytes {
		return hs, []*RuleError{{File: "_headers", Text: "is larger than 1 MiB and was ignored"}}
	}
	var errs []*RuleError
	var rule *headerRule // the one that indented lines belong to; nil after a bad pattern
	skipping := false
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		text := strings.TrimSpace(line)
		problem := ""
		switch {
		case len(line) > maxHeaderLine:
			problem = "the line is longer than 2,000 characters; left out"
		case text == "" || text[0] == '#':
		case line[0] != ' ' && line[0] != '\t':
			rule, problem = parseHeaderPath(text)
			if rule != nil && len(hs.rules) == maxHeaderRules {
				rule, problem = nil, "more than 100 rules; left out"
			}
			if skipping = rule == nil; !skipping {
				hs.rules = append(hs.rules, *rule)
				rule = &hs.rules[len(hs.rules)-1]
			}
		case skipping:
		case rule == nil:
			problem = "there is no path above this line; left out"
		default:
			var op headerOp
			if op, problem = parseHeaderOp(text); problem == "" {
				rule.ops = append(rule.ops, op)
			}
		}
		if problem != "" {
			errs = appendRuleError(errs, &RuleError{File: "_headers", Line: n, Text: problem})
		}
	}
	return hs, errs
}

func parseHeaderPath(text string) (*headerRule, string) {
	if strings.Contains(text, "://") {
		return nil, "rules for a whole domain are not supported: begin with the path; left out"
	}
	p, err := parsePattern(text)
	if err != nil {
		return nil, strconv.Quote(text) + ": " + err.Error() + "; left out"
	}
	return &headerRule{path: p}, ""
}

func parseHeaderOp(text string) (headerOp, string) {
	name, value, ok := strings.Cut(text, ":")
	detach := false
	if bare, found := strings.CutPrefix(text, "!"); found {
		name, value, ok, detach = bare, "", true, true
	}
	name = strings.TrimSpace(name)
	value = strings.TrimSpace(value)
	switch {
	case !ok:
		return headerOp{}, "expected Name: value; left out"
	case !httpguts.ValidHeaderFieldName(name):
		return headerOp{}, strconv.Quote(name) + " is not the name of a header; left out"
	case !httpguts.ValidHeaderFieldValue(value):
		return headerOp{}, "the value of " + name + " has control characters; left out"
	}
	name = http.CanonicalHeaderKey(name)
	if why, is := reserved[name]; is {
		if why == "" {
			why = "is set by the server"
		}
		return headerOp{}, name + ": " + why + "; left out"
	}
	return headerOp{name: name, value: value, detach: detach}, ""
}

// apply changes h by the rules that match path.
func (hs *HeaderRules) apply(path string, h *head) {
	set := map[string]bool{} // set by a rule before: a second value joins it
	for _, rule := range hs.rules {
		values, ok := rule.path.match(path)
		if !ok {
			continue
		}
		for _, op := range rule.ops {
			value := expand(op.value, values, escapePath)
			switch {
			case op.detach:
				h.remove(op.name)
			case op.name == "Vary" || op.name == "X-Robots-Tag":
				h.join(op.name, value)
			case set[op.name] && op.name == "Set-Cookie":
				h.add(op.name, value)
			case set[op.name]:
				h.join(op.name, value)
			default:
				h.set(op.name, value)
			}
			set[op.name] = !op.detach
		}
	}
}
