package dav

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/vcard"
)

// take returns what the request says of one property it asks for, or nil, and no longer counts it among Props.
func (w *Want) take(n Name) *Element {
	i := slices.Index(w.Props, n)
	if i < 0 || w.AllProp {
		return nil
	}
	e := w.elements[i]
	w.Props = slices.Delete(w.Props, i, i+1)
	w.elements = slices.Delete(w.elements, i, i+1)
	return e
}

// calendarData reads CALDAV:calendar-data (RFC 4791 §9.6); nil if it is not asked for.
func calendarData(w *Want) (*ical.Data, error) {
	e := w.take(CalendarData)
	if e == nil {
		return nil, nil
	}
	if t, v := e.Attr("content-type"), e.Attr("version"); !mediaType(t, "text/calendar") || v != "" && v != "2.0" {
		return nil, Violated(http.StatusForbidden, Cal("supported-calendar-data"), "calendars are had as text/calendar of version 2.0")
	}
	d := &ical.Data{}
	left := maxParts
	if c := e.Child(Cal("comp")); c != nil {
		comp, err := compData(c, &left)
		if err != nil {
			return nil, err
		}
		d.Comp = &comp
	}
	for _, part := range []struct {
		name string
		to   **ical.TimeRange
	}{{"expand", &d.Expand}, {"limit-recurrence-set", &d.LimitRecurrence}, {"limit-freebusy-set", &d.LimitFreeBusy}} {
		var err error
		if *part.to, err = wholeRange(e.Child(Cal(part.name))); err != nil {
			return nil, err
		}
	}
	if d.Expand != nil && d.LimitRecurrence != nil {
		return nil, Errorf(http.StatusBadRequest, "recurrences are expanded or limited, not both")
	}
	return d, nil
}

// maxParts bounds how many properties and components of an object one request can choose, for each is
// looked for in each object.
const maxParts = 500

// part reads the name of a prop or comp, and counts it.
func part(e *Element, left *int) (string, error) {
	if *left--; *left < 0 {
		return "", Errorf(http.StatusRequestEntityTooLarge, "more than %d parts of an object", maxParts)
	}
	if e.Attr("name") == "" {
		return "", Errorf(http.StatusBadRequest, "a %s has no name", e.Name.Local)
	}
	return strings.ToUpper(e.Attr("name")), nil
}

// compData reads CALDAV:comp (RFC 4791 §9.6.1). One that holds nothing is all of its component, as the example of §7.8.1 has
// it for VTIMEZONE.
func compData(e *Element, left *int) (c ical.CompData, err error) {
	if c.Name, err = part(e, left); err != nil {
		return c, err
	}
	nothing := len(e.Names()) == 0
	c.AllProps = nothing || e.Child(Cal("allprop")) != nil
	c.AllComps = nothing || e.Child(Cal("allcomp")) != nil
	for p := range e.All(Cal("prop")) {
		name, err := part(p, left)
		if err != nil {
			return c, err
		}
		c.Props = append(c.Props, ical.PropData{Name: name, NoValue: p.Attr("novalue") == "yes"})
	}
	for sub := range e.All(Cal("comp")) {
		s, err := compData(sub, left)
		if err != nil {
			return c, err
		}
		c.Comps = append(c.Comps, s)
	}
	return c, nil
}

// addressData reads CARDDAV:address-data (RFC 6352 §10.4); nil if it is not asked for. A request that names no version
// asks for 3.0, which is what those clients understand that know of no other.
func addressData(w *Want) (*vcard.Data, error) {
	e := w.take(AddressData)
	if e == nil {
		return nil, nil
	}
	d := &vcard.Data{Version: vcard.V3}
	if v := e.Attr("version"); v != "" {
		d.Version = v
	}
	if !mediaType(e.Attr("content-type"), "text/vcard") || d.Version != vcard.V3 && d.Version != vcard.V4 {
		return nil, Violated(http.StatusForbidden, Card("supported-address-data"), "cards are had as text/vcard of version 3.0 or 4.0")
	}
	if e.Child(Card("allprop")) != nil {
		return d, nil
	}
	left := maxParts
	for p := range e.All(Card("prop")) {
		name, err := part(p, &left)
		if err != nil {
			return nil, err
		}
		d.Props = append(d.Props, vcard.DataProp{Name: name, NoValue: p.Attr("novalue") == "yes"})
	}
	return d, nil
}

// mediaType reports whether t is want, which it is too if it is not given. Parameters do not count.
func mediaType(t, want string) bool {
	t, _, _ = strings.Cut(t, ";")
	t = strings.TrimSpace(t)
	return t == "" || strings.EqualFold(t, want)
}

// floating reads which zone a query wants for times without one: CALDAV:timezone (RFC 4791 §9.8) or
// CALDAV:timezone-id (RFC 7809 §5.2); nil if it names none.
func floating(e *Element) (*time.Location, error) {
	if z := e.Child(Cal("timezone")); z != nil {
		loc, err := ical.ParseZone([]byte(z.Text()))
		if err != nil {
			return nil, Violated(http.StatusForbidden, Cal("valid-calendar-data"), "the time zone: %s", err)
		}
		return loc, nil
	}
	if z := e.Child(Cal("timezone-id")); z != nil {
		loc, ok := ical.Zone(z.Word())
		if !ok {
			return nil, Violated(http.StatusForbidden, Cal("valid-timezone"), "time zone %.80q is not known", z.Word())
		}
		return loc, nil
	}
	return nil, nil
}
