package ical

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"

	"cairn/services/caldav/line"
)

// Split reads a text as programs export it, of any number of VCALENDARs and objects,
// and yields each object, with the time zones it names, as a Calendar of its own;
// where an object fails CheckObject, the error goes with it and the next one
// follows. A text that cannot be read at all yields (nil, error).
//
// METHOD and the properties of the collection (X-WR-CALNAME, …) are left out. A
// component without UID gets one that follows from what it says, the same each time.
func Split(data []byte) iter.Seq2[*Calendar, error] {
	return func(yield func(*Calendar, error) bool) {
		roots, bad := line.Parse(data)
		if bad != nil {
			_, err := Parse(data)
			yield(nil, err)
			return
		}
		for _, root := range roots {
			if root.Name != "VCALENDAR" {
				if !yield(nil, invalid("%.40s instead of VCALENDAR", root.Name)) {
					return
				}
				continue
			}
			for _, c := range objects(root) {
				if !yield(c, c.CheckObject()) {
					return
				}
			}
		}
	}
}

// objects takes a calendar apart, in the order in which its objects begin.
func objects(root *line.Component) []*Calendar {
	var all []*line.Component
	byUID := map[string]*line.Component{}
	for _, child := range root.Children {
		if !isKind(child.Name) {
			continue
		}
		uid := child.Value("UID")
		if uid == "" {
			sum := sha256.Sum256(child.Encode())
			uid = hex.EncodeToString(sum[:16])
			child.Set(line.Line{Name: "UID", Value: uid})
		}
		object, ok := byUID[child.Name+uid]
		if !ok {
			object = &line.Component{Name: root.Name}
			for _, name := range []string{"VERSION", "PRODID", "CALSCALE"} {
				object.Lines = slices.AppendSeq(object.Lines, values(root, name))
			}
			byUID[child.Name+uid] = object
			all = append(all, object)
		}
		object.Children = append(object.Children, child)
	}
	calendars := make([]*Calendar, len(all))
	for i, object := range all {
		object.Children = append(zonesOf(root, object), object.Children...)
		calendars[i] = New(object)
	}
	return calendars
}

func values(c *line.Component, name string) iter.Seq[line.Line] {
	return func(yield func(line.Line) bool) {
		for l := range c.All(name) {
			if !yield(*l) {
				return
			}
		}
	}
}

// zonesOf returns the time zones of root that c names.
func zonesOf(root, c *line.Component) (zones []*line.Component) {
	named := map[string]bool{}
	nameZones(c, named)
	for z := range root.Sub("VTIMEZONE") {
		if named[z.Value("TZID")] {
			zones = append(zones, z)
		}
	}
	return zones
}

// nameZones adds every TZID in c to named.
func nameZones(c *line.Component, named map[string]bool) {
	for i := range c.Lines {
		if tzid, ok := c.Lines[i].Param("TZID"); ok {
			named[tzid] = true
		}
	}
	for _, child := range c.Children {
		nameZones(child, named)
	}
}
