package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/emersion/go-webdav"
	webcal "github.com/emersion/go-webdav/caldav"
	webcard "github.com/emersion/go-webdav/carddav"

	"cairn/services/caldav/shelf"
)

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
