package main

import (
	"context"
	"encoding/xml"
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
	webcal "github.com/emersion/go-webdav/caldav"
	webcard "github.com/emersion/go-webdav/carddav"

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

// errNoDAV says that a server knows no WebDAV where it was asked.
var errNoDAV = errors.New("the server does not speak CalDAV or CardDAV there")

// list returns the addresses of what is in a collection. is says whether it is one of
// the kind that is wanted. go-webdav's ReadDir asks for lengths that some servers do not
// tell.
func (e *elsewhere) list(ctx context.Context, at *url.URL) (entries []string, is bool, err error) {
	const ask = `<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getetag/></prop></propfind>`
	r, err := http.NewRequestWithContext(ctx, "PROPFIND", at.String(), strings.NewReader(ask))
	if err != nil {
		return nil, false, err
	}
	r.Header.Set("Depth", "1")
	r.Header.Set("Content-Type", "application/xml; charset=utf-8")
	res, err := e.client.Do(r)
	if err != nil {
		return nil, false, err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusMethodNotAllowed, res.StatusCode == http.StatusNotImplemented, res.StatusCode == http.StatusNotFound:
		return nil, false, errNoDAV
	case res.StatusCode != http.StatusMultiStatus:
		return nil, false, fmt.Errorf("%s answers %s", at, res.Status)
	}
	var m multistatus
	if err := xml.NewDecoder(io.LimitReader(res.Body, maxListing)).Decode(&m); err != nil {
		return nil, false, fmt.Errorf("list %s: %w", at, err)
	}
	base := res.Request.URL
	for _, one := range m.Responses {
		u, err := base.Parse(strings.TrimSpace(one.Href))
		switch {
		case err != nil || u.Host != base.Host:
			return nil, false, fmt.Errorf("list %s: %q is no address of this server", at, one.Href)
		case strings.TrimSuffix(u.Path, "/") == strings.TrimSuffix(base.Path, "/"):
			is = one.is(e.kind)
		case !one.isCollection():
			entries = append(entries, u.String())
		}
	}
	return entries, is, nil
}

// A multistatus is what is read of an answer to PROPFIND.
type multistatus struct {
	XMLName   xml.Name      `xml:"DAV: multistatus"`
	Responses []davResponse `xml:"DAV: response"`
}

type davResponse struct {
	Href  string `xml:"DAV: href"`
	Types []struct {
		Collection *struct{} `xml:"DAV: collection"`
		Calendar   *struct{} `xml:"urn:ietf:params:xml:ns:caldav calendar"`
		Book       *struct{} `xml:"urn:ietf:params:xml:ns:carddav addressbook"`
	} `xml:"DAV: propstat>prop>resourcetype"`
}

func (r davResponse) isCollection() bool {
	return len(r.Types) > 0 && r.Types[0].Collection != nil
}

func (r davResponse) is(kind shelf.Kind) bool {
	return len(r.Types) > 0 && (kind == shelf.Calendars && r.Types[0].Calendar != nil || kind == shelf.Contacts && r.Types[0].Book != nil)
}

// discover finds the only calendar or address book of a person at a server (RFC
// 6764 §6).
func (e *elsewhere) discover(ctx context.Context) (*url.URL, error) {
	start := e.at.String()
	client, err := webdav.NewClient(e.client, start)
	if err != nil {
		return nil, err
	}
	principal, err := client.FindCurrentUserPrincipal(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s is no %s, and does not tell where yours are: %w", e.at, e.called(), err)
	}
	names, paths, err := e.collections(ctx, principal)
	if err != nil {
		return nil, err
	}
	switch len(paths) {
	case 0:
		return nil, fmt.Errorf("you have no %s at %s", e.called(), e.at.Host)
	case 1:
		return e.at.Parse(escaped(paths[0]))
	}
	text := fmt.Sprintf("there are several: say which %s", e.called())
	for i, p := range paths {
		u, err := e.at.Parse(escaped(p))
		if err != nil {
			return nil, err
		}
		text += fmt.Sprintf("\n    %s  %s", u, subject(names[i]))
	}
	return nil, errors.New(text)
}

// escaped is a path as it stands in a URL.
func escaped(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// collections lists what of the kind a principal has.
func (e *elsewhere) collections(ctx context.Context, principal string) (names, paths []string, err error) {
	if e.kind == shelf.Contacts {
		client, err := webcard.NewClient(e.client, e.at.String())
		if err != nil {
			return nil, nil, err
		}
		home, err := client.FindAddressBookHomeSet(ctx, principal)
		if err != nil {
			return nil, nil, err
		}
		books, err := client.FindAddressBooks(ctx, home)
		for _, b := range books {
			names, paths = append(names, b.Name), append(paths, b.Path)
		}
		return names, paths, err
	}
	client, err := webcal.NewClient(e.client, e.at.String())
	if err != nil {
		return nil, nil, err
	}
	home, err := client.FindCalendarHomeSet(ctx, principal)
	if err != nil {
		return nil, nil, err
	}
	calendars, err := client.FindCalendars(ctx, home)
	for _, c := range calendars {
		names, paths = append(names, c.Name), append(paths, c.Path)
	}
	return names, paths, err
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
