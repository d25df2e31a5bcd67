package config

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strconv"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// files is what a store.Tree and a store.Tx have in common.
type files interface {
	Entries(dir string) iter.Seq2[object.Entry, error]
	Blob(path string) ([]byte, store.Hash, error)
}

// load reads t. Records whose file is the same in before are taken from there.
func load(t files, before *snapshot) (*snapshot, error) {
	s := &snapshot{sites: map[string]entry{}}
	for e, err := range t.Entries(dir) {
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		name, ok := siteName(e)
		if !ok {
			continue
		}
		if before != nil && before.sites[name].blob == e.Hash {
			s.sites[name] = before.sites[name]
			continue
		}
		data, _, err := t.Blob(file(name))
		if err != nil && !errors.Is(err, store.ErrTooLarge) {
			return nil, err
		}
		var site *Site
		if err == nil {
			site, err = decode(name, data, false)
		}
		if err != nil {
			site = nil
		}
		s.sites[name] = entry{e.Hash, site, err}
	}
	return s, nil
}

// checkFormat returns a *FormatError when the format is not ours, and
// fs.ErrNotExist when there is none.
func checkFormat(t files) error {
	data, _, err := t.Blob(formatFile)
	if errors.Is(err, store.ErrTooLarge) {
		return &FormatError{"too large"}
	}
	if err != nil {
		return err
	}
	found := strings.TrimSpace(string(data[:min(len(data), 64)]))
	if n, err := strconv.Atoi(found); err != nil || n < 1 || n > Format {
		return &FormatError{found}
	}
	return nil
}

// Check is what a push to the branch must satisfy: our format, nothing but
// sites/NAME.toml and backups.toml beside it, each without unknown keys, and no
// host name twice.
func Check(new *store.Tree) error {
	if err := checkFormat(new); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the file %s is missing: it holds %d", formatFile, Format)
		}
		return err
	}
	for e, err := range new.Entries(".") {
		if err != nil {
			return err
		}
		if e.Name != formatFile && e.Name != backupsFile && (e.Name != dir || e.Mode != object.ModeDir) {
			return fmt.Errorf("%q: config holds %s, %s and %s/NAME.toml and nothing else", e.Name, formatFile, backupsFile, dir)
		}
	}
	if _, err := readBackups(new, true); err != nil {
		return err
	}
	for e, err := range new.Entries(dir) {
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err == nil {
			err = strictRecord(new, e)
		}
		if err != nil {
			return fmt.Errorf("%s/%s: %w", dir, e.Name, err)
		}
	}
	s, err := load(new, nil)
	if err != nil {
		return err
	}
	return s.hostsOnce()
}

func strictRecord(t files, e object.Entry) error {
	name, ok := siteName(e)
	if !ok {
		return errors.New("not a file NAME.toml, where NAME is 1 to 32 of a-z, 0-9 and hyphen, not beginning with a hyphen, and not a reserved word")
	}
	data, _, err := t.Blob(file(name))
	if err != nil {
		return err
	}
	_, err = decode(name, data, true)
	return err
}
