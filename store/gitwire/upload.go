package gitwire

import (
	"context"
	"errors"
	"io"

	"cairn/store"
)

// Bounds of one request.
const (
	maxWants    = 1 << 20 // want lines; a checkout in a blobless clone sends one per file
	maxShallows = 1 << 18 // shallow lines
	maxExcludes = 1 << 10 // deepen-not lines
)

// serveUpload runs upload-pack for one client over a pair of streams. proto is
// 0, 1 or 2. A stateless caller (HTTP) asks either for the advertisement or
// for the answer to one request; a stateful one (SSH) asks for both. What the
// client did wrong has been told to it when serveUpload returns; the error is
// for the log.
func serveUpload(ctx context.Context, v *View, proto int, in io.Reader, out io.Writer, stateless, advertise bool) error {
	u := &upload{v: v, stateless: stateless, r: newPktReader(in), w: newPktWriter(out)}
	err := guard(func() error { return u.serve(ctx, proto, advertise) })
	var bad requestError
	if err == nil || errors.As(err, &bad) {
		u.close()
	}
	if err != nil && !u.packing && !errors.Is(err, errHungUp) {
		u.w.line("ERR " + clientText(err) + "\n")
		u.w.send()
	}
	return err
}

// errHungUp says that the client left where it may: there is nobody to tell.
var errHungUp = errors.New("client hung up")

// An upload is the state of one run of upload-pack.
type upload struct {
	v         *View
	stateless bool
	r         *pktReader
	w         *pktWriter

	refs  []store.Ref
	g     *graph
	reach *reach

	packing bool // errors go to the error band from here on
}

// open takes a fresh look at the refs.
func (u *upload) open(ctx context.Context) (err error) {
	u.refs, err = shownRefs(ctx, u.v)
	if err == nil {
		u.reach = u.v.searches.take(u.v.Backend, u.refs)
		u.g = u.reach.g
	}
	return err
}

// close gives the search back, for others to go on with. One that was cut short
// is not given back.
func (u *upload) close() {
	if u.reach != nil {
		u.v.searches.keep(u.reach)
		u.reach, u.g = nil, nil
	}
}

func (u *upload) serve(ctx context.Context, proto int, advertise bool) error {
	if proto == 2 {
		return u.serveV2(ctx, advertise)
	}
	if err := u.open(ctx); err != nil {
		return err
	}
	if advertise || !u.stateless {
		if err := advertiseRefs(ctx, u.v, u.g, u.refs, proto, u.w); err != nil || u.stateless {
			return err
		}
	}
	return u.serveV0(ctx)
}

// An uploadRequest is what a client asks to be sent.
type uploadRequest struct {
	wants    []store.Hash
	shallows []store.Hash // commits whose parents the client lacks
	depth    int          // of history, 0 for all of it
	relative bool         // depth counts from shallows
	since    int64        // leave out older commits, when hasSince
	hasSince bool
	excludes []string // leave out what these refs reach
	filter   filter

	thin       bool
	ofsDelta   bool
	includeTag bool
	noProgress bool
	bands      bandMode
}

// A bandMode is how the pack is wrapped.
type bandMode byte

const (
	bandsNone bandMode = iota // bare
	bandsOld                  // lines of 1000 bytes
	bands64k
)

// deepens reports whether the request changes how deep the client's history is.
func (q *uploadRequest) deepens() bool {
	return q.depth > 0 || q.hasSince || len(q.excludes) > 0
}

// checkWants refuses wants that the view's refs do not reach, in the words
// git uses for objects it does not have.
func (u *upload) checkWants(ctx context.Context, wants []store.Hash) error {
	missing, err := u.reach.missing(ctx, wants)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return badRequest("upload-pack: not our ref %s", missing[0])
	}
	return nil
}
