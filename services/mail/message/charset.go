package message

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// toUTF8 returns text of a charset as valid UTF-8, at most limit bytes. Text whose charset is
// not given or not known is UTF-8 if it can be, and otherwise windows-1252.
func toUTF8(b []byte, name string, limit int) string {
	enc, known := lookup(name)
	if enc == nil {
		cut := trimRune(b[:min(len(b), limit)])
		if utf8.Valid(cut) {
			return string(cut)
		}
		if known {
			valid := strings.ToValidUTF8(string(cut), "\uFFFD")
			return string(trimRune([]byte(valid[:min(len(valid), limit)])))
		}
		enc = charmap.Windows1252
	}
	dst := make([]byte, min(limit, 3*len(b)+16))
	n, _, _ := enc.NewDecoder().Transform(dst, b, true) // what does not fit is not wanted
	return string(trimRune(dst[:n]))
}

// trimRune takes an incomplete character off the end.
func trimRune(b []byte) []byte {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return b[:i]
			}
			break
		}
	}
	return b
}

// lookup returns the encoding of a charset: nil for UTF-8, which is known, and for
// names of which nothing follows: ASCII, none and unknown ones.
func lookup(name string) (enc encoding.Encoding, known bool) {
	name = strings.ToLower(strings.Trim(name, " \t\"'"))
	switch name {
	case "utf-8", "utf8":
		return nil, true
	case "", "us-ascii", "ascii":
		return nil, false
	case "hz-gb-2312": // htmlindex does not decode it, for the sake of browsers
		return simplifiedchinese.HZGB2312, true
	}
	if len(name) > 64 {
		return nil, false
	}
	enc, err := htmlindex.Get(name)
	if err != nil || enc == encoding.Replacement {
		if enc, err = ianaindex.MIME.Encoding(name); err != nil || enc == nil {
			return nil, false
		}
	}
	if canonical, err := htmlindex.Name(enc); err == nil && canonical == "utf-8" {
		return nil, true
	}
	return enc, true
}

// pageCharset returns the charset that a page of HTML says it is in.
func pageCharset(page []byte) string {
	if _, name, certain := charset.DetermineEncoding(page, ""); certain || name != "windows-1252" {
		return name
	}
	return ""
}

// clean makes text of a header fit for people: valid UTF-8 on one line, without
// control characters. What is not UTF-8 is taken as windows-1252.
func clean(s string) string {
	if plain(s) {
		return s
	}
	if !utf8.ValidString(s) {
		s = toUTF8([]byte(s), "windows-1252", 3*len(s))
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case control(r):
			return -1
		}
		return r
	}, s)
}

// cleanLines makes lines of valid UTF-8 end in LF and takes control characters out.
func cleanLines(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= ' ' && c < 0x7f || c == '\n' || c == '\t':
			out = append(out, c)
		case c == '\r' && (i+1 == len(s) || s[i+1] != '\n'):
			out = append(out, '\n')
		case c == 0xC2 && i+1 < len(s) && s[i+1] < 0xA0: // U+0080 to U+009F
			i++
		case c >= utf8.RuneSelf:
			out = append(out, c)
		}
	}
	return string(out)
}

func control(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }

// plain reports whether s is printable ASCII.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
