package message

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
	"time"
)

// AppendField appends a field with an unstructured value, encoded (RFC 2047) where
// it is not printable ASCII, and folded. Line ends in the value become spaces: it cannot
// bring fields of its own.
func AppendField(dst []byte, name, value string) []byte {
	return AppendFolded(dst, name, EncodeWords(value))
}

// AppendAddresses appends a field with a list of addresses, folded.
func AppendAddresses(dst []byte, name string, list []Address) []byte {
	var all []string
	for _, a := range list {
		all = append(all, a.String())
	}
	return AppendFolded(dst, name, strings.Join(all, ", "))
}

// foldAt is how long lines get if they can be folded (RFC 5322 §2.1.1).
const foldAt = 76

// AppendFolded appends a field with a structured value, such as that of Received. It
// breaks lines at white space only. Control characters are left out: the value cannot
// bring fields of its own.
func AppendFolded(dst []byte, name, value string) []byte {
	value = strings.Trim(clean(value), " ")
	dst = append(append(dst, name...), ':')
	column := len(name) + 1
	for first := true; value != "" || first; first = false {
		end := len(value)
		if i := strings.IndexByte(strings.TrimLeft(value, " "), ' '); i >= 0 {
			end = len(value) - len(strings.TrimLeft(value, " ")) + i
		}
		if word := value[:end]; first {
			dst = append(append(dst, ' '), word...)
			column += 1 + len(word)
		} else if column+len(word) > foldAt {
			dst = append(append(dst, "\r\n"...), word...)
			column = len(word)
		} else {
			dst = append(dst, word...)
			column += len(word)
		}
		value = value[end:]
	}
	return append(dst, "\r\n"...)
}

// NewMessageID returns a message identifier, without angle brackets. The caller
// brings 16 or more random bytes.
func NewMessageID(now time.Time, random []byte, domain string) string {
	sum := sha256.Sum256(random)
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16])
	return now.UTC().Format("20060102150405") + "." + strings.ToLower(text) + "@" + domain
}

// An Entity is a message or a part that is to be written.
type Entity struct {
	// Fields are header fields as AppendField makes them, without the blank line and without
	// Content-Type when there are Parts.
	Fields []byte
	// Body is what a leaf holds, encoded already, lines ending in CRLF.
	Body []byte
	// Subtype is that of a multipart, with its parameters: "mixed", "report;
	// report-type=delivery-status".
	Subtype string
	Parts   []Entity // nil for a leaf
}

// TextEntity returns a leaf of text/plain in UTF-8, base64 or as it is, whatever it needs.
func TextEntity(text string) Entity {
	fields := []byte("Content-Type: text/plain; charset=utf-8\r\n")
	body := []byte(crlf(cleanLines(strings.ToValidUTF8(text, "\uFFFD"))))
	if f := Inspect(body); !f.EightBit && f.MaxLine <= 998 {
		return Entity{Fields: fields, Body: body}
	}
	fields = append(fields, "Content-Transfer-Encoding: base64\r\n"...)
	return Entity{Fields: fields, Body: EncodeBase64(body)}
}

func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// Encode returns the entity as bytes: header, blank line, body.
func (e Entity) Encode() []byte {
	if e.Parts == nil {
		return append(append(append([]byte{}, e.Fields...), "\r\n"...), e.Body...)
	}
	var parts [][]byte
	hash := sha256.New()
	for _, p := range e.Parts {
		b := p.Encode()
		hash.Write(b)
		parts = append(parts, b)
	}
	// Nobody can make a part in which its own hash stands.
	boundary := "=_" + hex.EncodeToString(hash.Sum(nil)[:20])
	b := append([]byte{}, e.Fields...)
	if !ParseHeader(b).Has("MIME-Version") {
		b = append(b, "MIME-Version: 1.0\r\n"...)
	}
	b = append(b, "Content-Type: multipart/"+e.Subtype+";\r\n\tboundary=\""+boundary+"\"\r\n\r\n"...)
	for _, p := range parts {
		b = append(append(append(b, "--"+boundary+"\r\n"...), p...), "\r\n"...)
	}
	return append(b, "--"+boundary+"--\r\n"...)
}
