package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// compareManifests finds the first line that differs.
func compareManifests(a, b *object) (*Difference, error) {
	x, err := manifestLines(a)
	if err != nil {
		return nil, err
	}
	y, err := manifestLines(b)
	if err != nil {
		return nil, err
	}
	for i := range max(len(x), len(y)) {
		if p, q := lineAt(x, i), lineAt(y, i); p != q {
			return &Difference{What: fmt.Sprintf("manifest, line %d", i+1), Image: quoteOrNone(p), Rebuilt: quoteOrNone(q)}, nil
		}
	}
	return nil, nil
}

// manifestLines is a manifest with a line a value.
func manifestLines(o *object) ([]string, error) {
	data, err := o.data(manifestSection, maxDocument)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", ""); err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	return strings.Split(b.String(), "\n"), nil
}

func lineAt(lines []string, i int) string {
	if i >= len(lines) {
		return ""
	}
	return lines[i]
}

// compareSections finds the first section that differs, and where it does.
func compareSections(a, b *object) (*Difference, error) {
	for i := range max(len(a.sections), len(b.sections)) {
		if i >= len(a.sections) || i >= len(b.sections) {
			return &Difference{What: "sections", Image: fmt.Sprint(len(a.sections)), Rebuilt: fmt.Sprint(len(b.sections))}, nil
		}
		s, t := a.sections[i], b.sections[i]
		if s.name != t.name {
			return &Difference{What: fmt.Sprintf("section %d", i), Image: quoteOrNone(s.name), Rebuilt: quoteOrNone(t.name)}, nil
		}
		if d, err := compareSection(a, b, s, t); d != nil || err != nil {
			return d, err
		}
	}
	return nil, nil
}

// compareSection compares what two sections hold first, since where they differ tells more than their sizes.
func compareSection(a, b *object, s, t section) (*Difference, error) {
	if s.kind != typeNobits && t.kind != typeNobits {
		x, err := a.read(s.offset, s.size)
		if err != nil {
			return nil, err
		}
		y, err := b.read(t.offset, t.size)
		if err != nil {
			return nil, err
		}
		if at := firstDifference(x, y); at < max(len(x), len(y)) {
			return &Difference{What: "section " + printable(s.name) + place(a, s, at), Image: byteAt(x, at), Rebuilt: byteAt(y, at)}, nil
		}
	}
	s.offset, t.offset = 0, 0
	if s != t {
		return &Difference{What: "section " + printable(s.name), Image: fmt.Sprintf("%d bytes at %#x", s.size, s.address), Rebuilt: fmt.Sprintf("%d bytes at %#x", t.size, t.address)}, nil
	}
	return nil, nil
}

// place is where in a section an offset is: in the function of that name, if it is one.
func place(o *object, s section, at int) string {
	where := fmt.Sprintf(", offset %#x (address %#x)", at, s.address+uint64(at))
	if s.name != ".text" {
		return where
	}
	data, err := o.data(tableSection, maxTable)
	if err != nil {
		return where
	}
	t, err := parseTable(data)
	if err != nil {
		return where
	}
	for i := range t.functions {
		f, _, err := t.function(i)
		if err != nil {
			return where
		}
		if uint64(at) >= f.start && uint64(at) < f.start+f.size {
			return ", in " + printable(f.name) + where
		}
	}
	return where
}

// firstDifference is the index of the first byte that differs, the length of both where
// there is none.
func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func byteAt(b []byte, i int) string {
	if i >= len(b) {
		return "no more"
	}
	return fmt.Sprintf("%#02x", b[i])
}
