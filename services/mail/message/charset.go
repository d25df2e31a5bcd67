package message

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// toUTF8 returns text of a charset as valid UTF-8, at most limit bytes. Text in a charset that
// nobody knows, and text that says UTF-8 and is not, is taken as windows-1252.
func toUTF8(b []byte, charset string, limit int) string {
	enc := lookup(charset)
	if enc == nil {
		if cut := b[:min(len(b), limit)]; utf8.Valid(b) || utf8.Valid(trimRune(cut)) {
			return string(trimRune(cut))
		}
		enc = charmap.Windows1252
	}
	dst := make([]byte, min(limit, 3*len(b)+16))
	n, _, _ := enc.NewDecoder().Transform(dst, b, true)
	return strings.ToValidUTF8(string(trimRune(dst[:n])), "\uFFFD")
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

// lookup returns the encoding of a charset; nil for UTF-8, ASCII and unknown names.
func lookup(charset string) encoding.Encoding {
	charset = strings.ToLower(strings.Trim(charset, " \t\"'"))
	switch charset {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return nil
	case "hz-gb-2312": // htmlindex refuses to decode it, for the sake of browsers
		return simplifiedchinese.HZGB2312
	}
	if len(charset) > 64 {
		return nil
	}
	enc, err := htmlindex.Get(charset)
	if err != nil || enc == encoding.Replacement {
		if enc, err = ianaindex.MIME.Encoding(charset); err != nil {
			return nil
		}
	}
	if name, _ := htmlindex.Name(enc); name == "utf-8" {
		return nil
	}
	return enc
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
		case r < ' ' || 0x7f <= r && r < 0xa0:
			return -1
		}
		return r
	}, s)
}
