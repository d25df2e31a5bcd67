package message

import "strings"

// MaxPreview is how long a preview gets, in characters (RFC 8970 §3.1 allows 256).
const MaxPreview = 200

// Preview returns the beginning of what a message says, for lists of messages: at
// most MaxPreview characters on one line (RFC 8970). Quotations and attachments are left out
// if there is anything else.
func Preview(raw []byte) string {
	for p := range Parts(raw) {
		if p.Disposition == "attachment" {
			continue
		}
		if s := summary(p.Text(16 << 10)); s != "" {
			return s
		}
	}
	return ""
}

// summary puts text on one line and cuts it.
func summary(text string) string {
	var out strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, ">") {
			continue
		}
		if strings.TrimRight(line, "\r\n") == "-- " {
			break
		}
		for word := range strings.FieldsSeq(line) {
			if n > 0 {
				word = " " + word
			}
			for _, r := range word {
				if n == MaxPreview {
					return strings.TrimSpace(out.String())
				}
				out.WriteRune(r)
				n++
			}
		}
	}
	return out.String()
}
