package dav

import (
	"iter"
	"strings"
)

// Element is an element of a request's body: names resolved, comments gone, text and elements in their order.
type Element struct {
	Name  Name
	Attrs []Attr // without declarations of namespaces
	Nodes []Node

	prefix string    // as the client wrote it: RFC 4918 §4.3 wants it kept
	pre    []string  // prefixes of Attrs
	needs  []binding // what prefixes in text and attribute values stand for
}

// Node is an element or, if Element is nil, text.
type Node struct {
	Element *Element
	Text    string
}

// binding is a prefix ("" for the default) and its namespace.
type binding struct{ prefix, space string }

// Elements yields the elements right below e.
func (e *Element) Elements() iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		for _, n := range e.Nodes {
			if n.Element != nil && !yield(n.Element) {
				return
			}
		}
	}
}

// All yields the elements of one name right below e.
func (e *Element) All(n Name) iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		for c := range e.Elements() {
			if c.Name == n && !yield(c) {
				return
			}
		}
	}
}

// Child returns the first element of that name right below e, or nil. A nil Element has no children.
func (e *Element) Child(n Name) *Element {
	if e == nil {
		return nil
	}
	for c := range e.All(n) {
		return c
	}
	return nil
}

// Names returns the names of the elements right below e.
func (e *Element) Names() []Name {
	var names []Name
	for c := range e.Elements() {
		names = append(names, c.Name)
	}
	return names
}

// Text returns the text right below e, with white space as it came.
func (e *Element) Text() string {
	if e == nil {
		return ""
	}
	if len(e.Nodes) == 1 {
		return e.Nodes[0].Text
	}
	var b strings.Builder
	for _, n := range e.Nodes {
		b.WriteString(n.Text)
	}
	return b.String()
}

// Word returns the text right below e without white space around it.
func (e *Element) Word() string { return strings.Trim(e.Text(), " \t\r\n") }

// Hrefs returns what the DAV:href elements right below e hold.
func (e *Element) Hrefs() []string {
	var hrefs []string
	if e != nil {
		for h := range e.All(nameHref) {
			hrefs = append(hrefs, h.Word())
		}
	}
	return hrefs
}

// Attr returns the attribute of that name without a namespace, or "".
func (e *Element) Attr(local string) string {
	for _, a := range e.Attrs {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// lang returns the element's own xml:lang.
func (e *Element) lang() (string, bool) {
	for _, a := range e.Attrs {
		if a.Name == nameLang {
			return a.Value, true
		}
	}
	return "", false
}

var nameLang = Name{Space: spaceXML, Local: "lang"}
