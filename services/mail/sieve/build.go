package sieve

import (
	"slices"
	"strconv"
	"strings"
)

// A statement does what a command says; a test says whether something holds.
type (
	statement func(*run) error
	test      func(*run) (bool, error)
)

// A builder makes statements and tests of nodes, and refuses what means nothing.
type builder struct {
	src string
	has map[string]bool // what the script requires
}

func (b *builder) errorf(at int, format string, args ...any) error {
	return errorAt(b.src, at, format, args...)
}

// missing says which capability a script should require.
func (b *builder) missing(needs string) string {
	list := strings.Fields(needs)
	if needs == "" || slices.ContainsFunc(list, func(c string) bool { return b.has[c] }) {
		return ""
	}
	return list[0]
}

// call makes sure that a node has what it takes.
func (b *builder) call(n *node, s *signature) (*call, error) {
	if missing := b.missing(s.needs); missing != "" {
		return nil, b.errorf(n.at, "%s needs require %q at the beginning of the script", n.name, missing)
	}
	c := &call{node: n, b: b, options: map[string]option{}}
	var plain []argument
	for i := 0; i < len(n.args); i++ {
		a := n.args[i]
		if a.kind != tag {
			plain = append(plain, a)
			continue
		}
		if len(plain) > 0 {
			return nil, b.errorf(a.at, "options such as %s stand before the other arguments", a.token.text)
		}
		t, o, err := b.option(n, s, a)
		if err != nil {
			return nil, err
		}
		if t.takes != none {
			if i++; i == len(n.args) || !n.args[i].fits(t.takes) {
				return nil, b.errorf(a.at, "behind %s there should be %s", a.token.text, kinds[t.takes])
			}
			o.value = n.args[i]
		}
		if other, twice := c.options[t.group]; twice {
			return nil, b.errorf(a.at, "there may be one of :%s and %s", other.name, a.token.text)
		}
		c.options[t.group] = o
	}
	if err := c.take(plain, s); err != nil {
		return nil, err
	}
	return c, b.inner(c, s)
}

// option reads a tag.
func (b *builder) option(n *node, s *signature, a argument) (tagged, option, error) {
	t, known := tags[a.token.text]
	switch {
	case !known || !slices.Contains(strings.Fields(s.options), t.group):
		return t, option{}, b.errorf(a.at, "%s has no option %s", n.name, a.token.text)
	case b.missing(t.needs) != "":
		return t, option{}, b.errorf(a.at, "%s needs require %q at the beginning of the script", a.token.text, t.needs)
	}
	return t, option{name: a.token.text[1:], at: a.at}, nil
}

// fits reports whether an argument can be where k should be.
func (a argument) fits(k kind) bool { return a.kind == k || a.kind == text && k == texts }

// take takes the arguments that are no options.
func (c *call) take(plain []argument, s *signature) error {
	if s.first != none && len(plain) == len(s.args)+1 && plain[0].fits(s.first) {
		c.first, plain = &plain[0], plain[1:]
	}
	for i, k := range s.args {
		if i == len(plain) {
			return c.b.errorf(c.at, "%s lacks an argument: %s", c.name, kinds[k])
		}
		if !plain[i].fits(k) {
			return c.b.errorf(plain[i].at, "%s should have %s here, but %s", c.name, kinds[k], plain[i].what())
		}
	}
	if len(plain) > len(s.args) {
		return c.b.errorf(plain[len(s.args)].at, "%s takes no such argument", c.name)
	}
	c.args = plain
	return nil
}

// what names an argument in an error.
func (a argument) what() string {
	if a.kind == texts {
		return "there is a list"
	}
	return a.token.what()
}

// inner builds the tests of a call.
func (b *builder) inner(c *call, s *signature) error {
	switch n := len(c.node.tests); {
	case s.tests == 0 && n > 0:
		return b.errorf(c.node.tests[0].at, "%s takes no test", c.name)
	case s.tests == 1 && n != 1:
		return b.errorf(c.at, "%s takes one test, not %s", c.name, strconv.Itoa(n))
	case s.tests < 0 && n == 0:
		return b.errorf(c.at, "%s lacks its tests, in parentheses", c.name)
	}
	for _, n := range c.node.tests {
		t, err := b.test(n)
		if err != nil {
			return err
		}
		c.tests = append(c.tests, t)
	}
	return nil
}

func (b *builder) test(n *node) (test, error) {
	s, ok := tests[n.name]
	if !ok {
		if _, ok := actions[n.name]; ok {
			return nil, b.errorf(n.at, "%s is no test but something to be done", n.name)
		}
		return nil, b.errorf(n.at, "there is no test %q", n.name)
	}
	c, err := b.call(n, &s)
	if err != nil {
		return nil, err
	}
	if n.open {
		return nil, b.errorf(n.at, "%s has no block", n.name)
	}
	return s.test(b, c)
}

// phrases reads an argument that is a string or a list of strings.
func (c *call) phrases(a argument) ([]phrase, error) {
	all := make([]phrase, len(a.list))
	for i, t := range a.list {
		var err error
		if all[i], err = c.b.phrase(t); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// phrase reads an argument that is a string.
func (c *call) phrase(a argument) (phrase, error) { return c.b.phrase(a.list[0]) }

// constants reads strings that have to be the same always.
func (c *call) constants(a argument, what string) ([]string, error) {
	list, err := c.phrases(a)
	if err != nil {
		return nil, err
	}
	all := make([]string, len(list))
	for i, p := range list {
		s, ok := p.constant()
		if !ok {
			return nil, c.b.errorf(p.at, "%s cannot come from a variable", what)
		}
		all[i] = s
	}
	return all, nil
}

// optional reads the string that an option takes; an absent one has no parts.
func (c *call) optional(group string) (phrase, bool, error) {
	o, ok := c.options[group]
	if !ok {
		return phrase{at: c.at}, false, nil
	}
	p, err := c.phrase(o.value)
	return p, true, err
}

// given returns the name of the option of a group, "" for none.
func (c *call) given(group string) string { return c.options[group].name }
