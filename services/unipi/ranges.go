package unipi

import (
	"errors"
	"strconv"
	"strings"
)

// maxRanges is how many ranges one request may name; with more, the whole is
// sent (RFC 9110, section 14.2, allows it).
const maxRanges = 16

var (
	// errRange says that no range lies within the content: 416.
	errRange = errors.New("range not satisfiable")
	// errNoRange says that the header is to be ignored: malformed, another
	// unit, or more than it is worth.
	errNoRange = errors.New("range ignored")
)

// A span is length bytes of content from byte start.
type span struct{ start, length int64 }

func (s span) contentRange(size int64) string {
	return "bytes " + strconv.FormatInt(s.start, 10) + "-" + strconv.FormatInt(s.start+s.length-1, 10) + "/" + strconv.FormatInt(size, 10)
}

// parseRange reads a Range header for content of size bytes (RFC 9110,
// section 14.1.2). The result has at least one span and each is at least one byte.
// Ranges that together ask for more than the content are ignored, so that a
// request cannot make an answer larger than the file.
func parseRange(header string, size int64) ([]span, error) {
	list, ok := strings.CutPrefix(header, "bytes=")
	if !ok || strings.Count(list, ",") >= maxRanges {
		return nil, errNoRange
	}
	var spans []span
	var total int64
	named := false
	for item := range strings.SplitSeq(list, ",") {
		item = strings.Trim(item, " \t")
		if item == "" {
			continue
		}
		named = true
		s, err := parseSpan(item, size)
		if err == errNoRange {
			return nil, err
		}
		if err == nil {
			spans = append(spans, s)
			total += s.length
		}
	}
	switch {
	case !named || len(spans) > 1 && total > size:
		return nil, errNoRange
	case len(spans) == 0:
		return nil, errRange
	}
	return spans, nil
}

// ascending reports whether each span begins where the one before ends, or later.
func ascending(spans []span) bool {
	for i := 1; i < len(spans); i++ {
		if before := spans[i-1]; spans[i].start < before.start+before.length {
			return false
		}
	}
	return true
}

// parseSpan reads "first-last", "first-" or "-suffix".
func parseSpan(item string, size int64) (span, error) {
	first, last, ok := strings.Cut(item, "-")
	if !ok || !digits(first) || !digits(last) || first == "" && last == "" {
		return span{}, errNoRange
	}
	if first == "" {
		n := min(number(last), size)
		if n == 0 {
			return span{}, errRange
		}
		return span{size - n, n}, nil
	}
	start, end := number(first), size-1
	if last != "" {
		if number(last) < start {
			return span{}, errNoRange
		}
		end = min(end, number(last))
	}
	if start >= size {
		return span{}, errRange
	}
	return span{start, end - start + 1}, nil
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// number returns the value of a string of digits, or a very large one.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 1 << 62
	}
	return n
}
