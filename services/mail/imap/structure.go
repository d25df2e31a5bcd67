package imap

import (
	"bytes"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cairn/services/mail/message"
)

// appendStructure writes BODYSTRUCTURE, or BODY if it is not extended (RFC 9051 §7.5.2), of the parts of a
// message, which are bounded in number and depth.
func appendStructure(b []byte, parts []message.Part, extended, utf8 bool) []byte {
	w := structureWriter{parts: parts, below: make([][]int, len(parts)), extended: extended, utf8: utf8}
	for i := 1; i < len(parts); i++ {
		w.below[parts[i].Parent] = append(w.below[parts[i].Parent], i)
	}
	w.b = b
	w.part(0)
	return w.b
}

type structureWriter struct {
	b        []byte
	parts    []message.Part
	below    [][]int // the parts in each part
	extended bool
	utf8     bool
}

// emptyText stands where there has to be a part and is none.
const emptyText = `("text" "plain" NIL NIL NIL "7bit" 0 0)`

func (w *structureWriter) part(i int) {
	p := &w.parts[i]
	kind, subtype, _ := strings.Cut(p.Type, "/")
	w.b = append(w.b, '(')
	if kind == "multipart" {
		w.multipart(i, subtype)
	} else {
		w.single(i, kind, subtype)
	}
	if w.extended {
		w.extension(p)
	}
	w.b = append(w.b, ')')
}

func (w *structureWriter) multipart(i int, subtype string) {
	for _, k := range w.below[i] {
		w.part(k)
	}
	if len(w.below[i]) == 0 {
		w.b = append(w.b, emptyText...)
	}
	w.b = append(w.b, ' ')
	w.string(subtype)
	if w.extended {
		w.params(w.parts[i].Params)
	}
}

func (w *structureWriter) single(i int, kind, subtype string) {
	p := &w.parts[i]
	w.string(kind)
	w.b = append(w.b, ' ')
	w.string(subtype)
	w.params(p.Params)
	w.nstring(p.Header.Get("Content-ID"))
	w.nstring(p.Header.Get("Content-Description"))
	encoding := strings.ToLower(p.Header.Get("Content-Transfer-Encoding"))
	if encoding == "" {
		encoding = "7bit"
	}
	w.nstring(encoding)
	w.number(len(p.Body))
	if p.Type == "message/rfc822" || p.Type == "message/global" {
		w.message(i)
	} else if kind != "text" {
		if w.extended {
			w.b = append(w.b, " NIL"...) // MD5
		}
		return
	}
	w.number(bytes.Count(p.Body, []byte("\n")))
	if w.extended {
		w.b = append(w.b, " NIL"...)
	}
}

// message writes the envelope and the structure of a message in a part.
func (w *structureWriter) message(i int) {
	if len(w.below[i]) == 0 { // it cannot be read in place
		w.b = append(appendEnvelope(append(w.b, ' '), message.Header{}, w.utf8), " "+emptyText...)
		return
	}
	k := w.below[i][0]
	w.b = append(appendEnvelope(append(w.b, ' '), w.parts[k].Header, w.utf8), ' ')
	w.part(k)
}

// extension writes disposition, language and location.
func (w *structureWriter) extension(p *message.Part) {
	if p.Disposition == "" {
		w.b = append(w.b, " NIL"...)
	} else {
		_, params := message.Params(p.Header.Get("Content-Disposition"))
		w.b = append(w.b, " ("...)
		w.string(p.Disposition)
		w.params(params)
		w.b = append(w.b, ')')
	}
	languages := strings.FieldsFunc(p.Header.Get("Content-Language"), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	if len(languages) == 0 {
		w.b = append(w.b, " NIL"...)
	} else {
		w.b = append(w.b, " ("...)
		for i, l := range languages {
			if i > 0 {
				w.b = append(w.b, ' ')
			}
			w.string(l)
		}
		w.b = append(w.b, ')')
	}
	w.nstring(p.Header.Get("Content-Location"))
}

// params writes a space and parameters. Values that are not ASCII are written as RFC 2231 has
// them in the header.
func (w *structureWriter) params(params map[string]string) {
	if len(params) == 0 {
		w.b = append(w.b, " NIL"...)
		return
	}
	w.b = append(w.b, " ("...)
	for i, name := range slices.Sorted(maps.Keys(params)) {
		if i > 0 {
			w.b = append(w.b, ' ')
		}
		value := params[name]
		if !quotable(value, w.utf8) {
			name, value = name+"*", "utf-8''"+strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
		}
		w.string(name)
		w.b = append(w.b, ' ')
		w.string(value)
	}
	w.b = append(w.b, ')')
}

func (w *structureWriter) string(s string)  { w.b = appendString(w.b, s, w.utf8) }
func (w *structureWriter) nstring(s string) { w.b = appendNString(append(w.b, ' '), s, w.utf8) }
func (w *structureWriter) number(n int)     { w.b = strconv.AppendInt(append(w.b, ' '), int64(n), 10) }
