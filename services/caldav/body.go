package caldav

import (
	"errors"
	"io"
	"net/http"
	"sync"

	"cairn/services/caldav/dav"
)

// Bodies of more than smallBody bytes take turns, maxLarge at a time from the first
// byte to the answer: a calendar of megabytes takes many times that to be
// understood, and memory is everybody's.
const (
	smallBody = 1 << 20
	maxLarge  = 2
)

// turns are what large bodies take. The zero value is ready.
type turns struct {
	once sync.Once
	free chan struct{}
}

// take waits for a turn until the request ends; give is to be called after it.
func (t *turns) take(r *http.Request) (give func(), err error) {
	t.once.Do(func() { t.free = make(chan struct{}, maxLarge) })
	select {
	case t.free <- struct{}{}:
		return func() { <-t.free }, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
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
		if x.end, err = x.large.take(x.r); err != nil {
			return nil, err
		}
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(x.r.Body, max+1-int64(len(data))))
		data = append(data, rest...)
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
