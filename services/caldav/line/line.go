package line

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// A Param is a parameter of a line: TYPE=home,work.
type Param struct {
	Name   string   // in upper case
	Values []string // without quotes and RFC 6868 escapes; nil for a name alone, as in ";HOME"
}

// A Line is one content line.
type Line struct {
	Group  string // "item1" in item1.TEL:…; vCard only
	Name   string // in upper case
	Params []Param
	Value  string // unfolded, still escaped
}

// A Component is what lies between BEGIN:Name and END:Name.
type Component struct {
	Name     string // in upper case
	Lines    []Line
	Children []*Component
}

// An Error says which line of a text cannot be read and why.
type Error struct {
	Line   int // counted from 1, in physical lines
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Param returns the first value of the parameter called name (in upper case) and
// whether there is such a parameter.
func (l *Line) Param(name string) (string, bool) {
	for i := range l.Params {
		if p := &l.Params[i]; p.Name == name {
			if len(p.Values) == 0 {
				return "", true
			}
			return p.Values[0], true
		}
	}
	return "", false
}

// HasValue reports whether a parameter called name has that value among its own,
// in any case: TYPE=HOME, TYPE="home,work" and a bare ;HOME for ("TYPE", "home").
func (l *Line) HasValue(name, value string) bool {
	for i := range l.Params {
		p := &l.Params[i]
		if p.Values == nil && name == "TYPE" && strings.EqualFold(p.Name, value) {
			return true
		}
		if p.Name != name {
			continue
		}
		for _, v := range p.Values {
			for one := range strings.SplitSeq(v, ",") {
				if strings.EqualFold(strings.TrimSpace(one), value) {
					return true
				}
			}
		}
	}
	return false
}

// SetParam gives the line the parameter called name with these values, in place
// of any that it had.
func (l *Line) SetParam(name string, values ...string) {
	i := slices.IndexFunc(l.Params, func(p Param) bool { return p.Name == name })
	if i < 0 {
		l.Params = append(slices.Clip(l.Params), Param{name, values})
		return
	}
	params := slices.Clone(l.Params)
	params[i].Values = values
	rest := slices.DeleteFunc(params[i+1:], func(p Param) bool { return p.Name == name })
	l.Params = params[:i+1+len(rest)]
}

// DelParam takes every parameter called name from the line.
func (l *Line) DelParam(name string) {
	l.Params = slices.DeleteFunc(slices.Clone(l.Params), func(p Param) bool { return p.Name == name })
}

// First returns the first line called name (in upper case), nil if there is none.
// It may be changed in place.
func (c *Component) First(name string) *Line {
	for i := range c.Lines {
		if c.Lines[i].Name == name {
			return &c.Lines[i]
		}
	}
	return nil
}

// Value returns the value of the first line called name, "" if there is none.
func (c *Component) Value(name string) string {
	if l := c.First(name); l != nil {
		return l.Value
	}
	return ""
}

// All yields the lines called name (in upper case), which may be changed in place.
func (c *Component) All(name string) iter.Seq[*Line] {
	return func(yield func(*Line) bool) {
		for i := range c.Lines {
			if c.Lines[i].Name == name && !yield(&c.Lines[i]) {
				return
			}
		}
	}
}

// Set puts l in the place of the first line of its name and takes away the others;
// where there is none it is added at the end.
func (c *Component) Set(l Line) {
	i := slices.IndexFunc(c.Lines, func(old Line) bool { return old.Name == l.Name })
	if i < 0 {
		c.Lines = append(c.Lines, l)
		return
	}
	c.Lines[i] = l
	rest := slices.DeleteFunc(c.Lines[i+1:], func(old Line) bool { return old.Name == l.Name })
	c.Lines = c.Lines[:i+1+len(rest)]
}

// Add adds lines at the end.
func (c *Component) Add(lines ...Line) { c.Lines = append(c.Lines, lines...) }

// Del takes every line of these names away and reports whether there was one.
func (c *Component) Del(names ...string) bool {
	n := len(c.Lines)
	c.Lines = slices.DeleteFunc(c.Lines, func(l Line) bool { return slices.Contains(names, l.Name) })
	return len(c.Lines) < n
}

// Sub yields the children called name (in upper case).
func (c *Component) Sub(name string) iter.Seq[*Component] {
	return func(yield func(*Component) bool) {
		for _, child := range c.Children {
			if child.Name == name && !yield(child) {
				return
			}
		}
	}
}

// Clone returns a copy that shares nothing that can be changed through the methods
// of Component and Line.
func (c *Component) Clone() *Component {
	n := &Component{Name: c.Name, Lines: slices.Clone(c.Lines)}
	for i := range n.Lines {
		n.Lines[i].Params = slices.Clone(n.Lines[i].Params)
	}
	for _, child := range c.Children {
		n.Children = append(n.Children, child.Clone())
	}
	return n
}
