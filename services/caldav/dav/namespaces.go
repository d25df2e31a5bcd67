package dav

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// declare takes the declarations among an element's attributes (Namespaces in XML 1.0 §3).
func (p *parser) declare(attrs []xml.Attr) error {
	for _, a := range attrs {
		var b binding
		switch {
		case a.Name.Space == "xmlns":
			b = binding{a.Name.Local, a.Value}
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			b = binding{"", a.Value}
		default:
			continue
		}
		if b.prefix == "xml" && b.space == spaceXML {
			continue
		}
		if b.prefix == "xml" || b.prefix == "xmlns" || b.space == spaceXML || b.space == spaceXMLNS || b.prefix != "" && b.space == "" {
			return malformed("prefix %q cannot stand for %q", b.prefix, b.space)
		}
		if len(p.scope) == maxScope {
			return Errorf(http.StatusRequestEntityTooLarge, "XML: more than %d namespaces", maxScope)
		}
		if len(b.prefix) > maxNameBytes || len(b.space) > maxSpace {
			return malformed("a namespace is too long")
		}
		if slices.ContainsFunc(p.scope[p.marks[len(p.marks)-1]:], func(o binding) bool { return o.prefix == b.prefix }) {
			return malformed("prefix %q is declared twice", b.prefix)
		}
		p.scope = append(p.scope, b)
	}
	return nil
}

// resolve turns a raw name (a prefix where encoding/xml has the namespace) into a name. Attributes
// without a prefix are in no namespace; elements without one in the default.
func (p *parser) resolve(raw xml.Name, element bool) (Name, error) {
	if !isNCName(raw.Local) {
		return Name{}, malformed("%.40q is not a name", raw.Local)
	}
	if raw.Space == "" && !element {
		return Name{Local: raw.Local}, nil
	}
	space, ok := p.lookup(raw.Space)
	if !ok {
		return Name{}, malformed("prefix %.40q is not declared", raw.Space)
	}
	return Name{Space: space, Local: raw.Local}, nil
}

// isNCName reports whether s can stand behind a prefix (Namespaces in XML 1.0 §4), as far as editions of XML agree
// which letters of other scripts there are.
func isNCName(s string) bool {
	if s == "" || len(s) > maxNameBytes || s[0] == '-' || s[0] == '.' || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			t, _ := xml.NewDecoder(strings.NewReader("<" + s + "/>")).RawToken()
			e, ok := t.(xml.StartElement)
			return ok && e.Name == xml.Name{Local: s} && len(e.Attr) == 0 && !strings.Contains(s, ":")
		}
		if !inName[s[i]] {
			return false
		}
	}
	return true
}

func (p *parser) lookup(prefix string) (string, bool) {
	if prefix == "xml" {
		return spaceXML, true
	}
	for i := len(p.scope) - 1; i >= 0; i-- {
		if p.scope[i].prefix == prefix {
			return p.scope[i].space, true
		}
	}
	return "", prefix == ""
}

func (p *parser) attributes(e *Element, attrs []xml.Attr) error {
	for _, a := range attrs {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		n, err := p.resolve(a.Name, false)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(e.Attrs, func(o Attr) bool { return o.Name == n }) {
			return malformed("attribute %q stands twice", n.Local)
		}
		e.Attrs = append(e.Attrs, Attr{n, a.Value})
		e.pre = append(e.pre, a.Name.Space)
		p.remember(e, a.Value)
	}
	return nil
}

// remember notes what prefixes in a text stand for: values may hold qualified names (xsi:type="xs:date"), which
// mean nothing where the declaration is lost.
func (p *parser) remember(e *Element, s string) {
	for range maxAttrs {
		before, after, ok := strings.Cut(s, ":")
		if !ok {
			return
		}
		s = after
		word := before[strings.LastIndexAny(before, " \t\r\n\"'([{,;=<>/@")+1:]
		if word == "" || word == "xml" || len(word) > maxNameBytes {
			continue
		}
		if space, ok := p.lookup(word); ok && !slices.Contains(e.needs, binding{word, space}) {
			e.needs = append(e.needs, binding{word, space})
		}
	}
}
