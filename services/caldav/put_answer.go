package caldav

import (
	"net/http"

	"cairn/services/caldav/dav"
)

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
