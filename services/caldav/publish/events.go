package publish

import (
	"errors"
	"iter"
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/shelf"
)

// events yields the instances of a calendar's objects. Those that take place at
// another time are known without reading them.
func events(c *shelf.Collection, zone *time.Location) func(ical.TimeRange, int) iter.Seq2[ical.Instance, error] {
	return func(r ical.TimeRange, limit int) iter.Seq2[ical.Instance, error] {
		return func(yield func(ical.Instance, error) bool) {
			for res, err := range c.Resources() {
				if err == nil {
					err = each(c, res, r, zone, limit, yield)
				}
				if errors.Is(err, errStop) || err != nil && !yield(ical.Instance{}, err) {
					return
				}
			}
		}
	}
}

var errStop = errors.New("nobody wants more")

func each(c *shelf.Collection, res shelf.Resource, r ical.TimeRange, zone *time.Location, limit int, yield func(ical.Instance, error) bool) error {
	x, err := c.Event(res)
	if err != nil {
		return err
	}
	if x.Kind != "VEVENT" || x.Overlaps(r, zone) == ical.No {
		return nil
	}
	data, err := c.Read(res)
	if err != nil {
		return err
	}
	object, err := ical.Parse(data)
	if err != nil {
		return err
	}
	for in, err := range object.Instances(r, zone, limit) {
		if !yield(in, err) {
			return errStop
		}
	}
	return nil
}

// asked is how many objects are asked for the time zone of a calendar.
const asked = 20

// zoneOf is the time zone that the owner gave the calendar, or the one that most of a
// few of its events are in, or UTC.
func zoneOf(c *shelf.Collection) *time.Location {
	if zone, err := ical.ParseZone([]byte(c.Props().Timezone)); err == nil {
		return zone
	}
	if zone, ok := ical.Zone(c.Props().TimezoneID); ok {
		return zone
	}
	most, votes, n := time.UTC, map[string]int{}, 0
	for res, err := range c.Resources() {
		if n++; err != nil || n > asked {
			break
		}
		zone, ok := ical.Zone(zoneName(c, res))
		if !ok {
			continue
		}
		if votes[zone.String()]++; votes[zone.String()] > votes[most.String()] {
			most = zone
		}
	}
	return most
}

// zoneName is the TZID of when an event begins.
func zoneName(c *shelf.Collection, res shelf.Resource) string {
	data, err := c.Read(res)
	if err != nil {
		return ""
	}
	object, err := ical.Parse(data)
	if err != nil {
		return ""
	}
	for event := range object.Root.Sub("VEVENT") {
		if start := event.First("DTSTART"); start != nil {
			id, _ := start.Param("TZID")
			return id
		}
	}
	return ""
}
