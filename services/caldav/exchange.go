package caldav

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"cairn/services/accounts"
	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/object"
)

// An exchange is one request on its way to an answer. One goroutine has it.
type exchange struct {
	*Service
	w    http.ResponseWriter
	r    *http.Request
	user *accounts.User // who has logged in
	at   place          // what the URL names

	seen map[string]*view // snapshots by user
	end  func()           // called when it has been answered, if not nil

	expanded int // bytes that recurring events in the answer have become
}

func (x *exchange) ctx() context.Context { return x.r.Context() }

// serve answers the request, or returns why it cannot.
func (x *exchange) serve() error {
	if x.wellKnown() {
		return nil
	}
	var err error
	if x.user, err = x.login(); err != nil {
		return err
	}
	if done, err := x.unregister(); done {
		return err
	}
	if x.at, err = x.locate(x.r.URL.EscapedPath()); err != nil {
		return err
	}
	if err := x.fits(x.r.Method, x.at.kind); err != nil {
		return err
	}
	return x.dispatch()
}

// locate reads a path and makes sure that what it names is the user's own or
// everybody's. All else answers alike, whether it exists or not.
func (x *exchange) locate(escaped string) (place, error) {
	p, err := parsePath(escaped)
	if err != nil {
		return place{}, err
	}
	if p.kind == nowhere && (p.user == "" || p.space == principalSpace) {
		return place{}, errNothingHere
	}
	if p.user == "" || p.space == principalSpace {
		return p, nil
	}
	who, err := x.Accounts.Find(x.ctx(), p.user)
	if errors.Is(err, fs.ErrNotExist) || err == nil && who.Name != x.user.Name {
		return place{}, errNothingHere
	}
	return p, err
}

// fail answers with an error.
func (x *exchange) fail(err error) {
	if x.ctx().Err() != nil && errors.Is(err, x.ctx().Err()) {
		return // nobody is there any more
	}
	e := x.refusal(err)
	if e.Status == http.StatusUnauthorized {
		x.w.Header().Set("WWW-Authenticate", realm)
	}
	if e.Status >= 500 && e.Status != http.StatusNotImplemented {
		x.log().Error("request", "method", x.r.Method, "path", x.r.URL.Path, "user", x.name(), "err", err)
	}
	e.Write(x.w)
}

// refusal returns what an error is in the words of the protocol.
func (x *exchange) refusal(err error) *dav.Error {
	var (
		rate    *accounts.RateError
		refused *store.RefusedError
		name    *object.NameError
		clash   *store.ClashError
		large   *http.MaxBytesError
		mine    *dav.Error
	)
	switch {
	case errors.As(err, &mine):
		return mine
	case errors.As(err, &rate):
		e := dav.Errorf(http.StatusTooManyRequests, "%s", rate)
		e.RetryAfter = int(math.Ceil(rate.After.Seconds()))
		return e
	case errors.Is(err, accounts.ErrBadCredentials):
		return dav.Errorf(http.StatusUnauthorized, "log in with your user name or e-mail address and an app password")
	case errors.As(err, &refused):
		return dav.Errorf(http.StatusForbidden, "whoever keeps the repository does not take this: %s", refused.Reason)
	case errors.Is(err, store.ErrTemporary):
		e := dav.Errorf(http.StatusServiceUnavailable, "what you have cannot be reached at the moment; nothing was changed")
		e.RetryAfter = 30
		return e
	case errors.As(err, &large), errors.Is(err, store.ErrTooLarge):
		return dav.Errorf(http.StatusRequestEntityTooLarge, "this is too large")
	case errors.As(err, &name):
		return dav.Errorf(http.StatusForbidden, "the name is too long, or no file can have it")
	case errors.As(err, &clash):
		return dav.Errorf(http.StatusConflict, "something else has this name")
	case errors.Is(err, shelf.ErrQuota):
		return dav.Violated(http.StatusInsufficientStorage, dav.D("quota-not-exceeded"), "there is no room left")
	case errors.Is(err, shelf.ErrTooManyProps):
		return dav.Errorf(http.StatusInsufficientStorage, "this is more than can be kept beside it")
	case errors.Is(err, fs.ErrNotExist):
		return errNothingHere
	}
	return dav.AsError(err)
}

// over ends the exchange. A fault in the answer to one request does not end the
// others'.
func (x *exchange) over() {
	fault := recover()
	if x.end != nil {
		x.end()
	}
	if fault == nil {
		return
	}
	if fault == http.ErrAbortHandler {
		panic(fault)
	}
	x.log().Error("fault", "method", x.r.Method, "path", x.r.URL.Path, "user", x.name(), "fault", fault, "stack", string(debug.Stack()))
	dav.AsError(nil).Write(x.w)
}

func (x *exchange) name() string {
	if x.user == nil {
		return ""
	}
	return x.user.Name
}

// wellKnown answers the two names that clients know before they know anything
// else (RFC 6764 §5), for every method and without asking who it is.
func (x *exchange) wellKnown() bool {
	switch strings.TrimSuffix(x.r.URL.Path, "/") {
	case "/.well-known/caldav", "/.well-known/carddav":
		h := x.w.Header()
		h.Set("Cache-Control", "max-age=3600")
		h.Set("Location", "/")
		x.w.WriteHeader(http.StatusMovedPermanently)
		return true
	}
	return false
}

func (x *exchange) now() time.Time { return x.Now() }
