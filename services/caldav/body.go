package caldav

import (
	"errors"
	"io"
	"net/http"
	"sync"

	"cairn/services/caldav/dav"
)

// Bodies of more than smallBody bytes take turns, for a calendar of megabytes takes many
// times that to be understood, and memory is everybody's: maxLarge at a time from
// their last byte to the answer, maxLoading from their first, of which one person has
// maxOfOne, so that nobody waits for somebody else's slow line.
const (
	smallBody  = 1 << 20
	maxLarge   = 2
	maxLoading = 16
	maxOfOne   = 2
)

// turns are what large bodies take. The zero value is ready.
type turns struct {
	mu            sync.Mutex
	large, loaded slots
	of            map[string]slots // by user
}

// slots are held by as many as fit.
type slots chan struct{}

// take waits for a slot until the request ends.
func (s slots) take(r *http.Request) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

// load waits until a large body of somebody may be read; give is to be called when it
// is of no use any more.
func (t *turns) load(r *http.Request, user string) (give func(), err error) {
	t.mu.Lock()
	if t.of == nil {
		t.of, t.large, t.loaded = map[string]slots{}, make(slots, maxLarge), make(slots, maxLoading)
	}
	mine := t.of[user]
	if mine == nil {
		mine = make(slots, maxOfOne)
		t.of[user] = mine
	}
	t.mu.Unlock()
	if err := mine.take(r); err != nil {
		return nil, err
	}
	if err := t.loaded.take(r); err != nil {
		<-mine
		return nil, err
	}
	return func() { <-t.loaded; <-mine }, nil
}

// work waits until what was loaded may be worked at.
func (t *turns) work(r *http.Request) (give func(), err error) {
	if err := t.large.take(r); err != nil {
		return nil, err
	}
	return func() { <-t.large }, nil
}

// body reads the body of the request. Somewhat more than max is a precondition
// missed (403, RFC 4791 §1.3); what is far more is not read (413). A large one
// takes its turn, which ends with the exchange.
func (x *exchange) body(max int64, precondition dav.Name) ([]byte, error) {
	if x.r.ContentLength > 4*max {
		return nil, tooLarge(http.StatusRequestEntityTooLarge, max, precondition)
	}
	data, err := io.ReadAll(io.LimitReader(x.r.Body, min(max, smallBody)+1))
	if err == nil && len(data) > smallBody {
		data, err = x.largeBody(data, max)
	}
	if x.ctx().Err() != nil {
		return nil, x.ctx().Err()
	}
	if err != nil {
		return nil, bodyError(err)
	}
	if int64(len(data)) <= max {
		return data, nil
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(x.r.Body, 3*max))
	if err != nil {
		return nil, bodyError(err)
	}
	if rest == 3*max {
		return nil, tooLarge(http.StatusRequestEntityTooLarge, max, precondition)
	}
	return nil, tooLarge(http.StatusForbidden, max, precondition)
}

// largeBody reads the rest of a body, one byte more than max at most.
func (x *exchange) largeBody(data []byte, max int64) ([]byte, error) {
	loaded, err := x.large.load(x.r, x.user.Name)
	if err != nil {
		return nil, err
	}
	x.end = loaded
	rest, err := io.ReadAll(io.LimitReader(x.r.Body, max+1-int64(len(data))))
	if err != nil {
		return nil, err
	}
	worked, err := x.large.work(x.r)
	if err != nil {
		return nil, err
	}
	x.end = func() { worked(); loaded() }
	return append(data, rest...), nil
}

// tooLarge refuses what is longer than max; files have no precondition for it.
func tooLarge(status int, max int64, precondition dav.Name) error {
	if precondition.Local == "" {
		return dav.Errorf(http.StatusRequestEntityTooLarge, "it may have %d bytes at most", max)
	}
	return dav.Violated(status, precondition, "it may have %d bytes at most", max)
}

// bodyError says what is answered when a body ends early.
func bodyError(err error) error {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return err
	}
	return dav.Errorf(http.StatusBadRequest, "the body ends early")
}
