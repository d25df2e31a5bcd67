package sieve

import (
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep blocks and tests may lie in one another.
const maxDepth = 32

// A node is a command or a test as it is written.
type node struct {
	name  string
	at    int
	args  []argument
	tests []*node
	block []*node
	open  bool // there is a block
}

// An argument is a tag, a number, a string or a list of strings.
type argument struct {
	token
	list []token // of text and texts: one string or several
}

// A parser makes nodes of tokens (RFC 5228 §8.2).
type parser struct {
	lexer
	ahead token
	depth int
}

// parse reads a script as it is written.
func parse(src string) ([]*node, error) {
	if len(src) > MaxScript {
		return nil, errorAt(src, MaxScript, "the script is too long: it may have %d bytes", MaxScript)
	}
	for i, r := range src {
		if r == 0 || r == utf8.RuneError && !strings.HasPrefix(src[i:], string(utf8.RuneError)) {
			return nil, errorAt(src, i, "this is no text: a script is written in UTF-8")
		}
	}
	p := &parser{lexer: lexer{src: strings.TrimPrefix(src, "\ufeff")}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	list, err := p.commands()
	if err == nil && p.ahead.kind != none {
		err = p.errorf(p.ahead.at, "a command should begin here, but %s", p.ahead.what())
	}
	return list, err
}

func (p *parser) advance() (err error) {
	p.ahead, err = p.next()
	return err
}

// is reports whether the next token is a mark.
func (p *parser) is(m string) bool { return p.ahead.kind == mark && p.ahead.text == m }

// expect passes over a mark.
func (p *parser) expect(m, where string) error {
	if !p.is(m) {
		return p.errorf(p.ahead.at, "%s there should be %q, but %s", where, m, p.ahead.what())
	}
	return p.advance()
}

// deeper counts how deep the parser is.
func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return p.errorf(p.ahead.at, "blocks and tests lie more than %d deep in one another", maxDepth)
	}
	return nil
}

func (p *parser) commands() ([]*node, error) {
	var list []*node
	for p.ahead.kind == word {
		n, err := p.node()
		if err != nil {
			return nil, err
		}
		if p.is("{") {
			n.open = true
			if err := p.block(n); err != nil {
				return nil, err
			}
		} else if err := p.expect(";", "behind "+n.name); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

func (p *parser) block(n *node) (err error) {
	if err := p.deeper(); err != nil {
		return err
	}
	if err := p.advance(); err != nil {
		return err
	}
	if n.block, err = p.commands(); err != nil {
		return err
	}
	p.depth--
	return p.expect("}", "at the end of the block of "+n.name)
}

// node reads a name, the arguments behind it and the tests behind those.
func (p *parser) node() (*node, error) {
	n := &node{name: p.ahead.text, at: p.ahead.at}
	if err := p.advance(); err != nil {
		return nil, err
	}
	for {
		a, err := p.argument()
		if err != nil {
			return nil, err
		}
		if a.kind == none {
			break
		}
		n.args = append(n.args, a)
	}
	return n, p.tests(n)
}

func (p *parser) argument() (argument, error) {
	a := argument{token: p.ahead}
	switch {
	case a.kind == text:
		a.list = []token{a.token}
	case p.is("["):
		a.kind = texts
		var err error
		a.list, err = p.list()
		return a, err
	case a.kind != tag && a.kind != number:
		return argument{}, nil
	}
	return a, p.advance()
}

// list reads strings in brackets.
func (p *parser) list() ([]token, error) {
	var all []token
	for {
		if err := p.advance(); err != nil { // over [ or a comma
			return nil, err
		}
		if p.ahead.kind != text {
			return nil, p.errorf(p.ahead.at, "in a list there should be a string, but %s", p.ahead.what())
		}
		all = append(all, p.ahead)
		if err := p.advance(); err != nil {
			return nil, err
		}
		if !p.is(",") {
			return all, p.expect("]", "at the end of a list")
		}
	}
}

// tests reads a test, or several in parentheses.
func (p *parser) tests(n *node) error {
	if p.ahead.kind != word && !p.is("(") {
		return nil
	}
	if err := p.deeper(); err != nil {
		return err
	}
	defer func() { p.depth-- }()
	if p.ahead.kind == word {
		t, err := p.node()
		n.tests = []*node{t}
		return err
	}
	for {
		if err := p.advance(); err != nil { // over ( or a comma
			return err
		}
		if p.ahead.kind != word {
			return p.errorf(p.ahead.at, "a test should begin here, but %s", p.ahead.what())
		}
		t, err := p.node()
		if err != nil {
			return err
		}
		n.tests = append(n.tests, t)
		if !p.is(",") {
			return p.expect(")", "at the end of the tests")
		}
	}
}
