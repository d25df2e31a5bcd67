package ical

import (
	"slices"
	"strconv"
	"strings"

	"cairn/services/caldav/line"
)

// Groups of properties that are merged as if they were one.
const (
	timeGroup     = "when it takes place"
	progressGroup = "how far it has come"
)

// group returns what a line is merged by: lines with the same group change together.
func group(l *line.Line) string {
	switch l.Name {
	case "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID":
		return timeGroup
	case "STATUS", "COMPLETED", "PERCENT-COMPLETE":
		return progressGroup
	case "ATTENDEE":
		return "ATTENDEE " + strings.ToLower(strings.TrimSpace(l.Value))
	case "ATTACH", "COMMENT", "CONTACT", "RELATED-TO", "REQUEST-STATUS", "CONFERENCE", "IMAGE", "FREEBUSY":
		return l.Name + " " + canonical(l)
	}
	return l.Name
}

// ordered is a map that knows the order in which its keys came.
type ordered[V any] struct {
	keys []string
	m    map[string]V
}

func (o *ordered[V]) set(key string, v V) {
	if _, ok := o.m[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.m[key] = v
}

// union returns the keys of all, each once, in the order of the first that has it.
func union[V any](all ...ordered[V]) (keys []string) {
	seen := map[string]bool{}
	for _, o := range all {
		for _, k := range o.keys {
			if !seen[k] {
				seen[k] = true
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// groups returns the lines of a component by group.
func groups(c *line.Component) ordered[[]line.Line] {
	out := ordered[[]line.Line]{m: map[string][]line.Line{}}
	for i := range c.Lines {
		g := group(&c.Lines[i])
		out.set(g, append(out.m[g], c.Lines[i]))
	}
	return out
}

// children returns the children of a component by what tells them apart.
func children(c *line.Component) ordered[*line.Component] {
	out := ordered[*line.Component]{m: map[string]*line.Component{}}
	seen := map[string]int{}
	for _, child := range c.Children {
		key := child.Name + " " + identity(child)
		if seen[key]++; seen[key] > 1 {
			key += " " + strconv.Itoa(seen[key])
		}
		out.set(key, child)
	}
	return out
}

// identity is what tells a component from others of its kind.
func identity(c *line.Component) string {
	switch {
	case c.Name == "VTIMEZONE":
		return c.Value("TZID")
	case isKind(c.Name):
		if id := c.First("RECURRENCE-ID"); id != nil {
			return canonical(id)
		}
		return ""
	case c.First("UID") != nil:
		return c.Value("UID")
	}
	return string(c.Encode())
}

// canonical writes a line so that the order of its parameters does not matter.
func canonical(l *line.Line) string {
	sorted := *l
	sorted.Params = slices.Clone(l.Params)
	slices.SortStableFunc(sorted.Params, func(a, b line.Param) int { return strings.Compare(a.Name, b.Name) })
	return sorted.String()
}

// text writes lines so that neither their order nor that of parameters matters.
func text(lines []line.Line) string {
	all := make([]string, len(lines))
	for i := range lines {
		all[i] = canonical(&lines[i])
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// same reports whether two components say the same; nil stands for none.
func same(a, b *line.Component) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Name != b.Name || len(a.Children) != len(b.Children) || text(a.Lines) != text(b.Lines) {
		return false
	}
	ac, bc := children(a), children(b)
	return !slices.ContainsFunc(ac.keys, func(key string) bool { return !same(ac.m[key], bc.m[key]) })
}

// mergeGroup merges the lines of one group; no lines stand for none.
func mergeGroup(g string, b, o, t []line.Line) ([]line.Line, error) {
	switch bt, ot, tt := text(b), text(o), text(t); {
	case ot == tt, bt == tt:
		return o, nil
	case bt == ot:
		return t, nil
	}
	switch g {
	case "SEQUENCE", "DTSTAMP", "LAST-MODIFIED", "ACKNOWLEDGED", "X-MOZ-LASTACK", "X-MOZ-GENERATION":
		return greater(o, t), nil
	case "PRODID":
		return o, nil
	case "CATEGORIES", "RESOURCES":
		return mergeList(b, o, t), nil
	}
	return nil, conflict(g)
}

// greater returns the side with the greater value, which is a number or a time.
func greater(o, t []line.Line) []line.Line {
	if len(o) == 0 || len(t) == 0 {
		return append(o, t...)
	}
	a, b := o[0].Value, t[0].Value
	if len(b) > len(a) || len(b) == len(a) && b > a {
		return t
	}
	return o
}

// mergeList merges lists of texts value by value, into one line.
func mergeList(b, o, t []line.Line) []line.Line {
	was, ours, theirs := textsOf(b), textsOf(o), textsOf(t)
	kept := slices.DeleteFunc(union(ours, theirs), func(v string) bool {
		return was.m[v] && (!ours.m[v] || !theirs.m[v])
	})
	if len(kept) == 0 {
		return nil
	}
	l := line.Line{Value: line.Join(kept, ',')}
	for _, side := range [][]line.Line{o, t} {
		if len(side) > 0 && l.Name == "" {
			l.Name, l.Params = side[0].Name, side[0].Params
		}
	}
	return []line.Line{l}
}

func textsOf(lines []line.Line) ordered[bool] {
	all := ordered[bool]{m: map[string]bool{}}
	for _, l := range lines {
		for _, v := range line.Texts(l.Value) {
			all.set(v, true)
		}
	}
	return all
}
