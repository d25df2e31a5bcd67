package caldav

import (
	"mime"
	"net/http"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// put answers PUT (RFC 4918 §9.7, 4791 §5.3.2, 6352 §6.3.2).
func (x *exchange) put() error {
	if x.r.Header.Get("Content-Range") != "" {
		return dav.Errorf(http.StatusBadRequest, "a part of a file cannot be put") // RFC 9110 §14.5
	}
	if c := x.r.Header.Get("Content-Encoding"); c != "" && c != "identity" {
		return dav.Errorf(http.StatusUnsupportedMediaType, "send it without Content-Encoding")
	}
	if x.at.kind == folder {
		return x.putFile()
	}
	return x.putObject()
}

// putObject puts a calendar or address object.
func (x *exchange) putObject() error {
	to, err := x.target(x.at, x.snapshots())
	if err != nil {
		return err
	}
	if err := x.mediaType(to.kind); err != nil {
		return err
	}
	seen, err := x.seenBy(to)
	if err != nil {
		return err
	}
	data, err := x.body(x.Shelf.MaxResource(), preconditionOf(to.kind, "max-resource-size"))
	if err != nil {
		return err
	}
	o, err := x.parse(to, data)
	if err != nil {
		return err
	}
	// What the update will ask, of a calendar that has not been read since the start, is found
	// out before: it keeps others waiting.
	if _, err := to.col.ByUID(o.UID); err != nil && hidden(err) != errNothingHere {
		return err
	}
	created, kept := false, o
	var out shelf.Outcome
	what := "Put " + to.root
	err = x.meet(what, []string{to.owner}, func(of views, edits map[string]*shelf.Edit, m *meeting) error {
		to, err := x.target(x.at, of)
		if err != nil {
			return err
		}
		was, g, err := x.before(x.at, of)
		if err != nil {
			return err
		}
		become := changed
		if created = was == nil; created {
			become = bound
		}
		if err := g.free(to.spot, become); err != nil {
			return err
		}
		if kept, err = m.put(to, was, o); err != nil {
			return err
		}
		if x.conditional() {
			out.Resource, err = edits[to.owner].Put(to.path, kept)
		} else {
			out, err = edits[to.owner].PutFrom(to.path, seen, kept)
		}
		return x.objectError(to, err)
	})
	if err != nil {
		return x.instead(err)
	}
	if tag := scheduleTag(kept.Calendar, to.person); tag != "" && out.Resource.ETag == kept.Hash {
		x.w.Header().Set("Schedule-Tag", tag)
	}
	etag := hashTag(o.Hash)
	if out.Resource.ETag != o.Hash {
		etag = "" // the bytes are not those that were sent (RFC 4791 §5.3.4)
	}
	return x.stored(created, etag)
}

// conditional reports whether the request says which version it may replace.
func (x *exchange) conditional() bool {
	for _, name := range []string{"If-Match", "If-None-Match", "If", "If-Schedule-Tag-Match"} {
		if x.r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// seenBy returns what is at a place before the body is read, nil for nothing: whoever puts
// something else there meanwhile, and this request, have both made theirs of it. A
// conditional request need not know, for it fails then.
func (x *exchange) seenBy(to *node) ([]byte, error) {
	if x.conditional() {
		return nil, nil
	}
	r, err := to.col.Resource(to.path.Name)
	if err != nil {
		if hidden(err) == errNothingHere {
			err = nil
		}
		return nil, err
	}
	return to.col.Read(r)
}

// mediaType refuses what says of itself that it is none of what a collection
// holds. Clients that say nothing are taken at their bytes.
func (x *exchange) mediaType(k kind) error {
	t, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if x.r.Header.Get("Content-Type") == "" || t == "application/octet-stream" || t == "text/plain" {
		return nil
	}
	want, precondition := "text/calendar", dav.Cal("supported-calendar-data")
	if k == card {
		want, precondition = "text/vcard", dav.Card("supported-address-data")
	}
	if err == nil && (t == want || t == "text/x-vcard" && want == "text/vcard" || t == "text/directory" && want == "text/vcard") {
		return nil
	}
	return dav.Violated(http.StatusUnsupportedMediaType, precondition, "only %s can be here", want)
}

// preconditionOf names a precondition that calendars and address books have alike.
func preconditionOf(k kind, local string) dav.Name {
	if k == card || k == addressbook {
		return dav.Card(local)
	}
	return dav.Cal(local)
}
