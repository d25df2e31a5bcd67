package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cairn/services/caldav/line"
	"cairn/services/caldav/shelf"
)

// Bounds of what is fetched.
const (
	maxFetch     = 10 << 20        // bytes, unpacked
	maxLines     = 400_000         // each takes some hundred bytes of memory for a moment
	fetchTimeout = 2 * time.Minute // for all of it
	maxURL       = 2048            // bytes
)

// A fetched is what the other side answered.
type fetched struct {
	validators
	same  bool          // as what is known
	data  []byte        // unless same
	every time.Duration // how often it may be asked
}

// A remoteError is why a calendar cannot be had, in words for its owner.
type remoteError struct {
	words string
	err   error // for the log; may be nil
}

func (e *remoteError) Error() string {
	if e.err == nil {
		return e.words
	}
	return e.words + ": " + e.err.Error()
}

func (e *remoteError) Unwrap() error { return e.err }

// inWords is what the owner is told. Addresses and the like are for the log alone.
func inWords(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*remoteError](err); ok {
		return e.words
	}
	if errors.Is(err, shelf.ErrQuota) {
		return "there is no room left for it"
	}
	return "it could not be taken in"
}

// ParseSource returns the address of an outside calendar as it is kept: http,
// https, webcal or webcals, without a password, at most 2,048 bytes.
func ParseSource(address string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil || len(address) > maxURL:
		return "", errors.New("this is not the address of a calendar")
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "webcal" && u.Scheme != "webcals":
		return "", errors.New("the address has to begin with https://, http:// or webcal://")
	case u.Host == "":
		return "", errors.New("the address has no host")
	case u.User != nil:
		return "", errors.New("an address with a password would lie in the open")
	}
	u.Fragment = ""
	return u.String(), nil
}

// targets returns what to fetch for an address, in the order in which to try:
// webcal says nothing about TLS.
func targets(address string) []string {
	scheme, rest, _ := strings.Cut(address, ":")
	switch strings.ToLower(scheme) {
	case "webcal":
		return []string{"https:" + rest, "http:" + rest}
	case "webcals":
		return []string{"https:" + rest}
	}
	return []string{address}
}

// fetch asks the other side. Its errors are of type *remoteError.
func (f *Follower) fetch(ctx context.Context, address string, seen validators) (got fetched, err error) {
	if _, err := ParseSource(address); err != nil {
		return got, &remoteError{err.Error(), nil}
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	for _, target := range targets(address) {
		if got, err = f.get(ctx, target, seen); !errors.Is(err, errUnreached) {
			break
		}
	}
	return got, err
}

// errUnreached says that there was no answer at all.
var errUnreached = errors.New("no connection")

func (f *Follower) get(ctx context.Context, target string, seen validators) (fetched, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return fetched{}, &remoteError{"this is not the address of a calendar", nil}
	}
	r.Header.Set("Accept", "text/calendar, */*;q=0.1")
	r.Header.Set("User-Agent", "Cairn")
	if seen.etag != "" {
		r.Header.Set("If-None-Match", seen.etag)
	}
	if seen.modified != "" {
		r.Header.Set("If-Modified-Since", seen.modified)
	}
	answer, err := f.Client.Do(r)
	if err != nil {
		return fetched{}, unreached(err)
	}
	defer answer.Body.Close()
	got := fetched{validators: seen, every: usual}
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotModified:
		got.same = true
		return got, nil
	default:
		return got, &remoteError{fmt.Sprintf("the other side answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode)), nil}
	}
	got.validators = validators{short(answer.Header.Get("ETag")), short(answer.Header.Get("Last-Modified"))}
	got.data, err = io.ReadAll(io.LimitReader(answer.Body, maxFetch+1))
	switch {
	case err != nil:
		return got, &remoteError{"the answer broke off", cause(err)}
	case len(got.data) > maxFetch:
		return got, &remoteError{fmt.Sprintf("it is larger than %d MiB", maxFetch>>20), nil}
	case bytes.Count(got.data, []byte("\n")) > maxLines:
		return got, &remoteError{fmt.Sprintf("it has more than %d lines", maxLines), nil}
	case !bytes.Contains(got.data[:min(len(got.data), 1<<10)], []byte("BEGIN:VCALENDAR")):
		return got, &remoteError{"this is not a calendar", nil}
	}
	return got, nil
}

// short leaves out a validator that is too long to be kept.
func short(s string) string {
	if len(s) > 256 {
		return ""
	}
	return s
}

// unreached puts in words why there was no answer.
func unreached(err error) error {
	err = cause(err)
	words := "the other side cannot be reached"
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		words = "the other side does not answer in time"
	}
	return &remoteError{words, fmt.Errorf("%w: %w", errUnreached, err)}
}

// cause takes the address off an error: it may be a secret.
func cause(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// wish returns how often the other side wants to be asked (RFC 7986 §5.7), within our
// bounds.
func wish(root *line.Component) time.Duration {
	for _, name := range []string{"REFRESH-INTERVAL", "X-PUBLISHED-TTL"} {
		if d, ok := duration(root.Value(name)); ok {
			return max(soonest, min(d, latest))
		}
	}
	return usual
}

// duration reads the common forms of RFC 5545 §3.3.6: weeks, days, hours and
// minutes.
func duration(s string) (d time.Duration, ok bool) {
	s, ok = strings.CutPrefix(strings.ToUpper(s), "P")
	n := time.Duration(0)
	for i := 0; i < len(s) && ok; i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9' && n < 1e6:
			n = n*10 + time.Duration(c-'0')
			continue
		case c == 'W':
			d += n * 7 * 24 * time.Hour
		case c == 'D':
			d += n * 24 * time.Hour
		case c == 'H':
			d += n * time.Hour
		case c == 'M':
			d += n * time.Minute
		case c == 'S':
			d += n * time.Second
		case c != 'T':
			return 0, false
		}
		n = 0
	}
	return d, ok && d > 0
}
