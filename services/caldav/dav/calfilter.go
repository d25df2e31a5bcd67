package dav

import (
	"net/http"
	"strings"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// maxConditions bounds the conditions of one filter, for each is asked of each object.
const maxConditions = 200

// filterReader reads a filter of CalDAV or CardDAV and counts its conditions.
type filterReader struct {
	name func(string) Name // Cal or Card
	left int
}

func newFilterReader(name func(string) Name) *filterReader {
	return &filterReader{name: name, left: maxConditions}
}

// calendarFilter reads CALDAV:filter (RFC 4791 §9.7).
func calendarFilter(e *Element) (*ical.Filter, error) {
	r := newFilterReader(Cal)
	roots := e.Names()
	if len(roots) != 1 || roots[0] != Cal("comp-filter") {
		return nil, invalidFilter("filter holds one comp-filter")
	}
	f, err := r.comp(e.Child(Cal("comp-filter")))
	if err != nil {
		return nil, err
	}
	if f.Name != "VCALENDAR" {
		return nil, invalidFilter("the outermost comp-filter is that of VCALENDAR")
	}
	if f.Range != nil {
		return nil, invalidFilter("VCALENDAR takes no time")
	}
	return &ical.Filter{Comp: f}, nil
}

func invalidFilter(format string, args ...any) error {
	return Violated(http.StatusForbidden, Cal("valid-filter"), format, args...)
}

// count takes one condition off those that are left.
func (r *filterReader) count() error {
	if r.left--; r.left < 0 {
		return Violated(http.StatusForbidden, r.name("supported-filter"), "a filter has at most %d conditions", maxConditions)
	}
	return nil
}

// begin takes one condition, whose name is an attribute and which may hold only those elements.
func (r *filterReader) begin(e *Element, may string) (name string, err error) {
	if err := r.count(); err != nil {
		return "", err
	}
	for c := range e.Elements() {
		if c.Name.Space == r.name("").Space && !strings.Contains(" "+may+" ", " "+c.Name.Local+" ") {
			return "", Violated(http.StatusForbidden, r.name("supported-filter"), "%s does not hold %.40s", e.Name.Local, c.Name.Local)
		}
	}
	name = strings.ToUpper(e.Attr("name"))
	if name == "" {
		return "", r.invalid("a %s has no name", e.Name.Local)
	}
	if e.Child(r.name("is-not-defined")) != nil && len(e.Names()) > 1 {
		return "", r.invalid("what is not defined meets no other condition")
	}
	return name, nil
}

// invalid says that a filter makes no sense. CardDAV has no name for that (RFC 6352 §8.6).
func (r *filterReader) invalid(format string, args ...any) error {
	if r.name("").Space == spaceCalDAV {
		return invalidFilter(format, args...)
	}
	return Errorf(http.StatusBadRequest, format, args...)
}

func (r *filterReader) comp(e *Element) (f ical.CompFilter, err error) {
	if f.Name, err = r.begin(e, "is-not-defined time-range prop-filter comp-filter"); err != nil {
		return f, err
	}
	f.NotDefined = e.Child(Cal("is-not-defined")) != nil
	if f.Range, err = timeRange(e.Child(Cal("time-range"))); err != nil {
		return f, err
	}
	for c := range e.All(Cal("prop-filter")) {
		p, err := r.prop(c)
		if err != nil {
			return f, err
		}
		f.Props = append(f.Props, p)
	}
	for c := range e.All(Cal("comp-filter")) {
		sub, err := r.comp(c)
		if err != nil {
			return f, err
		}
		f.Comps = append(f.Comps, sub)
	}
	return f, nil
}

func (r *filterReader) prop(e *Element) (f ical.PropFilter, err error) {
	if f.Name, err = r.begin(e, "is-not-defined time-range text-match param-filter"); err != nil {
		return f, err
	}
	f.NotDefined = e.Child(Cal("is-not-defined")) != nil
	if f.Range, err = timeRange(e.Child(Cal("time-range"))); err != nil {
		return f, err
	}
	if f.Text, err = r.text(e.Child(Cal("text-match"))); err != nil {
		return f, err
	}
	if f.Range != nil && f.Text != nil {
		return f, invalidFilter("a prop-filter holds a time or a text, not both")
	}
	for c := range e.All(Cal("param-filter")) {
		p, err := r.param(c)
		if err != nil {
			return f, err
		}
		f.Params = append(f.Params, p)
	}
	return f, nil
}

func (r *filterReader) param(e *Element) (f ical.ParamFilter, err error) {
	if f.Name, err = r.begin(e, "is-not-defined text-match"); err != nil {
		return f, err
	}
	f.NotDefined = e.Child(Cal("is-not-defined")) != nil
	f.Text, err = r.text(e.Child(Cal("text-match")))
	return f, err
}

// text reads CALDAV:text-match (RFC 4791 §9.7.5), nil if e is.
func (r *filterReader) text(e *Element) (*ical.TextMatch, error) {
	if e == nil {
		return nil, nil
	}
	c, err := r.collation(e, line.ASCIICasemap)
	if err != nil {
		return nil, err
	}
	negate, err := r.negate(e)
	return &ical.TextMatch{Text: e.Text(), Collation: c, Negate: negate}, err
}

func (r *filterReader) negate(e *Element) (bool, error) {
	switch e.Attr("negate-condition") {
	case "", "no":
		return false, nil
	case "yes":
		return true, nil
	}
	return false, r.invalid("negate-condition is yes or no")
}

// collation reads the attribute of that name; "default" is the server's to choose (RFC 4790 §3.1).
func (r *filterReader) collation(e *Element, missing line.Collation) (line.Collation, error) {
	c := line.Collation(e.Attr("collation"))
	switch {
	case c == "" || c == "default":
		return missing, nil
	case !c.Known():
		return "", Violated(http.StatusForbidden, r.name("supported-collation"), "collation %.40q is not known", string(c))
	}
	return c, nil
}
