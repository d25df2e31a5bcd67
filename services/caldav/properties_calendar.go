package caldav

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/shelf"
)

// calendarProperties are those of RFC 4791 §5.2, 6638 §9, 7809 §5, and of Apple's
// calendar program.
var calendarProperties = []property{
	{name: dav.Cal("calendar-description"), on: of(calendar), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		return some(r, name, n.col.Props().Description)
	}, set: text(func(p *shelf.Props) *string { return &p.Description })},
	{name: dav.Apple("calendar-color"), on: ordered, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		return some(r, name, cmp.Or(n.look.Color, n.col.Props().Color))
	}, set: text(func(p *shelf.Props) *string { return &p.Color })},
	{name: dav.Apple("calendar-order"), on: of(calendar), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		return some(r, name, cmp.Or(n.look.Order, n.col.Props().Order))
	}, set: text(func(p *shelf.Props) *string { return &p.Order })},
	{name: dav.Cal("calendar-timezone"), on: of(calendar), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		return some(r, name, n.col.Props().Timezone)
	}, set: setTimezone},
	{name: dav.Cal("calendar-timezone-id"), on: of(calendar), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		return some(r, name, n.col.Props().TimezoneID)
	}, set: setTimezoneID},
	{name: dav.Cal("supported-calendar-component-set"), on: of(calendar, inbox), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		kinds := n.col.Props().Components
		if len(kinds) == 0 {
			kinds = components
		}
		r.Value(name, func(b *dav.Builder) { writeComponents(b, kinds) })
		return true
	}, set: setComponents},
	{name: dav.Cal("supported-calendar-component-sets"), on: of(calendarHome), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Value(name, func(b *dav.Builder) {
			for _, c := range components {
				b.Start(dav.Cal("supported-calendar-component-set"))
				writeComponents(b, []string{c})
				b.End(dav.Cal("supported-calendar-component-set"))
			}
		})
		return true
	}},
	{name: dav.Cal("supported-calendar-data"), on: of(calendar, inbox), value: inner(dav.Build(func(b *dav.Builder) {
		b.Empty(dav.CalendarData, dav.At("content-type", "text/calendar"), dav.At("version", "2.0"))
	}))},
	{name: dav.Cal("min-date-time"), on: of(calendar, inbox), value: inner("00010101T000000Z")},
	{name: dav.Cal("max-date-time"), on: of(calendar, inbox), value: inner("99991231T235959Z")},
	{name: dav.Cal("max-instances"), on: of(calendar, inbox), value: number(maxInstances)},
	{name: dav.Cal("max-attendees-per-instance"), on: of(calendar, inbox), value: number(maxAttendees)},
	{name: dav.Cal("schedule-calendar-transp"), on: of(calendar), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		word := "opaque"
		if n.col.Props().Transparent || n.col.Conflicts() {
			word = "transparent"
		}
		r.Value(name, func(b *dav.Builder) { b.Empty(dav.Cal(word)) })
		return true
	}, set: setTransparent},
	{name: dav.CS("source"), on: of(calendar), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		s := n.col.Props().Source
		if s == nil || !n.access.owns() {
			return false
		}
		r.Hrefs(name, s.URL)
		return true
	}},
}

// components are what calendars can hold.
var components = []string{"VEVENT", "VTODO", "VJOURNAL"}

func writeComponents(b *dav.Builder, names []string) {
	for _, c := range names {
		b.Empty(dav.Cal("comp"), dav.At("name", c))
	}
}

// setTimezone takes a VCALENDAR with exactly one VTIMEZONE (RFC 4791 §5.2.2).
func setTimezone(p *shelf.Props, v *dav.Element, _ bool) *dav.Error {
	if v == nil {
		p.Timezone = ""
		return nil
	}
	t := v.Text()
	if _, err := ical.ParseZone([]byte(t)); err != nil {
		return dav.Violated(http.StatusForbidden, dav.Cal("valid-calendar-data"), "%s", err)
	}
	p.Timezone = t
	return nil
}

// setTimezoneID takes a name of the tz database (RFC 7809 §5.2).
func setTimezoneID(p *shelf.Props, v *dav.Element, _ bool) *dav.Error {
	id := v.Word()
	if _, ok := ical.Zone(id); v != nil && !ok {
		return dav.Violated(http.StatusForbidden, dav.Cal("valid-timezone"), "there is no timezone %.80q", id)
	}
	p.TimezoneID = id
	return nil
}

// setComponents says what a calendar holds, once and for all (RFC 4791 §5.2.3).
func setComponents(p *shelf.Props, v *dav.Element, making bool) *dav.Error {
	if !making {
		return dav.Violated(http.StatusForbidden, dav.D("cannot-modify-protected-property"), "this is said when a calendar is made")
	}
	p.Components = nil
	for c := range v.All(dav.Cal("comp")) {
		name := strings.ToUpper(c.Attr("name"))
		if !slices.Contains(components, name) {
			return dav.Violated(http.StatusForbidden, dav.Cal("supported-calendar-component"), "no calendar holds %.40q", name)
		}
		if !slices.Contains(p.Components, name) {
			p.Components = append(p.Components, name)
		}
	}
	if p.Components == nil {
		return dav.Errorf(http.StatusConflict, "a calendar holds something")
	}
	return nil
}

// setTransparent says whether a calendar counts as busy (RFC 6638 §9.1).
func setTransparent(p *shelf.Props, v *dav.Element, _ bool) *dav.Error {
	opaque, transparent := v.Child(dav.Cal("opaque")) != nil, v.Child(dav.Cal("transparent")) != nil
	if v != nil && opaque == transparent {
		return dav.Errorf(http.StatusConflict, "it is either opaque or transparent")
	}
	p.Transparent = transparent
	return nil
}
