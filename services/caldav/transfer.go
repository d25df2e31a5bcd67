package caldav

import (
	"net/http"

	"cairn/services/caldav/dav"
)

// A transfer is a COPY or MOVE.
type transfer struct {
	from, to  spot
	at        place // where to
	move      bool
	overwrite bool
	shallow   bool // Depth: 0, a collection without what is in it
	overwrote bool
}

// transfer reads the request.
func (x *exchange) transfer() (t *transfer, err error) {
	t = &transfer{move: x.r.Method == "MOVE"}
	if t.at, err = x.destination(); err != nil {
		return nil, err
	}
	if t.overwrite, err = dav.ParseOverwrite(x.r.Header); err != nil {
		return nil, err
	}
	depth, err := dav.ParseDepth(x.r.Header, dav.DepthInfinity)
	if err == nil && depth == dav.DepthOne {
		err = errWrongDepth
	}
	if err != nil {
		return nil, err
	}
	t.shallow = depth == dav.DepthZero
	if t.from, err = x.spot(x.at); err != nil {
		return nil, err
	}
	if t.to, err = x.spot(t.at); err != nil {
		return nil, err
	}
	if t.from.owner == t.to.owner && (t.from.root == t.to.root || isBelow(t.to.root, t.from.root) || isBelow(t.from.root, t.to.root)) {
		return nil, dav.Errorf(http.StatusForbidden, "source and destination are in each other")
	}
	return t, nil
}

var errWrongDepth = dav.Errorf(http.StatusBadRequest, "COPY goes to Depth 0 or infinity, MOVE of a collection to infinity")

// destination reads where to. It has to be a place for what is at the source.
func (x *exchange) destination() (place, error) {
	u, err := dav.ParseDestination(x.r)
	if err != nil {
		return place{}, err
	}
	p, err := x.locate(u.EscapedPath())
	switch {
	case absent(err):
		return place{}, dav.Errorf(http.StatusForbidden, "nothing can be put where the destination is")
	case err != nil:
		return place{}, err
	case p.kind == nowhere:
		return place{}, dav.Errorf(http.StatusConflict, "the collection in which it is to be does not exist")
	case p.kind != x.at.kind || p.space != x.at.space || len(p.names) == 0:
		return place{}, dav.Errorf(http.StatusForbidden, "this cannot be at the destination")
	}
	return p, nil
}
