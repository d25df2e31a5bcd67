package dav

import (
	"net/http"
	"strconv"

	"cairn/services/caldav/line"
)

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
			n.Space = spaceDAV
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
