package caldav

import (
	"mime"
	"net/http"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
	"cairn/store/object"
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

// putFile puts a file.
func (x *exchange) putFile() error {
	s, err := x.spot(x.at)
	if err != nil {
		return err
	}
	if len(x.at.names) == 0 || x.at.slash {
		return x.refuseMethod(folder)
	}
	data, err := x.body(x.Shelf.MaxResource(), dav.Name{})
	if err != nil {
		return err
	}
	created := false
	err = x.change("Put "+s.root, []string{s.owner}, func(of views, edits map[string]*shelf.Edit) (err error) {
		created, err = x.writeFile(s, data, of, edits[s.owner])
		return err
	})
	if err != nil {
		return x.instead(err)
	}
	return x.stored(created, hashTag(object.Object{Type: object.TypeBlob, Data: data}.Hash()))
}

// writeFile writes a file, in an edit, and reports whether it is new.
func (x *exchange) writeFile(s spot, data []byte, of views, e *shelf.Edit) (created bool, err error) {
	was, g, err := x.before(x.at, of)
	if err != nil {
		return false, err
	}
	become, before := changed, int64(0)
	switch {
	case was == nil:
		become = bound
		err = x.inFolder(x.at, of)
	case was.kind == folder:
		err = x.refuseMethod(folder)
	default:
		before, err = was.size()
	}
	if err == nil {
		err = x.room(e, int64(len(data))-before)
	}
	if err == nil {
		err = g.free(s, become)
	}
	if err != nil {
		return false, err
	}
	return was == nil, e.Tx().Put(s.file, data)
}

// inFolder makes sure that what is to be at a place would be in a folder.
func (x *exchange) inFolder(p place, of views) error {
	up, err := x.find(p.parent(), of)
	if absent(err) || err == nil && up.kind != folder {
		return dav.Errorf(http.StatusConflict, "the folder in which it is to be does not exist")
	}
	return err
}

// stored answers a PUT, with what is there now if the client prefers that (RFC 8144
// §3). etag is "" when the bytes are not those that were sent.
func (x *exchange) stored(created bool, etag string) error {
	if etag != "" {
		x.w.Header().Set("ETag", etag)
	}
	if dav.ParsePrefer(x.r.Header).Representation {
		n, err := x.fresh()
		if err == nil && (etag == "" || n.etag() == etag) {
			status := http.StatusOK
			if created {
				status = http.StatusCreated
			}
			return x.represent(n, status)
		}
	}
	status := http.StatusNoContent
	if created {
		status = http.StatusCreated
	}
	x.w.WriteHeader(status)
	return nil
}

// instead answers a PUT whose conditions do not hold with what is there, if the
// client prefers that (RFC 8144 §3.2).
func (x *exchange) instead(err error) error {
	e := x.refusal(err)
	if e.Status != http.StatusPreconditionFailed || !dav.ParsePrefer(x.r.Header).Representation {
		return err
	}
	n, missing := x.fresh()
	if missing != nil || !leaves.has(n.kind) {
		return err
	}
	return x.represent(n, e.Status)
}

// fresh is what is at the URL after a change.
func (x *exchange) fresh() (*node, error) {
	x.seen = nil
	return x.resolve(x.at)
}

// represent answers with the content of an object or file where that is not what
// was asked for.
func (x *exchange) represent(n *node, status int) error {
	h := x.w.Header()
	h.Set("Preference-Applied", "return=representation")
	h.Set("Content-Location", n.href)
	h.Add("Vary", "Prefer")
	return x.content(n, status)
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
