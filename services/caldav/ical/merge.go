package ical

import (
	"bytes"
	"errors"
	"fmt"

	"cairn/services/caldav/line"
)

// ErrConflict says that two changes of one object cannot both be kept in it.
var ErrConflict = errors.New("both sides changed the same")

// conflict returns an ErrConflict that says where.
func conflict(where string) error { return fmt.Errorf("%.80s: %w", where, ErrConflict) }

// Merge returns an object with both changes of base, or an error that is
// ErrConflict. All three are whole objects; base is nil where both sides made the
// object. The result passes CheckObject.
//
// Changes of different properties are both kept. Those that say when something
// takes place count as one property, and so do those that say how far a task has
// come; attendees are told apart by address, overrides by RECURRENCE-ID, alarms by
// UID or else by all they say, the values of lists (CATEGORIES) and repeated
// properties (ATTACH, COMMENT) by themselves. Of what only grows (SEQUENCE, DTSTAMP,
// when an alarm was acknowledged) the greater is kept. Time zones are never mixed. A series that one side moved and the other made an exception
// to is a conflict.
func Merge(base, ours, theirs []byte) ([]byte, error) {
	switch {
	case bytes.Equal(ours, theirs), bytes.Equal(base, theirs):
		return ours, nil
	case bytes.Equal(base, ours):
		return theirs, nil
	}
	var sides [3]*Calendar
	for i, data := range [][]byte{base, ours, theirs} {
		if i == 0 && base == nil {
			sides[0] = New(&line.Component{Name: "VCALENDAR"})
			continue
		}
		c, err := Parse(data)
		if err != nil {
			return nil, conflict(err.Error())
		}
		sides[i] = c
	}
	b, o, t := sides[0], sides[1], sides[2]
	if o.UID != t.UID || o.Kind != t.Kind || base != nil && b.UID != o.UID {
		return nil, conflict("UID")
	}
	switch {
	case same(o.Root, t.Root), same(b.Root, t.Root):
		return ours, nil
	case same(b.Root, o.Root):
		return theirs, nil
	}
	if err := mergeable(b, o, t); err != nil {
		return nil, err
	}
	root, err := mergeComponent(b.Root, o.Root, t.Root)
	if err != nil {
		return nil, err
	}
	merged := New(root)
	if err := merged.CheckObject(); err != nil {
		return nil, conflict(err.Error())
	}
	if lost := merged.excepted(); lost != o.excepted() && lost != t.excepted() {
		return nil, conflict("an exception and an override of one instance")
	}
	return merged.Encode(), nil
}

// mergeable refuses what would merge into nonsense: a series that one side moved,
// where the other side changed single instances.
func mergeable(b, o, t *Calendar) error {
	was, ours, theirs := b.rhythm(), o.rhythm(), t.rhythm()
	if ours == theirs {
		return nil
	}
	if ours != was && t.overrides() != b.overrides() || theirs != was && o.overrides() != b.overrides() {
		return conflict("a series and single instances of it")
	}
	return nil
}

// rhythm is what the instances of a series are told apart by, as text.
func (c *Calendar) rhythm() string {
	var all []line.Line
	for _, child := range c.Root.Children {
		if child.Name != c.Kind || child.First("RECURRENCE-ID") != nil {
			continue
		}
		for _, l := range child.Lines {
			switch l.Name {
			case "DTSTART", "RRULE", "RDATE", "EXRULE":
				all = append(all, l)
			}
		}
	}
	return text(all)
}

// overrides are the times of all overrides, as text.
func (c *Calendar) overrides() string {
	var all []line.Line
	for _, child := range c.Root.Children {
		if child.First("RECURRENCE-ID") == nil {
			continue
		}
		for _, l := range child.Lines {
			if group(&l) == timeGroup {
				all = append(all, l)
			}
		}
	}
	return text(all)
}

// excepted returns how many overrides stand for instances that EXDATE takes out.
func (c *Calendar) excepted() (n int) {
	for _, s := range c.compiled().series {
		for i := 1; i < len(s.gone); i++ {
			if s.gone[i] == s.gone[i-1] {
				n++
			}
		}
	}
	return n
}

// mergeComponent merges the lines and the children of one component.
func mergeComponent(b, o, t *line.Component) (*line.Component, error) {
	out := &line.Component{Name: o.Name}
	bg, og, tg := groups(b), groups(o), groups(t)
	for _, g := range union(og, tg, bg) {
		lines, err := mergeGroup(g, bg.m[g], og.m[g], tg.m[g])
		if err != nil {
			return nil, err
		}
		out.Add(lines...)
	}
	bc, oc, tc := children(b), children(o), children(t)
	for _, key := range union(oc, tc, bc) {
		child, err := mergeChild(key, bc.m[key], oc.m[key], tc.m[key])
		if err != nil {
			return nil, err
		}
		if child != nil {
			out.Children = append(out.Children, child)
		}
	}
	return out, nil
}

// mergeChild merges one child; nil stands for none.
func mergeChild(key string, b, o, t *line.Component) (*line.Component, error) {
	switch {
	case same(o, t), same(b, t):
		return o, nil
	case same(b, o):
		return t, nil
	case o == nil || t == nil || o.Name == "VTIMEZONE": // half a zone of each would be none
		return nil, conflict(key)
	case b == nil:
		b = &line.Component{Name: o.Name}
	}
	return mergeComponent(b, o, t)
}
