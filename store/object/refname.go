package object

import "strings"

// ValidRefName says whether git check-ref-format accepts the name: at least two
// elements, none empty, beginning with a dot or ending in .lock; no two
// dots in a row, no control character, space or any of ~^:?*[\, no "@{"; no dot at the end.
func ValidRefName(name string) bool {
	if !strings.Contains(name, "/") || strings.HasSuffix(name, ".") ||
		strings.Contains(name, "..") || strings.Contains(name, "@{") {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`~^:?*[\`, c) >= 0 {
			return false
		}
	}
	for element := range strings.SplitSeq(name, "/") {
		if element == "" || element[0] == '.' || strings.HasSuffix(element, ".lock") {
			return false
		}
	}
	return true
}
