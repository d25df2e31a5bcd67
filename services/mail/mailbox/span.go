package mailbox

import (
	"errors"
	"strconv"
	"strings"
)

// A Span is a part of the bytes as received.
type Span struct{ Offset, Length int }

var errSpans = errors.New("hidden fields overlap or are out of order")

// maxHidden is how many spans of one message are kept apart. The 100 longest lines of a group have to stay
// well below maxState.
const maxHidden = 200

// formatSpans writes spans, those that touch as one. Of too many, as only somebody hostile sends them, the last ones are
// hidden together with what is between.
func formatSpans(spans []Span) (string, error) {
	var list []Span
	end := 0
	for _, s := range spans {
		if s.Offset < end || s.Length <= 0 {
			return "", errSpans
		}
		if n := len(list); n > 0 && (s.Offset == end || n == maxHidden) {
			list[n-1].Length = s.Offset + s.Length - list[n-1].Offset
		} else {
			list = append(list, s)
		}
		end = s.Offset + s.Length
	}
	var b []byte
	for i, s := range list {
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
