package sieve

import (
	"errors"
	"slices"
	"strings"
)

// A Script is a script that means something. Safe for concurrent use.
type Script struct {
	src  string
	body []statement
}

// Capabilities are what a script may require.
func Capabilities() []string { return slices.Clone(capabilities) }

var capabilities = []string{
	"body", "comparator-i;ascii-numeric", "copy", "date", "encoded-character", "envelope", "ereject", "fileinto",
	"imap4flags", "index", "mailbox", "reject", "relational", "special-use", "subaddress", "vacation", "vacation-seconds", "variables",
}

// always may be required and is there anyway.
var always = []string{"comparator-i;octet", "comparator-i;ascii-casemap"}

// Parse reads a script. What is wrong with it is an *Error.
func Parse(source []byte) (*Script, error) {
	src := strings.TrimPrefix(string(source), "\ufeff")
	nodes, err := parse(src)
	if err != nil {
		return nil, err
	}
	b := &builder{src: src, has: map[string]bool{}}
	if nodes, err = b.requires(nodes); err != nil {
		return nil, err
	}
	body, err := b.block(nodes)
	if err != nil {
		return nil, err
	}
	return &Script{src: src, body: body}, nil
}

// requires reads the commands with which a script begins.
func (b *builder) requires(nodes []*node) ([]*node, error) {
	for len(nodes) > 0 && nodes[0].name == "require" {
		c, err := b.call(nodes[0], &signature{args: []kind{texts}})
		if err != nil {
			return nil, err
		}
		if c.open {
			return nil, b.errorf(c.at, "require has no block")
		}
		for _, t := range c.args[0].list {
			name := t.text
			if !slices.Contains(capabilities, name) && !slices.Contains(always, name) {
				return nil, b.errorf(t.at, "there is no extension %q here; there are: %s", name, strings.Join(capabilities, ", "))
			}
			b.has[name] = true
			if name == "vacation-seconds" {
				b.has["vacation"] = true // RFC 6131 §2
			}
		}
		nodes = nodes[1:]
	}
	return nodes, nil
}

func (b *builder) block(nodes []*node) ([]statement, error) {
	var list []statement
	for len(nodes) > 0 {
		var s statement
		var err error
		switch n := nodes[0]; n.name {
		case "if":
			s, nodes, err = b.choice(nodes)
		case "elsif", "else":
			err = b.errorf(n.at, "%s stands behind the block of an if or an elsif", n.name)
		case "require":
			err = b.errorf(n.at, "require stands at the beginning of the script, before everything else")
		default:
			s, err = b.action(n)
			nodes = nodes[1:]
		}
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// A branch is a block, and the test on which it depends; nil: on none.
type branch struct {
	test test
	body []statement
}

// choice reads an if with all that belongs to it, and returns the nodes behind (RFC 5228 §3.1).
func (b *builder) choice(nodes []*node) (statement, []*node, error) {
	var branches []branch
	for i := 0; len(nodes) > 0; i++ {
		n := nodes[0]
		if i > 0 && n.name != "elsif" && n.name != "else" {
			break
		}
		s := signature{tests: 1}
		if n.name == "else" {
			s.tests = 0
		}
		c, err := b.call(n, &s)
		if err != nil {
			return nil, nil, err
		}
		if !n.open {
			return nil, nil, b.errorf(n.at, "%s lacks its block, in braces", n.name)
		}
		br := branch{}
		if br.body, err = b.block(n.block); err != nil {
			return nil, nil, err
		}
		if len(c.tests) > 0 {
			br.test = c.tests[0]
		}
		branches = append(branches, br)
		nodes = nodes[1:]
		if n.name == "else" {
			break
		}
	}
	return func(r *run) error {
		for _, br := range branches {
			holds := true
			if br.test != nil {
				var err error
				if holds, err = br.test(r); err != nil {
					return err
				}
			}
			if holds {
				return r.all(br.body)
			}
		}
		return nil
	}, nodes, nil
}

// action builds a command that is neither if nor require.
func (b *builder) action(n *node) (statement, error) {
	s, ok := actions[n.name]
	if !ok {
		if _, ok := tests[n.name]; ok {
			return nil, b.errorf(n.at, "%s is a test: it stands behind if", n.name)
		}
		return nil, b.errorf(n.at, "there is no command %q", n.name)
	}
	c, err := b.call(n, &s)
	if err != nil {
		return nil, err
	}
	if n.open {
		return nil, b.errorf(n.at, "%s has no block: it ends with a semicolon", n.name)
	}
	return s.statement(b, c)
}

// errStop ends a run in good order.
var errStop = errors.New("stop")

func buildStop(*builder, *call) (statement, error) {
	return func(*run) error { return errStop }, nil
}
