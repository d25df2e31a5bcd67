package dav

import "net/http"

// Prop writes a property that was kept, or another element: the owner of a lock. Text
// that is no element of that name is written as text.
func (b *Builder) Prop(p Prop) {
	e, err := p.Element()
	if err != nil {
		b.Element(p.Name, p.XML)
		return
	}
	e.write(b, nil)
}

// WriteProp answers with a DAV:prop alone, as LOCK does (RFC 4918 §9.10.1).
func WriteProp(w http.ResponseWriter, status int, value func(b *Builder)) error {
	var b Builder
	b.raw(xmlHead + `<d:prop` + declareSpaces + `>`)
	value(&b)
	b.raw("</d:prop>\n")
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, err := w.Write(b.buf)
	return err
}
