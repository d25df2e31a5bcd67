package imap

import (
	"bytes"
	"slices"
	"strings"

	"cairn/services/mail/message"

	"github.com/emersion/go-imap/v2"
)

// extract returns a section of the message at hand; false if there is none of that number.
func (w *fetchWriter) extract(sec section) ([]byte, bool) {
	if len(sec.path) == 0 {
		return ofEntity(w.raw, sec), true
	}
	i := w.find(sec.path)
	if i < 0 {
		return nil, false
	}
	parts := w.parts
	p := &parts[i]
	switch {
	case sec.kind != bodySection:
		return p.Decoded(len(p.Body)), true
	case sec.what == "":
		return p.Body, true
	case sec.what == "MIME":
		return p.Raw[:len(p.Raw)-len(p.Body)], true
	}
	// HEADER and TEXT are of the message in the part.
	if i+1 == len(parts) || parts[i+1].Parent != i || p.Multipart() {
		return nil, false
	}
	return ofEntity(parts[i+1].Raw, sec), true
}

// ofEntity returns a section of a message.
func ofEntity(raw []byte, sec section) []byte {
	if sec.what == "" {
		return raw
	}
	head, body := message.Split(raw)
	switch sec.what {
	case "TEXT":
		return body
	case "HEADER":
		return head
	}
	return fields(head, sec.fields, sec.what == "HEADER.FIELDS.NOT")
}

// fields returns the fields of a header that are named, or those that are not, and the blank line.
func fields(head []byte, names []string, not bool) []byte {
	var out []byte
	for f := range message.ParseHeader(head).Fields() {
		named := slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, f.Name) })
		if named == not {
			continue
		}
		out = append(out, f.Raw...)
		if !bytes.HasSuffix(out, []byte("\n")) {
			out = append(out, "\r\n"...)
		}
	}
	return append(out, "\r\n"...)
}

// decodable makes sure, before anything is written, that the transfer encodings of what BINARY asks for are known
// (RFC 3516 §4.3).
func (w *fetchWriter) decodable() error {
	for _, sec := range w.f.sections {
		if sec.kind == bodySection || len(sec.path) == 0 {
			continue
		}
		i := w.find(sec.path)
		if i < 0 {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(w.parts[i].Header.Get("Content-Transfer-Encoding"))) {
		case "", "7bit", "8bit", "binary", "base64", "quoted-printable":
		default:
			return no(imap.ResponseCodeUnknownCTE, "The part is encoded in a way that is not known here: fetch BODY in place of BINARY")
		}
	}
	return nil
}

// find returns the index of a part, or -1.
func (w *fetchWriter) find(path []int) int {
	return slices.IndexFunc(w.structure(), func(p message.Part) bool { return slices.Equal(p.Path, path) })
}
