package vcard

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"cairn/services/caldav/line"
)

// mend makes a card of lines that is good enough to be kept.
func mend(lines []string) *Card {
	c := &Card{Version: version(lines)}
	old := c.Version != V3 && c.Version != V4
	if old {
		c.Version = V3
	}
	c.Lines = append(c.Lines, line.Line{Name: "VERSION", Value: c.Version})
	seen := map[string]bool{"VERSION": true, "BEGIN": true, "END": true}
	for _, text := range lines {
		l := read(text, old)
		switch l.Name {
		case "UID", "VERSION", "BEGIN", "END":
			if seen[l.Name] || strings.TrimSpace(l.Value) == "" {
				continue
			}
			seen[l.Name] = true
		}
		c.Lines = append(c.Lines, l)
	}
	if fn := c.first("FN"); fn == nil || strings.TrimSpace(fn.Value) == "" {
		name := c.Name()
		if name == "" {
			name = "?"
		}
		c.Lines = append(without(c.Lines, "FN"), line.Line{Name: "FN", Value: line.Escape(name)})
	}
	if c.UID() == "" {
		c.Lines = append(c.Lines, line.Line{Name: "UID", Value: contentUID(c)})
	}
	return c
}

func without(lines []line.Line, name string) []line.Line {
	var kept []line.Line
	for _, l := range lines {
		if l.Name != name {
			kept = append(kept, l)
		}
	}
	return kept
}

// version returns what the card says that it is; 2.1 when it says nothing.
func version(lines []string) string {
	for _, text := range lines {
		if name, value, ok := strings.Cut(text, ":"); ok && strings.EqualFold(strings.TrimSpace(name), "VERSION") {
			return strings.TrimSpace(value)
		}
	}
	return "2.1"
}

// contentUID is a UUID made of the content (RFC 9562 §5.8).
func contentUID(c *Card) string {
	sum := sha256.Sum256(c.Encode())
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
