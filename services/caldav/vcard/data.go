package vcard

import "cairn/services/caldav/line"

// Data says what of a card is wanted (RFC 6352 §10.4). The zero Data is all of it.
type Data struct {
	Version string     // V3 or V4; empty is the version that the card has
	Props   []DataProp // empty is all of them
}

// A DataProp names a property that is wanted.
type DataProp struct {
	Name    string // in any case, with a group or without as in PropFilter
	NoValue bool   // only its name and parameters
}

// Whole reports whether all of a card in the version that it has is wanted: its
// bytes as they came will do.
func (d *Data) Whole(version string) bool {
	return len(d.Props) == 0 && (d.Version == "" || d.Version == version)
}

// Project returns the text of what is wanted of the card. VERSION is always in it,
// because nothing can be read without.
func (d *Data) Project(c *Card) []byte {
	if d.Version != "" {
		c = c.Convert(d.Version)
	}
	if len(d.Props) == 0 {
		return c.Encode()
	}
	part := &Card{Version: c.Version}
	for i := range c.Lines {
		l := c.Lines[i]
		wanted, value := d.wants(&l)
		if !wanted && l.Name != "VERSION" {
			continue
		}
		if !value && l.Name != "VERSION" {
			l.Value = ""
		}
		part.Lines = append(part.Lines, l)
	}
	return part.Encode()
}

// wants reports whether a property is wanted, and whether with its value.
func (d *Data) wants(l *line.Line) (wanted, value bool) {
	for _, p := range d.Props {
		if isNamed(l, p.Name) {
			wanted, value = true, value || !p.NoValue
		}
	}
	return wanted, value
}
