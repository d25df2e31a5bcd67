package feed

import (
	"bytes"
	"slices"
	"strconv"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// zones are the time zones that a feed has so far, by TZID.
type zones map[string][]byte

// settle returns an object's components with the time zones before them that are not in
// the feed yet. Two objects may have called different zones the same: unless it is
// a name that everybody knows, the later one's gets another.
func (z zones) settle(root *line.Component) (parts []*line.Component) {
	renamed := map[string]string{}
	for zone := range root.Sub("VTIMEZONE") {
		id, text := zone.Value("TZID"), zone.Encode()
		as := id
		if _, known := ical.Zone(id); !known {
			for n := 2; z[as] != nil && !bytes.Equal(z[as], text); n++ {
				as = id + " " + strconv.Itoa(n)
			}
		}
		if as != id {
			renamed[id] = as
		}
		if z[as] != nil {
			continue
		}
		z[as] = text
		if as != id {
			zone = zone.Clone()
			zone.Set(line.Line{Name: "TZID", Value: as})
		}
		parts = append(parts, zone)
	}
	for _, c := range root.Children {
		if c.Name == "VTIMEZONE" {
			continue
		}
		if len(renamed) > 0 {
			c = c.Clone()
			rename(c, renamed)
		}
		parts = append(parts, c)
	}
	return parts
}

// rename gives the times in a component other zones.
func rename(c *line.Component, names map[string]string) {
	for i := range c.Lines {
		l := &c.Lines[i]
		id, ok := l.Param("TZID")
		if as := names[id]; ok && as != "" {
			l.Params = slices.Clone(l.Params)
			l.SetParam("TZID", as)
		}
	}
	for _, child := range c.Children {
		rename(child, names)
	}
}
