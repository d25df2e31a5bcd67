package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"cairn/services/caldav/shelf"
)

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
