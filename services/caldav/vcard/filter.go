package vcard

import (
	"strings"

	"cairn/services/caldav/line"
)

// A Filter selects cards (RFC 6352 §10.5). The zero Filter, and one without
// conditions, selects every card.
type Filter struct {
	All   bool // test="allof": every condition has to hold; else one of them
	Props []PropFilter
}

// A PropFilter is a condition on the properties of one name (RFC 6352 §10.5.1).
// Without NotDefined, Texts and Params it asks that there is one. Otherwise there
// has to be a property for which the Texts and Params hold.
type PropFilter struct {
	// Name is the property's, in any case. With a group, such as "item1.TEL", only
	// properties of that group are meant; without, those of any group and of none.
	Name       string
	NotDefined bool // there is no such property; Texts and Params are not looked at
	All        bool // test="allof": all of Texts and Params have to hold; else one of them
	Texts      []TextMatch
	Params     []ParamFilter
}

// A ParamFilter is a condition on a property's parameter (RFC 6352 §10.5.2).
// Without NotDefined and Text it asks that the parameter is there.
type ParamFilter struct {
	Name       string // in any case
	NotDefined bool
	Text       *TextMatch // holds for one of the parameter's values; negated, for none
}

// A TextMatch compares a value with a text (RFC 6352 §10.5.4). Its Collation, when
// it is empty, is i;unicode-casemap here.
//
// The value of a property is compared as it is meant, without escapes; the parts
// of a structured one are joined by semicolons, as "Doe;Jane;;;" for N. Of a
// list, as CATEGORIES has, each element is compared too.
type TextMatch = line.TextMatch

// Match reports whether the filter selects the card.
func (f *Filter) Match(c *Card) bool {
	return len(f.Props) == 0 || some(f.All, f.Props, func(p *PropFilter) bool { return p.match(c) })
}

// some reports whether ok holds for each of the conditions, if all, or for one.
func some[T any](all bool, conditions []T, ok func(*T) bool) bool {
	for i := range conditions {
		if ok(&conditions[i]) != all {
			return !all
		}
	}
	return all
}

func (p *PropFilter) match(c *Card) bool {
	for i := range c.Lines {
		if l := &c.Lines[i]; isNamed(l, p.Name) && (p.NotDefined || p.holds(l)) {
			return !p.NotDefined
		}
	}
	return p.NotDefined
}

// isNamed reports whether a filter or a selection means a property, which it
// names with a group or without (RFC 6352 §10.4.2).
func isNamed(l *line.Line, name string) bool {
	if group, rest, ok := strings.Cut(name, "."); ok {
		return strings.EqualFold(group, l.Group) && strings.EqualFold(rest, l.Name)
	}
	return strings.EqualFold(name, l.Name)
}

// holds reports whether a property of the right name meets the conditions.
func (p *PropFilter) holds(l *line.Line) bool {
	if len(p.Texts)+len(p.Params) == 0 {
		return true
	}
	text := func(m *TextMatch) bool { return matchValue(m, l) }
	param := func(f *ParamFilter) bool { return f.holds(l) }
	if p.All {
		return some(true, p.Texts, text) && some(true, p.Params, param)
	}
	return some(false, p.Texts, text) || some(false, p.Params, param)
}

func (f *ParamFilter) holds(l *line.Line) bool {
	values, ok := paramValues(l, strings.ToUpper(f.Name))
	switch {
	case f.NotDefined:
		return !ok
	case f.Text == nil || !ok:
		return ok
	}
	return matchAny(f.Text, values)
}

// matchValue compares a property's value as a whole and, of a list, each element.
func matchValue(m *TextMatch, l *line.Line) bool {
	values := []string{line.Unescape(l.Value)}
	if l.Name == "CATEGORIES" || l.Name == "NICKNAME" {
		values = append(values, line.Texts(l.Value)...)
	}
	return matchAny(m, values)
}

// matchAny reports whether one of values matches; negated, whether none does.
func matchAny(m *TextMatch, values []string) bool {
	found := *m
	found.Negate = false
	if found.Collation == "" {
		found.Collation = line.UnicodeCasemap
	}
	for _, v := range values {
		if found.Match(v) {
			return !m.Negate
		}
	}
	return m.Negate
}

// paramValues returns all values of a parameter, and whether it is there: TYPE is
// also where a type stands alone, as in TEL;HOME, and a quoted list is one.
func paramValues(l *line.Line, name string) (values []string, ok bool) {
	for i := range l.Params {
		p := &l.Params[i]
		if p.Values == nil && name == "TYPE" {
			values, ok = append(values, p.Name), true
		}
		if p.Name != name {
			continue
		}
		ok = true
		for _, v := range p.Values {
			if name == "TYPE" {
				values = append(values, strings.Split(v, ",")...)
			} else {
				values = append(values, v)
			}
		}
	}
	return values, ok
}
