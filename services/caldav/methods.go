package caldav

import (
	"net/http"
	"strings"

	"cairn/services/caldav/dav"
)

// own is what lies on a person's branch.
const own = ^kinds(0) &^ (1<<nowhere | 1<<root | 1<<principals | 1<<principal | 1<<homes | 1<<outbox)

// methods says which resources answer which methods, in the order of the Allow
// header.
var methods = []struct {
	name string
	on   kinds
}{
	{"OPTIONS", everywhere},
	{"GET", everywhere},
	{"HEAD", everywhere},
	{"PUT", of(event, card, file)},
	{"DELETE", own &^ of(calendarHome, contactHome, inbox)},
	{"PROPFIND", everywhere},
	{"PROPPATCH", own | of(principal)},
	{"MKCOL", of(calendar, addressbook, folder)},
	{"MKCALENDAR", of(calendar)},
	{"COPY", own &^ of(calendarHome, contactHome, inbox)},
	{"MOVE", own &^ of(calendarHome, contactHome, inbox)},
	{"LOCK", own},
	{"UNLOCK", own},
	{"REPORT", everywhere},
	{"ACL", of(calendar, addressbook)},
	{"POST", of(calendar, addressbook, outbox) | pushed},
}

// allowed reports whether a resource of a kind answers a method at all.
func allowed(method string, k kind) bool {
	for _, m := range methods {
		if m.name == method {
			return m.on.has(k)
		}
	}
	return false
}

// allow is the Allow header of resources of a kind.
func allow(k kind) string {
	var names []string
	for _, m := range methods {
		if m.on.has(k) {
			names = append(names, m.name)
		}
	}
	return strings.Join(names, ", ")
}

// dispatch calls what answers the method.
func (x *exchange) dispatch() error {
	switch x.r.Method {
	case "OPTIONS":
		return x.options()
	case "GET", "HEAD":
		return x.get()
	case "PUT":
		return x.put()
	case "DELETE":
		return x.delete()
	case "PROPFIND":
		return x.propfind()
	case "PROPPATCH":
		return x.proppatch()
	case "MKCOL", "MKCALENDAR":
		return x.mkcol()
	case "COPY", "MOVE":
		return x.copyMove()
	case "LOCK":
		return x.lock()
	case "UNLOCK":
		return x.unlock()
	case "REPORT":
		return x.report()
	case "ACL":
		return x.acl()
	case "POST":
		return x.post()
	}
	return dav.Errorf(http.StatusNotImplemented, "there is no method %.20q here", x.r.Method)
}

// fits refuses a method where nothing could ever answer it.
func (x *exchange) fits(method string, k kind) error {
	known := allowed(method, folder) || allowed(method, file) || allowed(method, calendar)
	switch {
	case !known:
		return dav.Errorf(http.StatusNotImplemented, "there is no method %.20q here", method)
	case k == folder && (allowed(method, folder) || allowed(method, file)), allowed(method, k):
		return nil
	case k == nowhere && (method == "PUT" || strings.HasPrefix(method, "MK")):
		return dav.Errorf(http.StatusConflict, "the collection in which it is to be does not exist")
	case k == nowhere:
		return errNothingHere
	case objects.has(k) && strings.HasPrefix(method, "MK"):
		return dav.Violated(http.StatusForbidden, dav.Cal("calendar-collection-location-ok"), "collections lie in the home, not in each other")
	}
	return x.refuseMethod(k)
}

// refuseMethod answers for a resource that does not know the method.
func (x *exchange) refuseMethod(k kind) error {
	x.w.Header().Set("Allow", allow(k))
	return dav.Errorf(http.StatusMethodNotAllowed, "%.20s does not work here", x.r.Method)
}

// options says what can be done here (RFC 4918 §10.1, 4791 §5.1, 6352 §6.1).
func (x *exchange) options() error {
	n, err := x.resolve(x.at)
	k := x.at.kind
	if err == nil {
		k = n.kind
	}
	h := x.w.Header()
	h.Set("DAV", features(k))
	if x.Push != nil && pushed.has(k) {
		h.Set("DAV", features(k)+", webdav-push")
	}
	h.Set("Allow", allow(k))
	x.w.WriteHeader(http.StatusOK)
	return nil
}

// features is the DAV header: what is true of resources of a kind, and nothing
// else.
func features(k kind) string {
	list := []string{"1"}
	if allowed("LOCK", k) {
		list = append(list, "2")
	}
	list = append(list, "3", "access-control")
	if k == calendarHome || k == contactHome || allowed("MKCOL", k) {
		list = append(list, "extended-mkcol")
	}
	if of(root, principals, principal, calendarHome, contactHome, calendar, inbox, outbox, event, message).has(k) {
		list = append(list, "calendar-access", "calendar-auto-schedule")
	}
	if of(root, principals, principal, calendarHome, contactHome, addressbook, card).has(k) {
		list = append(list, "addressbook")
	}
	if ordered.has(k) {
		list = append(list, "calendarserver-sharing")
	}
	return strings.Join(list, ", ")
}
