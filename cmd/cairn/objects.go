package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strconv"
	"strings"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
	"cairn/services/caldav/shelf"
	"cairn/services/caldav/vcard"
)

// objects yields what is in a file, each as it can lie in a collection. A file that
// is one such object stays byte for byte as it is.
func (h *house) objects(kind shelf.Kind, data []byte) iter.Seq2[*shelf.Object, error] {
	return func(yield func(*shelf.Object, error) bool) {
		if o, err := h.shelf.Parse(kind, data); err == nil && o.UID != "" {
			yield(o, nil)
			return
		}
		for data, err := range parts(kind, data) {
			var o *shelf.Object
			if err == nil {
				o, err = h.shelf.Parse(kind, data)
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

// parts takes a file apart.
func parts(kind shelf.Kind, data []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if kind == shelf.Contacts {
			for card, err := range vcard.Import(data) {
				var text []byte
				if err == nil {
					text = card.Encode()
				}
				if !yield(text, err) {
					return
				}
			}
			return
		}
		for c, err := range ical.Split(data) {
			var text []byte
			if err == nil {
				text = c.Encode()
			} else if c != nil && c.UID != "" {
				err = fmt.Errorf("entry %q: %w", c.UID, err)
			}
			if !yield(text, err) {
				return
			}
		}
	}
}

// What became of an entry that was imported.
const (
	isKnown = iota // it is there, and no older
	isNewer        // it is there, and was brought up to date
	isFresh
)

// place puts an entry into a collection, unless it is there already and is no
// older. Which entry it is its UID says.
func place(e *shelf.Edit, where shelf.Path, o *shelf.Object) (int, error) {
	c, err := e.Collection(where.Kind, where.Collection)
	if err != nil {
		return 0, err
	}
	is, err := c.ByUID(o.UID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		where.Name = entryName(where.Kind, o.UID)
		if _, err := c.Resource(where.Name); err == nil { // of another UID
			where.Name = hashName(where.Kind, o.UID)
		}
		_, err := e.Put(where, o)
		return isFresh, err
	case err != nil:
		return 0, err
	case is.ETag == o.Hash:
		return isKnown, nil
	}
	old, err := c.Read(is)
	if err != nil {
		return 0, err
	}
	if bytes.Compare(version(o.Data), version(old)) <= 0 {
		return isKnown, nil
	}
	where.Name = is.Name
	_, err = e.Put(where, o)
	return isNewer, err
}

// entryName is the resource's name for a UID: the UID where it can be typed, else
// its hash.
func entryName(kind shelf.Kind, uid string) string {
	if len(uid) > 100 || strings.Trim(uid, typed) != "" || strings.HasPrefix(uid, ".") {
		return hashName(kind, uid)
	}
	return uid + suffixes[kind][0]
}

const typed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_@."

func hashName(kind shelf.Kind, uid string) string {
	sum := sha256.Sum256([]byte(uid))
	return hex.EncodeToString(sum[:16]) + suffixes[kind][0]
}

// version is what says how new an entry is, to be compared byte by byte: the
// highest SEQUENCE and the last change of its components (RFC 5545 §3.8.7), or REV
// of a card.
func version(data []byte) []byte {
	parsed, err := line.Parse(data)
	if err != nil {
		return nil
	}
	sequence, last := 0, ""
	for _, top := range parsed {
		last = max(last, digitsOf(top.Value("REV")))
		for _, c := range top.Children {
			if c.Name == "VTIMEZONE" {
				continue
			}
			if n, err := strconv.Atoi(c.Value("SEQUENCE")); err == nil {
				sequence = max(sequence, n)
			}
			last = max(last, digitsOf(c.Value("LAST-MODIFIED")))
		}
	}
	return fmt.Appendf(nil, "%012d %s", sequence, last)
}

// digitsOf is a date in either of its forms, with or without hyphens and colons, in
// one.
func digitsOf(date string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, date)
}
