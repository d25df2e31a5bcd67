package caldav

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/shelf"
)

// collectionProperties are those that calendars and address books have alike.
var collectionProperties = []property{
	{name: dav.DisplayName, on: ordered, all: true, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		return some(r, name, n.displayName())
	}, set: text(func(p *shelf.Props) *string { return &p.DisplayName })},
	{name: dav.CS("getctag"), on: ordered | of(inbox), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Text(name, n.col.CTag())
		return true
	}},
	{name: dav.Cal("max-resource-size"), on: of(calendar, inbox), value: maxResource},
	{name: dav.Card("max-resource-size"), on: of(addressbook), value: maxResource},
	{name: dav.Cal("supported-collation-set"), on: of(calendar, inbox), value: inner(collationsXML(dav.Cal))},
	{name: dav.Card("supported-collation-set"), on: of(addressbook), value: inner(collationsXML(dav.Card))},
	{name: dav.CS("allowed-sharing-modes"), on: ordered, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		if !n.access.owns() {
			return false
		}
		r.Value(name, func(b *dav.Builder) { b.Empty(dav.CS("can-be-shared")) })
		return true
	}},
	{name: dav.CS("invite"), on: ordered, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Value(name, func(b *dav.Builder) { x.writeInvite(b, n) })
		return true
	}},
	{name: dav.D("share-access"), on: ordered, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Value(name, func(b *dav.Builder) { b.Empty(dav.D(n.shareAccess())) })
		return true
	}},
}

// displayName is what a collection is called: one that somebody else shares by their
// name too, unless the user calls it otherwise.
func (n *node) displayName() string {
	name := n.col.Props().DisplayName
	if n.access.owns() {
		return name
	}
	return cmp.Or(n.look.DisplayName, cmp.Or(name, n.col.Name)+" ("+called(n.person)+")")
}

// some gives a text if there is any.
func some(r *dav.Response, name dav.Name, value string) bool {
	if value == "" {
		return false
	}
	r.Text(name, value)
	return true
}

// inner gives a value that is the same everywhere.
func inner(xml string) func(*exchange, *node, *dav.Response, dav.Name) bool {
	return func(_ *exchange, _ *node, r *dav.Response, name dav.Name) bool {
		r.Inner(name, xml)
		return true
	}
}

func number(n int) func(*exchange, *node, *dav.Response, dav.Name) bool {
	return inner(strconv.Itoa(n))
}

func maxResource(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
	r.Text(name, strconv.FormatInt(x.Shelf.MaxResource(), 10))
	return true
}

// text sets a property that is text, of 1 KiB at most.
func text(field func(*shelf.Props) *string) setter {
	return func(p *shelf.Props, v *dav.Element, _ bool) *dav.Error {
		t := ""
		if v != nil {
			t = v.Text()
		}
		if len(t) > 1<<10 {
			return dav.Errorf(http.StatusInsufficientStorage, "this is too long")
		}
		*field(p) = t
		return nil
	}
}

// collationsXML lists what text can be compared by (RFC 4790).
func collationsXML(space func(string) dav.Name) string {
	return dav.Build(func(b *dav.Builder) {
		for _, c := range []string{"i;ascii-casemap", "i;octet", "i;unicode-casemap"} {
			b.Element(space("supported-collation"), c)
		}
	})
}

// shareAccess is what a resource's sharing looks like to the user.
func (n *node) shareAccess() string {
	switch {
	case n.access.owns() && len(n.sharees()) > 0:
		return "shared-owner"
	case n.access.owns():
		return "not-shared"
	case n.access == accessWrite:
		return "read-write"
	}
	return "read"
}

// writeInvite says who takes part in a shared collection. Only its owner learns
// who the others are.
func (x *exchange) writeInvite(b *dav.Builder, n *node) {
	b.Start(dav.CS("organizer"))
	b.Href(principalHref(n.person.Name))
	b.Element(dav.CS("common-name"), called(n.person))
	b.End(dav.CS("organizer"))
	for _, name := range n.sharees() {
		if !n.access.owns() && name != x.user.Name {
			continue
		}
		u, err := x.Accounts.User(x.ctx(), name)
		if err != nil {
			continue // who is no more
		}
		access := "read"
		if n.col.Access(name) == shelf.ReadWrite {
			access = "read-write"
		}
		b.Start(dav.CS("user"))
		b.Href(principalHref(name))
		b.Element(dav.CS("common-name"), called(u))
		b.Empty(dav.CS("invite-accepted"))
		b.Start(dav.CS("access"))
		b.Empty(dav.CS(access))
		b.End(dav.CS("access"))
		b.End(dav.CS("user"))
	}
}

// quota is how much a person has and may have besides, -1 for no limit (RFC 4331).
func (x *exchange) quota(n *node) (used, free int64, err error) {
	s, err := x.Shelf.Snapshot(x.ctx(), n.owner)
	if err != nil {
		return 0, 0, err
	}
	if used, err = x.usedBytes(s); err != nil {
		return 0, 0, err
	}
	if x.Shelf.Quota() == 0 {
		return used, -1, nil
	}
	return used, max(0, x.Shelf.Quota()-used), nil
}

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

// contactProperties are those of RFC 6352 §6.2.
var contactProperties = []property{
	{name: dav.Card("addressbook-description"), on: of(addressbook), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		return some(r, name, n.col.Props().Description)
	}, set: text(func(p *shelf.Props) *string { return &p.Description })},
	{name: dav.Card("supported-address-data"), on: of(addressbook), value: inner(dav.Build(func(b *dav.Builder) {
		for _, v := range []string{"3.0", "4.0"} {
			b.Empty(dav.Card("address-data-type"), dav.At("content-type", "text/vcard"), dav.At("version", v))
		}
	}))},
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
