package vcard

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"cairn/services/caldav/line"
)

// A unit is a line, or all lines of one group.
type unit struct {
	key   string // says what it holds, whatever the group's name
	name  string // the property that it is about
	lines []line.Line
}

// units are those of a card, in its order.
type units struct {
	list []*unit
	has  map[string]bool // by key
}

func unitsOf(c *Card) *units {
	u := &units{has: map[string]bool{}}
	groups := map[string]*unit{}
	for _, l := range c.Lines {
		group := strings.ToLower(l.Group)
		one := groups[group]
		if group == "" || one == nil {
			one = &unit{name: l.Name}
			u.list = append(u.list, one)
			if group != "" {
				groups[group] = one
			}
		}
		if strings.HasPrefix(one.name, "X-AB") {
			one.name = l.Name // a label is about what else is in its group
		}
		one.lines = append(one.lines, l)
	}
	for _, one := range u.list {
		one.key = keyOf(one.lines)
		u.has[one.key] = true
	}
	return u
}

// keyOf is the same for lines that say the same.
func keyOf(lines []line.Line) string {
	if len(lines) == 1 && len(lines[0].Params) == 0 {
		return lines[0].Name + ":" + lines[0].Value
	}
	keys := make([]string, len(lines))
	for i := range lines {
		l := clone(&lines[i])
		l.Group = ""
		l.DelParam("CHARSET")
		for j := range l.Params {
			if p := &l.Params[j]; p.Name == "TYPE" || p.Name == "VALUE" || p.Name == "ENCODING" {
				for k := range p.Values {
					p.Values[k] = strings.ToLower(p.Values[k])
				}
				slices.Sort(p.Values)
			}
		}
		slices.SortStableFunc(l.Params, func(a, b line.Param) int { return strings.Compare(a.Name, b.Name) })
		keys[i] = l.String()
	}
	slices.Sort(keys)
	return strings.Join(keys, "\n")
}

func (u *units) equal(v *units) bool { return maps.Equal(u.has, v.has) }

// regroup gives groups that came from both sides under one name different names.
func regroup(list []*unit) []line.Line {
	used := map[string]bool{}
	for _, u := range list {
		used[strings.ToLower(u.lines[0].Group)] = true
	}
	taken := map[string]bool{"": true}
	next := 1
	var out []line.Line
	for _, u := range list {
		group := u.lines[0].Group
		if group != "" && taken[strings.ToLower(group)] {
			for ; used["item"+strconv.Itoa(next)]; next++ {
			}
			group = "item" + strconv.Itoa(next)
			used[group] = true
		}
		taken[strings.ToLower(group)] = true
		for _, l := range u.lines {
			l.Group = group
			out = append(out, l)
		}
	}
	return out
}
