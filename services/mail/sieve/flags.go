package sieve

import (
	"slices"
	"strings"
)

// maxFlags is how many flags a set may have.
const maxFlags = 200

// flagOption returns what says the flags that keep and fileinto give: those of :flags, or else those of
// the script (RFC 5232 §5).
func (c *call) flagOption() (func(*run) ([]string, error), error) {
	o, ok := c.options["flags"]
	if !ok {
		return func(r *run) ([]string, error) { return slices.Clone(r.flags), nil }, nil
	}
	list, err := c.phrases(o.value)
	if err != nil {
		return nil, err
	}
	return func(r *run) ([]string, error) {
		all, err := allIn(r, list)
		return addFlags(nil, all), err
	}, nil
}

// addFlags adds flags to a set: each string may have several, with spaces between them. Upper and
// lower case are the same.
func addFlags(set []string, list []string) []string {
	for _, s := range list {
		for f := range strings.FieldsSeq(s) {
			if len(set) < maxFlags && !hasFlag(set, f) {
				set = append(set, f)
			}
		}
	}
	return set
}

func removeFlags(set []string, list []string) []string {
	return slices.DeleteFunc(set, func(f string) bool { return hasFlag(addFlags(nil, list), f) })
}

func hasFlag(set []string, flag string) bool {
	return slices.ContainsFunc(set, func(f string) bool { return strings.EqualFold(f, flag) })
}

// buildFlags reads setflag, addflag and removeflag (RFC 5232 §3).
func buildFlags(b *builder, c *call) (statement, error) {
	variable := ""
	if c.first != nil {
		if !b.has["variables"] {
			return nil, b.errorf(c.first.at, "flags in a variable need require \"variables\" at the beginning of the script")
		}
		var err error
		if variable, err = b.variable(*c.first, c); err != nil {
			return nil, err
		}
	}
	list, err := c.phrases(c.args[0])
	if err != nil {
		return nil, err
	}
	return func(r *run) error {
		flags, err := allIn(r, list)
		if err != nil {
			return err
		}
		set := slices.Clone(r.flagsOf(variable))
		switch c.name {
		case "setflag":
			set = addFlags(nil, flags)
		case "addflag":
			set = addFlags(set, flags)
		case "removeflag":
			set = removeFlags(set, addFlags(nil, flags))
		}
		if err := r.spend(c.at, maxFlags*len(flags)); err != nil {
			return err
		}
		if variable != "" {
			return r.set(c.at, variable, strings.Join(set, " "))
		}
		r.flags = set
		return nil
	}, nil
}

// flagsOf returns the flags in a variable, "" for those that messages get.
func (r *run) flagsOf(variable string) []string {
	if variable == "" {
		return r.flags
	}
	return addFlags(nil, []string{r.variables[variable]})
}

// buildHasFlag reads the test hasflag (RFC 5232 §4).
func buildHasFlag(b *builder, c *call) (test, error) {
	m, err := b.matcher(c)
	if err != nil {
		return nil, err
	}
	names := []string{""}
	if c.first != nil {
		if !b.has["variables"] {
			return nil, b.errorf(c.first.at, "flags in a variable need require \"variables\" at the beginning of the script")
		}
		names = nil
		for _, t := range c.first.list {
			name, err := b.variable(argument{token: t, list: []token{t}}, c)
			if err != nil {
				return nil, err
			}
			names = append(names, name)
		}
	}
	keys, err := c.phrases(c.args[0])
	if err != nil {
		return nil, err
	}
	return func(r *run) (bool, error) {
		var values []string
		for _, name := range names {
			values = append(values, r.flagsOf(name)...)
		}
		wanted, err := allIn(r, keys)
		if err != nil {
			return false, err
		}
		if m.kind == "is" {
			wanted = addFlags(nil, wanted)
		}
		return m.any(r, values, wanted)
	}, nil
}
