package vcard

import (
	"slices"
	"strconv"
	"strings"

	"cairn/services/caldav/line"
)

// Convert returns the card in another version, V3 or V4; in its own it is c.
//
// What both versions can say is said as the other says it: preferences, media
// types and inline pictures, telephone numbers, dates with and without a year,
// time zones and places, sort orders, address labels, and the groups, dates and
// relations for which Apple's address books and others after them have
// properties of their own in 3.0. What the other version has no words for stays
// as it is, as a property or parameter that it does not know, except
// for PID, CLIENTPIDMAP, all but the first of several preferences, and of several
// FN or N all but the preferred one, which 3.0 cannot have.
func (c *Card) Convert(version string) *Card {
	if version == c.Version {
		return c
	}
	v := newConversion(c)
	convert := v.to4
	if version == V3 {
		convert = v.to3
	}
	for i := range c.Lines {
		l := clone(&c.Lines[i])
		l.DelParam("CHARSET") // it is UTF-8 wherever it is read here
		if l.Name != "VERSION" {
			convert(&l)
		}
	}
	if version == V3 {
		v.finish3()
	} else {
		v.finish4()
	}
	head := line.Line{Name: "VERSION", Value: version}
	return &Card{Version: version, Lines: append([]line.Line{head}, v.result()...)}
}

// A conversion is under way.
type conversion struct {
	from *Card
	out  []line.Line

	labels  map[string]string // group → its X-ABLABEL
	dropped map[string]bool   // groups whose label is not to be in the result
	used    map[string]bool   // groups, in lower case
	next    int               // number of the next group to try

	best        map[string]int      // name → the best preference of its lines
	taken       map[string]bool     // names of which one is enough, and is there
	ranked      map[string]bool     // names of which one has TYPE=pref
	sortAs      string              // 3.0's SORT-STRING
	anniversary string              // as 4.0 has it
	postal      map[string][]string // types → texts of 3.0's LABEL
	orphan      []line.Line         // 3.0's LABEL lines
}

func newConversion(c *Card) *conversion {
	v := &conversion{from: c, next: 1, labels: map[string]string{}, dropped: map[string]bool{}, used: map[string]bool{},
		best: map[string]int{}, taken: map[string]bool{}, ranked: map[string]bool{}, postal: map[string][]string{}}
	if l := c.first("ANNIVERSARY"); l != nil {
		as := clone(l)
		date4(&as)
		v.anniversary = as.Value
	}
	for i := range c.Lines {
		l := &c.Lines[i]
		if rank, ok := v.best[l.Name]; !ok || preference(l) < rank {
			v.best[l.Name] = preference(l)
		}
		if l.Group == "" {
			continue
		}
		group := strings.ToLower(l.Group)
		v.used[group] = true
		if l.Name == "X-ABLABEL" {
			v.labels[group] = line.Unescape(l.Value)
		}
	}
	return v
}

func (v *conversion) add(l line.Line) { v.out = append(v.out, l) }

// label returns the word in one of Apple's own labels, _$!<Anniversary>!$_, in
// lower case, of the group that l is in.
func (v *conversion) label(l *line.Line) string {
	s, ok1 := strings.CutPrefix(v.labels[strings.ToLower(l.Group)], "_$!<")
	s, ok2 := strings.CutSuffix(s, ">!$_")
	if l.Group == "" || !ok1 || !ok2 {
		return ""
	}
	return strings.ToLower(s)
}

// addLabelled adds a line in a group of its own with one of Apple's labels.
func (v *conversion) addLabelled(l line.Line, word string) {
	for l.Group = ""; l.Group == ""; v.next++ {
		if name := "item" + strconv.Itoa(v.next); !v.used[name] {
			l.Group = name
		}
	}
	v.add(l)
	v.add(line.Line{Group: l.Group, Name: "X-ABLABEL", Value: line.Escape("_$!<" + word + ">!$_")})
}

// dropLabel takes l out of its group and the group's label out of the card: what
// it said is in l now.
func (v *conversion) dropLabel(l *line.Line) {
	v.dropped[strings.ToLower(l.Group)] = true
	l.Group = ""
}

// result returns the lines without the labels that were dropped.
func (v *conversion) result() []line.Line {
	return slices.DeleteFunc(v.out, func(l line.Line) bool {
		return l.Name == "X-ABLABEL" && v.dropped[strings.ToLower(l.Group)]
	})
}

// clone copies a line, so that the copy can be changed. Its types are all values
// of one TYPE, however they were written.
func clone(l *line.Line) line.Line {
	c := *l
	c.Params = nil
	for _, p := range l.Params {
		if p.Name != "TYPE" && p.Values != nil {
			c.Params = append(c.Params, line.Param{Name: p.Name, Values: slices.Clone(p.Values)})
		}
	}
	types, _ := paramValues(l, "TYPE")
	for i, t := range types {
		if strings.EqualFold(t, "base64") { // as 2.1 had it
			types = slices.Delete(types, i, i+1)
			c.SetParam("ENCODING", "b")
			break
		}
	}
	if len(types) > 0 {
		c.Params = append(c.Params, line.Param{Name: "TYPE", Values: types})
	}
	return c
}

// types returns the values of TYPE in lower case.
func types(l *line.Line) []string {
	values, _ := paramValues(l, "TYPE")
	for i := range values {
		values[i] = strings.ToLower(values[i])
	}
	return values
}

// dropTypes removes the values of TYPE that drop says, given in lower case.
func dropTypes(l *line.Line, drop func(string) bool) {
	for i := range l.Params {
		if p := &l.Params[i]; p.Name == "TYPE" {
			p.Values = slices.DeleteFunc(p.Values, func(v string) bool { return drop(strings.ToLower(v)) })
		}
	}
	l.Params = slices.DeleteFunc(l.Params, func(p line.Param) bool { return p.Name == "TYPE" && len(p.Values) == 0 })
}

// addType adds a value to TYPE.
func addType(l *line.Line, value string) {
	values, _ := paramValues(l, "TYPE")
	l.SetParam("TYPE", append(values, value)...)
}

// param returns a parameter's first value, or "".
func param(l *line.Line, name string) string {
	v, _ := l.Param(name)
	return v
}

// dropParams removes parameters.
func dropParams(l *line.Line, names ...string) {
	l.Params = slices.DeleteFunc(l.Params, func(p line.Param) bool { return slices.Contains(names, p.Name) })
}
