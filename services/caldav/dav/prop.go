package dav

import (
	"net/http"
	"slices"
)

// Prop is a property that is kept without being understood (a dead property, RFC 4918 §4.3): XML is its whole element as
// text that stands alone, with every namespace it uses, its xml:lang, mixed content, and the client's prefixes.
type Prop struct {
	Name Name
	XML  string
}

// Prop returns e as a property to keep.
func (e *Element) Prop() Prop {
	var b Builder
	e.write(&b, nil)
	return Prop{Name: e.Name, XML: string(b.buf)}
}

// Element returns what p holds. It fails for text that ParseProp would refuse.
func (p Prop) Element() (*Element, error) {
	e, err := parseBytes([]byte(p.XML), plain)
	if err != nil {
		return nil, err
	}
	if e.Name != p.Name {
		return nil, Errorf(http.StatusInternalServerError, "property %s is kept as %s", p.Name.Local, e.Name.Local)
	}
	return e, nil
}

// Prop gives a property that was kept. Text that is no element of that name (people edit such files by hand) is given
// as text, so that the answer stays well-formed.
func (r *Response) Prop(p Prop) {
	r.found()
	r.b.Prop(p)
}

// Prop writes a property that was kept, or another element: the owner of a lock. It does with damaged text as
// Response.Prop.
func (b *Builder) Prop(p Prop) {
	e, err := p.Element()
	if err != nil {
		b.Element(p.Name, p.XML)
		return
	}
	e.write(b, nil)
}

// write appends e as text. scope holds the declarations that the text around e makes.
func (e *Element) write(b *Builder, scope []binding) {
	b.raw("<")
	b.rawName(e.prefix, e.Name.Local)
	scope = e.declarations(b, scope)
	for i, a := range e.Attrs {
		b.raw(" ")
		b.rawName(e.pre[i], a.Name.Local)
		b.raw(`="`)
		b.attribute(a.Value)
		b.raw(`"`)
	}
	if len(e.Nodes) == 0 {
		b.raw("/>")
		return
	}
	b.raw(">")
	for _, n := range e.Nodes {
		if n.Element != nil {
			n.Element.write(b, scope)
		} else {
			b.Text(n.Text)
		}
	}
	b.raw("</")
	b.rawName(e.prefix, e.Name.Local)
	b.raw(">")
}

// declarations writes those that e uses and scope lacks, and returns the scope inside of e.
func (e *Element) declarations(b *Builder, scope []binding) []binding {
	scope = slices.Clip(scope)
	add := func(n binding) {
		if n.prefix == "xml" || bound(scope, n.prefix) == n.space {
			return
		}
		scope = append(scope, n)
		b.raw(" xmlns")
		if n.prefix != "" {
			b.raw(":")
			b.raw(n.prefix)
		}
		b.raw(`="`)
		b.attribute(n.space)
		b.raw(`"`)
	}
	add(binding{e.prefix, e.Name.Space})
	for i, a := range e.Attrs {
		if a.Name.Space != "" {
			add(binding{e.pre[i], a.Name.Space})
		}
	}
	for _, n := range e.needs {
		add(n)
	}
	return scope
}

// bound returns what a prefix stands for, or "".
func bound(scope []binding, prefix string) string {
	for _, s := range slices.Backward(scope) {
		if s.prefix == prefix {
			return s.space
		}
	}
	return ""
}

func (b *Builder) rawName(prefix, local string) {
	if prefix != "" {
		b.raw(prefix)
		b.raw(":")
	}
	b.raw(local)
}
