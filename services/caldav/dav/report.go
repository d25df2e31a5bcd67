package dav

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
	"cairn/services/caldav/vcard"
)

// Report is the body of REPORT: one of the types of this file.
type Report interface{ Name() Name }

type (
	// CalendarQuery is RFC 4791 §9.5.
	CalendarQuery struct {
		Want
		Data     *ical.Data // how to show CALDAV:calendar-data, which is not in Props; nil if not asked for
		Filter   *ical.Filter
		Floating *time.Location // of times without a zone; nil if the request names none
	}
	// CalendarMultiget is RFC 4791 §9.10.
	CalendarMultiget struct {
		Want
		Data  *ical.Data // as in CalendarQuery
		Hrefs []string
	}
	// FreeBusyQuery is RFC 4791 §9.11.
	FreeBusyQuery struct{ Range ical.TimeRange }
	// AddressbookQuery is RFC 6352 §10.3.
	AddressbookQuery struct {
		Want
		Data   *vcard.Data // how to show CARDDAV:address-data, which is not in Props; nil if not asked for
		Filter *vcard.Filter
		Limit  int // most results, 0 for any number
	}
	// AddressbookMultiget is RFC 6352 §8.7.
	AddressbookMultiget struct {
		Want
		Data  *vcard.Data // as in AddressbookQuery
		Hrefs []string
	}
	// SyncCollection is RFC 6578 §6.1.
	SyncCollection struct {
		Want
		Token string // "" for an initial synchronisation
		Level Depth  // sync-level: DepthOne or DepthInfinity; DepthZero if the body names none
		Limit int    // 0 for any number
	}
	// PrincipalMatch is RFC 3744 §9.3.
	PrincipalMatch struct {
		Want
		Self     bool
		Property Name // zero if Self
	}
	// PrincipalPropertySearch is RFC 3744 §9.4.
	PrincipalPropertySearch struct {
		Want
		Searches   []PropertySearch
		AnyOf      bool // else all of Searches must match
		Everywhere bool // apply-to-principal-collection-set: not only below the request's resource
		Limit      int  // 0 for any number
	}
	// PrincipalSearchPropertySet is RFC 3744 §9.5.
	PrincipalSearchPropertySet struct{}
	// ACLPrincipalPropSet is RFC 3744 §9.2.
	ACLPrincipalPropSet struct{ Want }
	// ExpandProperty is RFC 3253 §3.8.
	ExpandProperty struct{ Properties []ExpandedProperty }
)

// PropertySearch looks in any of Props for Text, without regard to case (RFC 3744 §9.4). Where in the property it has to be
// is said by an attribute that Apple's clients send.
type PropertySearch struct {
	Props []Name
	Text  line.TextMatch
}

// ExpandedProperty is a property, and what to say of the resources whose hrefs it holds.
type ExpandedProperty struct {
	Name       Name
	Properties []ExpandedProperty
}

func (*CalendarQuery) Name() Name              { return Cal("calendar-query") }
func (*CalendarMultiget) Name() Name           { return Cal("calendar-multiget") }
func (*FreeBusyQuery) Name() Name              { return Cal("free-busy-query") }
func (*AddressbookQuery) Name() Name           { return Card("addressbook-query") }
func (*AddressbookMultiget) Name() Name        { return Card("addressbook-multiget") }
func (*SyncCollection) Name() Name             { return D("sync-collection") }
func (*PrincipalMatch) Name() Name             { return D("principal-match") }
func (*PrincipalPropertySearch) Name() Name    { return D("principal-property-search") }
func (*PrincipalSearchPropertySet) Name() Name { return D("principal-search-property-set") }
func (*ACLPrincipalPropSet) Name() Name        { return D("acl-principal-prop-set") }
func (*ExpandProperty) Name() Name             { return D("expand-property") }

// ReadReport reads the body of REPORT, at most 4 MiB of it. A report that is not known is 403 with
// DAV:supported-report (RFC 3253 §3.6).
func ReadReport(body io.Reader) (Report, error) {
	root, err := parse(body, report)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return nil, Errorf(http.StatusBadRequest, "REPORT needs a body")
	}
	read, ok := reports[root.Name]
	if !ok {
		return nil, Violated(http.StatusForbidden, D("supported-report"), "%.80q is not a report that is known", root.Name.Local)
	}
	w, _, err := wanted(root) // none of them is the same as an empty DAV:prop
	if err != nil {
		return nil, err
	}
	return read(root, w)
}

var reports = map[Name]func(*Element, Want) (Report, error){
	Cal("calendar-query"):              readCalendarQuery,
	Cal("calendar-multiget"):           readCalendarMultiget,
	Cal("free-busy-query"):             readFreeBusyQuery,
	Card("addressbook-query"):          readAddressbookQuery,
	Card("addressbook-multiget"):       readAddressbookMultiget,
	D("sync-collection"):               readSyncCollection,
	D("principal-match"):               readPrincipalMatch,
	D("principal-property-search"):     readPrincipalPropertySearch,
	D("principal-search-property-set"): func(*Element, Want) (Report, error) { return &PrincipalSearchPropertySet{}, nil },
	D("acl-principal-prop-set"):        func(_ *Element, w Want) (Report, error) { return &ACLPrincipalPropSet{w}, nil },
	D("expand-property"):               readExpandProperty,
}

func readCalendarQuery(e *Element, w Want) (Report, error) {
	q := &CalendarQuery{Want: w}
	f := e.Child(Cal("filter"))
	if f == nil {
		return nil, invalidFilter("calendar-query has no filter")
	}
	var err error
	if q.Filter, err = calendarFilter(f); err != nil {
		return nil, err
	}
	if q.Data, err = calendarData(&q.Want); err != nil {
		return nil, err
	}
	q.Floating, err = floating(e)
	return q, err
}

func readCalendarMultiget(e *Element, w Want) (Report, error) {
	m := &CalendarMultiget{Want: w, Hrefs: e.Hrefs()}
	if err := someHrefs(m.Hrefs); err != nil {
		return nil, err
	}
	var err error
	m.Data, err = calendarData(&m.Want)
	return m, err
}

func readAddressbookMultiget(e *Element, w Want) (Report, error) {
	m := &AddressbookMultiget{Want: w, Hrefs: e.Hrefs()}
	if err := someHrefs(m.Hrefs); err != nil {
		return nil, err
	}
	var err error
	m.Data, err = addressData(&m.Want)
	return m, err
}

func someHrefs(hrefs []string) error {
	if len(hrefs) == 0 {
		return Errorf(http.StatusBadRequest, "multiget names no href")
	}
	return nil
}

func readFreeBusyQuery(e *Element, _ Want) (Report, error) {
	r, err := wholeRange(e.Child(Cal("time-range")))
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, Errorf(http.StatusBadRequest, "free-busy-query has no time-range")
	}
	return &FreeBusyQuery{*r}, nil
}

func readAddressbookQuery(e *Element, w Want) (Report, error) {
	q := &AddressbookQuery{Want: w}
	f := e.Child(Card("filter"))
	if f == nil {
		return nil, Errorf(http.StatusBadRequest, "addressbook-query has no filter")
	}
	var err error
	if q.Filter, err = addressbookFilter(f); err != nil {
		return nil, err
	}
	if q.Data, err = addressData(&q.Want); err != nil {
		return nil, err
	}
	q.Limit, err = nresults(e, Card("limit"), Card("nresults"))
	return q, err
}

func readSyncCollection(e *Element, w Want) (Report, error) {
	s := &SyncCollection{Want: w, Token: e.Child(D("sync-token")).Word()}
	if e.Child(D("sync-token")) == nil {
		return nil, Errorf(http.StatusBadRequest, "sync-collection has no sync-token")
	}
	switch e.Child(D("sync-level")).Word() {
	case "": // RFC 6578 Appendix A: older clients say it by the Depth header
	case "1":
		s.Level = DepthOne
	case "infinite":
		s.Level = DepthInfinity
	default:
		return nil, Errorf(http.StatusBadRequest, "sync-level is 1 or infinite")
	}
	var err error
	s.Limit, err = nresults(e, D("limit"), D("nresults"))
	return s, err
}

func readPrincipalMatch(e *Element, w Want) (Report, error) {
	m := &PrincipalMatch{Want: w, Self: e.Child(D("self")) != nil}
	if p := e.Child(D("principal-property")); p != nil && !m.Self {
		for c := range p.Elements() {
			m.Property = c.Name
			break
		}
	}
	if !m.Self && m.Property == (Name{}) {
		return nil, Errorf(http.StatusBadRequest, "principal-match names neither self nor a property")
	}
	return m, nil
}

func readPrincipalPropertySearch(e *Element, w Want) (Report, error) {
	s := &PrincipalPropertySearch{
		Want:       w,
		AnyOf:      e.Attr("test") == "anyof",
		Everywhere: e.Child(D("apply-to-principal-collection-set")) != nil,
	}
	for p := range e.All(D("property-search")) {
		match := p.Child(D("match"))
		props := p.Child(nameProp)
		if match == nil || props == nil {
			return nil, Errorf(http.StatusBadRequest, "a property-search needs prop and match")
		}
		s.Searches = append(s.Searches, PropertySearch{props.Names(), line.TextMatch{
			Text:      match.Text(),
			Collation: line.UnicodeCasemap,
			Type:      matchTypes[match.Attr("match-type")],
		}})
	}
	if len(s.Searches) == 0 {
		return nil, Errorf(http.StatusBadRequest, "principal-property-search searches for nothing")
	}
	var err error
	s.Limit, err = nresults(e, D("limit"), D("nresults"))
	if s.Limit == 0 && err == nil {
		s.Limit, err = nresults(e, CS("limit"), CS("nresults"))
	}
	return s, err
}

func readExpandProperty(e *Element, _ Want) (Report, error) {
	list, err := expanded(e)
	return &ExpandProperty{list}, err
}

// expanded reads the DAV:property elements right below e. Their names are attributes, so nobody has looked yet
// whether they are names.
func expanded(e *Element) ([]ExpandedProperty, error) {
	var list []ExpandedProperty
	for p := range e.All(D("property")) {
		n := Name{Space: p.Attr("namespace"), Local: p.Attr("name")}
		if n.Space == "" {
			n.Space = SpaceDAV
		}
		if !isNCName(n.Local) || len(n.Space) > maxSpace {
			return nil, Errorf(http.StatusBadRequest, "%.40q is not the name of a property", n.Local)
		}
		below, err := expanded(p)
		if err != nil {
			return nil, err
		}
		list = append(list, ExpandedProperty{n, below})
	}
	return list, nil
}

// nresults reads a limit, 0 if there is none.
func nresults(e *Element, limit, number Name) (int, error) {
	l := e.Child(limit)
	if l == nil {
		return 0, nil
	}
	n, err := strconv.ParseUint(l.Child(number).Word(), 10, 31)
	if err != nil || n == 0 {
		return 0, Errorf(http.StatusBadRequest, "nresults is a positive number")
	}
	return int(n), nil
}
