package main

import (
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"cairn/services/caldav/shelf"
)

// A found is one file that was found to import.
type found struct {
	name string // for people
	data []byte
}

// suffixes are how files of a kind end.
var suffixes = map[shelf.Kind][]string{shelf.Calendars: {".ics", ".ical", ".ifb", ".icalendar"}, shelf.Contacts: {".vcf", ".vcard"}}

// maxFile bounds a file that is imported, in bytes.
const maxFile = 256 << 20

// readFiles yields a file, or those of a kind below a folder.
func readFiles(from string, kind shelf.Kind) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != from:
				return fs.SkipDir
			case !d.Type().IsRegular() && name != from, d.IsDir(), name != from && !endsLike(name, kind):
				return nil
			}
			info, err := os.Stat(name)
			if err != nil {
				return err
			}
			if info.IsDir() {
				return fmt.Errorf("%s leads to a folder: name the folder itself", name)
			}
			if info.Size() > maxFile {
				return fmt.Errorf("%s: larger than %d MiB", name, maxFile>>20)
			}
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if !yield(found{name, data}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(found{}, err)
		}
	}
}

func endsLike(name string, kind shelf.Kind) bool {
	for _, s := range suffixes[kind] {
		if strings.HasSuffix(strings.ToLower(name), s) {
			return true
		}
	}
	return false
}
