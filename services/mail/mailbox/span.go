package mailbox

import (
	"errors"
	"strconv"
	"strings"
)

// A Span is a part of the bytes as received.
type Span struct{ Offset, Length int }

var errSpans = errors.New("hidden fields overlap or are out of order")

func formatSpans(spans []Span) (string, error) {
	var b []byte
	end := 0
	for i, s := range spans {
		if s.Offset < end || s.Length <= 0 || i == maxHidden {
			return "", errSpans
		}
		end = s.Offset + s.Length
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(s.Offset), 10)
		b = append(b, '+')
		b = strconv.AppendInt(b, int64(s.Length), 10)
	}
	return string(b), nil
}

func parseSpans(text string) ([]Span, error) {
	var spans []Span
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		offset, length, ok := strings.Cut(part, "+")
		o, err1 := strconv.ParseUint(offset, 10, 31)
		l, err2 := strconv.ParseUint(length, 10, 31)
		if !ok || err1 != nil || err2 != nil || len(spans) == maxHidden {
			return nil, errSpans
		}
		spans = append(spans, Span{int(o), int(l)})
	}
	if again, err := formatSpans(spans); err != nil || again != text {
		return nil, errSpans
	}
	return spans, nil
}
