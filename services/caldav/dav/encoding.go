package dav

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// charset is asked when the declaration names an encoding other than UTF-8. UTF-16 has been converted by then.
func (p *parser) charset(label string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf8", "us-ascii", "ascii":
		return in, nil
	case "utf-16", "utf-16le", "utf-16be":
		if p.wide {
			return in, nil
		}
	}
	p.refused = Errorf(http.StatusUnsupportedMediaType, "XML: encoding %.40q is not taken; UTF-8 is", label)
	return nil, p.refused
}

// toUTF8 converts UTF-16, known by its byte order mark, and checks UTF-8.
func toUTF8(data []byte) (utf []byte, wide bool, err error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xFE\xFF")):
		utf, err = fromUTF16(data[2:], binary.BigEndian)
		return utf, true, err
	case bytes.HasPrefix(data, []byte("\xFF\xFE")):
		utf, err = fromUTF16(data[2:], binary.LittleEndian)
		return utf, true, err
	}
	if !utf8.Valid(data) {
		return nil, false, malformed("the body is not UTF-8")
	}
	return bytes.TrimPrefix(data, []byte("\uFEFF")), false, nil
}

func fromUTF16(data []byte, order binary.ByteOrder) ([]byte, error) {
	if len(data)%2 != 0 {
		return nil, malformed("half a character of UTF-16")
	}
	units := make([]uint16, 0, len(data)/2)
	for ; len(data) > 0; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	return []byte(string(utf16.Decode(units))), nil
}
