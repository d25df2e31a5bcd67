package caldav

import (
	"strconv"

	"cairn/services/caldav/dav"
)

// webdavProperties are those of RFC 4918 §15, 3253 §3.1, 4331 and 6578.
var webdavProperties = []property{
	{name: dav.ResourceType, on: everywhere, all: true, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Inner(name, n.resourceType())
		return true
	}},
	{name: dav.DisplayName, on: of(principal), all: true, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Text(name, called(n.person))
		return true
	}},
	{name: dav.GetETag, on: leaves, all: true, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Text(name, n.etag())
		return true
	}},
	{name: dav.GetContentType, on: leaves, all: true, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Text(name, n.contentType())
		return true
	}},
	{name: dav.GetLength, on: leaves, all: true, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		size, err := n.size()
		if err != nil {
			return false
		}
		r.Text(name, strconv.FormatInt(size, 10))
		return true
	}},
	{name: dav.D("supportedlock"), on: own, all: true, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Inner(name, supportedLockXML)
		return true
	}},
	{name: dav.D("lockdiscovery"), on: own, all: true, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Value(name, func(b *dav.Builder) { x.writeLocks(b, n) })
		return true
	}},
	{name: dav.D("supported-report-set"), on: everywhere, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Inner(name, reportsXML[n.kind])
		return true
	}},
	{name: dav.D("supported-method-set"), on: everywhere, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Inner(name, methodsXML[n.kind])
		return true
	}},
	{name: dav.D("quota-used-bytes"), on: own & collections, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		used, _, err := x.quota(n)
		if err != nil {
			return false
		}
		r.Text(name, strconv.FormatInt(used, 10))
		return true
	}},
	{name: dav.D("quota-available-bytes"), on: own & collections, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		_, free, err := x.quota(n)
		if err != nil || free < 0 {
			return false
		}
		r.Text(name, strconv.FormatInt(free, 10))
		return true
	}},
	{name: dav.D("sync-token"), on: ordered | of(inbox), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Text(name, n.col.Token())
		return true
	}},
}

// reports says which resources answer which reports (RFC 3253 §3.1.5).
var reports = []struct {
	name dav.Name
	on   kinds
}{
	{dav.Cal("calendar-query"), of(calendarHome, calendar, inbox, event)},
	{dav.Cal("calendar-multiget"), of(calendarHome, calendar, inbox, event)},
	{dav.Cal("free-busy-query"), of(calendarHome, calendar)},
	{dav.Card("addressbook-query"), of(contactHome, addressbook, card)},
	{dav.Card("addressbook-multiget"), of(contactHome, addressbook, card)},
	{dav.D("sync-collection"), ordered | of(inbox)},
	{dav.D("expand-property"), everywhere},
	{dav.D("principal-match"), of(root, principals, principal, calendarHome, contactHome)},
	{dav.D("principal-property-search"), of(root, principals, principal, calendarHome, contactHome)},
	{dav.D("principal-search-property-set"), of(root, principals, principal, calendarHome, contactHome)},
	{dav.D("acl-principal-prop-set"), own},
}

// answersReport reports whether resources of a kind answer a report.
func answersReport(name dav.Name, k kind) bool {
	for _, r := range reports {
		if r.name == name {
			return r.on.has(k)
		}
	}
	return false
}

// Values that depend on the kind alone.
var (
	reportsXML, methodsXML = func() (rs, ms [file + 1]string) {
		for k := range file + 1 {
			rs[k] = dav.Build(func(b *dav.Builder) { writeReports(b, k) })
			ms[k] = dav.Build(func(b *dav.Builder) { writeMethods(b, k) })
		}
		return rs, ms
	}()
	supportedLockXML = dav.Build(func(b *dav.Builder) {
		for _, scope := range []string{"exclusive", "shared"} {
			b.Start(dav.D("lockentry"))
			b.Start(dav.D("lockscope"))
			b.Empty(dav.D(scope))
			b.End(dav.D("lockscope"))
			b.Start(dav.D("locktype"))
			b.Empty(dav.D("write"))
			b.End(dav.D("locktype"))
			b.End(dav.D("lockentry"))
		}
	})
)

func writeReports(b *dav.Builder, k kind) {
	for _, r := range reports {
		if r.on.has(k) {
			b.Start(dav.D("supported-report"))
			b.Start(dav.D("report"))
			b.Empty(r.name)
			b.End(dav.D("report"))
			b.End(dav.D("supported-report"))
		}
	}
}

func writeMethods(b *dav.Builder, k kind) {
	for _, m := range methods {
		if m.on.has(k) {
			b.Empty(dav.D("supported-method"), dav.At("name", m.name))
		}
	}
}
