package caldav

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// client keeps as many connections as are asked for.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// request sends one as the calendar's owner and returns the answer's body.
func (s *server) request(ctx context.Context, method, path, body string, header ...string) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.SetBasicAuth(s.user, s.password)
	kind := "application/xml; charset=utf-8"
	if method == "PUT" {
		kind = "text/calendar; charset=utf-8"
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Depth", "1")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	r, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer r.Body.Close()
	answer, err = io.ReadAll(r.Body)
	return r.StatusCode, answer, err
}

// expect sends a request and makes sure that the answer is one.
func (s *server) expect(ctx context.Context, method, path, body string, status int, holds string) error {
	got, answer, err := s.request(ctx, method, path, body)
	if err == nil && (got != status || !bytes.Contains(answer, []byte(holds))) {
		err = fmt.Errorf("got status %d, want %d, and %q in %.300q", got, status, holds, answer)
	}
	if err != nil {
		return fmt.Errorf("%s: %s %s: %w", s.name, method, path, err)
	}
	return nil
}

// put makes an event.
func (s *server) put(ctx context.Context, i int) error {
	status, answer, err := s.request(ctx, "PUT", s.event(i), event(i), "If-None-Match", "*")
	if err == nil && status != http.StatusCreated && status != http.StatusNoContent {
		err = fmt.Errorf("status %d: %.300q", status, answer)
	}
	if err != nil {
		return fmt.Errorf("%s: PUT: %w", s.name, err)
	}
	return nil
}

// putNew makes an event that no server has.
func (s *server) putNew(ctx context.Context) error {
	return s.put(ctx, fresh+int(made.Add(1)))
}

// event is the path of an event.
func (s *server) event(i int) string { return s.calendar + name(i) }

func name(i int) string { return fmt.Sprintf("event-%06d.ics", i) }

var tokenElement = regexp.MustCompile(`<(?:\w+:)?sync-token>([^<]+)</`)

// sync asks what has changed since a token.
func (s *server) sync(ctx context.Context, token string) (next string, err error) {
	body := `<?xml version="1.0"?><sync-collection xmlns="DAV:"><sync-token>` + token + `</sync-token>` +
		`<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>`
	status, answer, err := s.request(ctx, "REPORT", s.calendar, body, "Depth", "0")
	if err != nil {
		return "", err
	}
	m := tokenElement.FindSubmatch(answer)
	if status != http.StatusMultiStatus || m == nil || token != "" && !bytes.Contains(answer, []byte("event-")) {
		return "", fmt.Errorf("%s: sync-collection: status %d: %.300q", s.name, status, answer)
	}
	return string(m[1]), nil
}

// rate does something on some connections for so many seconds and returns how often it was
// done in one.
func rate(ctx context.Context, conns, seconds int, do func(ctx context.Context, i int) error) (float64, error) {
	var (
		group errgroup.Group
		count atomic.Int64
	)
	began := time.Now()
	end := began.Add(time.Duration(seconds) * time.Second)
	for range conns {
		group.Go(func() error {
			for {
				if err := do(ctx, int(count.Add(1))); err != nil {
					return err
				}
				if time.Now().After(end) {
					return nil
				}
			}
		})
	}
	err := group.Wait()
	return float64(count.Load()) / time.Since(began).Seconds(), err
}

// each does something so often, one after another, and returns how long it took on
// average, in seconds. What comes before each does not count.
func each(ctx context.Context, times int, do func(ctx context.Context, i int) error, before ...func(context.Context) error) (float64, error) {
	var all time.Duration
	for i := range times {
		var errs []error
		for _, f := range before {
			errs = append(errs, f(ctx))
		}
		began := time.Now()
		errs = append(errs, do(ctx, i))
		all += time.Since(began)
		if err := errors.Join(errs...); err != nil {
			return 0, err
		}
	}
	return all.Seconds() / float64(times), nil
}

// rateOf does something with each number below n, on some connections, and returns how
// many in a second.
func rateOf(ctx context.Context, conns, n int, do func(ctx context.Context, i int) error) (float64, error) {
	var (
		group errgroup.Group
		next  atomic.Int64
	)
	began := time.Now()
	for range conns {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := do(ctx, i); err != nil {
					return err
				}
			}
		})
	}
	err := group.Wait()
	return float64(n) / time.Since(began).Seconds(), err
}
