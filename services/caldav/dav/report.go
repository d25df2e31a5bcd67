package dav

import (
	"io"
	"net/http"
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
