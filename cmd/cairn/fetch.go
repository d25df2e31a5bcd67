package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-webdav"

	"cairn/cmd/setup"
	"cairn/net/certs"
	"cairn/net/host"
	"cairn/services/caldav/shelf"
)

// isAddress reports whether something to import lies at another server.
func isAddress(from string) bool { return strings.Contains(from, "://") }

// plainAddress is an address without the password in it.
func plainAddress(from string) string {
	u, err := url.Parse(from)
	if err != nil {
		return "(an address)"
	}
	return u.Redacted()
}

// An elsewhere is another server from which is imported.
type elsewhere struct {
	kind   shelf.Kind
	term   terminal
	at     *url.URL
	client webdav.HTTPClient
}

// What of another server is read.
const (
	maxListing   = 64 << 20 // bytes of a list of entries
	fetchWorkers = 8        // entries that are fetched at once
	fetchTime    = time.Minute
)

// fetch finds out what an address is, a file, a calendar or address book, or a
// server that has one, and yields what is in it.
func (c *davImport) fetch(ctx context.Context, term terminal, kind shelf.Kind) (iter.Seq2[found, error], error) {
	at, err := url.Parse(c.From)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" {
		return nil, errors.New("an address to import from is an http or https URL")
	}
	login, err := c.login(at)
	if err != nil {
		return nil, err
	}
	login.term = term
	transport := setup.Transport(host.New(host.Options{}), certs.ClientConfig(nil))
	e := &elsewhere{kind: kind, term: term, client: &authenticated{
		client: &http.Client{Transport: transport, Timeout: fetchTime, CheckRedirect: sameHost}, login: login,
	}}
	at.User = nil
	e.at = at
	if endsLike(at.Path, kind) {
		return e.single(ctx)
	}
	entries, is, err := e.list(ctx, at)
	switch {
	case err == nil && is:
		return e.all(ctx, entries), nil
	case errors.Is(err, errNoDAV):
		return e.single(ctx)
	case err != nil:
		return nil, err
	}
	if e.at, err = e.discover(ctx); err != nil {
		return nil, err
	}
	if entries, is, err = e.list(ctx, e.at); err != nil {
		return nil, err
	}
	if !is {
		return nil, fmt.Errorf("%s is no %s", e.at, e.called())
	}
	return e.all(ctx, entries), nil
}

func (e *elsewhere) called() string {
	if e.kind == shelf.Contacts {
		return "address book"
	}
	return "calendar"
}

// sameHost lets a server send us to another of its addresses, but nowhere else, for
// we bring a password along.
func sameHost(r *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("redirected too often")
	}
	if first := via[0].URL; r.URL.Host != first.Host || r.URL.Scheme != first.Scheme {
		return fmt.Errorf("%s leads to %s: if that is right, give that address", first.Host, r.URL.Redacted())
	}
	return nil
}

// single yields a file.
func (e *elsewhere) single(ctx context.Context) (iter.Seq2[found, error], error) {
	data, err := e.get(ctx, e.at.String())
	if err != nil {
		return nil, err
	}
	return func(yield func(found, error) bool) { yield(found{e.at.String(), data}, nil) }, nil
}

// get fetches one entry or file.
func (e *elsewhere) get(ctx context.Context, address string) ([]byte, error) {
	client, err := webdav.NewClient(e.client, address)
	if err != nil {
		return nil, err
	}
	body, err := client.Open(ctx, "")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s: larger than %d MiB", address, maxFile>>20)
	}
	return data, err
}

// all fetches entries, several at once, and yields them in order.
func (e *elsewhere) all(ctx context.Context, entries []string) iter.Seq2[found, error] {
	slices.Sort(entries)
	return func(yield func(found, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		show := isTerminal(e.term.err)
		for n := 0; n < len(entries); n += fetchWorkers {
			part := entries[n:min(n+fetchWorkers, len(entries))]
			got := make([]found, len(part))
			errs := make([]error, len(part))
			var wg sync.WaitGroup
			for i, address := range part {
				wg.Go(func() {
					got[i].name = address
					got[i].data, errs[i] = e.get(ctx, address)
				})
			}
			wg.Wait()
			for i := range part {
				if errs[i] != nil {
					errs[i] = fmt.Errorf("fetch %s: %w", part[i], errs[i])
				}
				if !yield(got[i], errs[i]) {
					return
				}
			}
			if show {
				fmt.Fprintf(e.term.err, "Fetched %d of %d\r", n+len(part), len(entries))
			}
		}
		if show && len(entries) > 0 {
			fmt.Fprintln(e.term.err)
		}
	}
}

// isLoopbackHost reports whether a URL's host is this machine.
func isLoopbackHost(u *url.URL) bool {
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && a.IsLoopback()
}
