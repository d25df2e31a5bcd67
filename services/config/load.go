package config

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
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
	if err := s.loadMail(t); err != nil {
		return nil, err
	}
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

// loadMail reads what is said of mail.
func (s *snapshot) loadMail(t files) error {
	data, _, err := t.Blob(mailFile)
	switch {
	case err == nil:
		s.mail.Mail, s.mail.err = decodeMail(data, false)
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, store.ErrTooLarge):
		s.mail.err = err
	default:
		return err
	}
	s.domains = map[string]domainEntry{}
	for e, err := range t.Entries(domainDir) {
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		name, ok := domainName(e)
		if !ok {
			continue
		}
		data, _, err := t.Blob(domainFile(name))
		if err != nil && !errors.Is(err, store.ErrTooLarge) {
			return err
		}
		var d *Domain
		if err == nil {
			d, err = decodeDomain(name, data, false)
		}
		s.domains[name] = domainEntry{d, err}
	}
	return nil
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
// sites/NAME.toml, domains/DOMAIN.toml, backups.toml and mail.toml beside it, each without
// unknown keys, and no host name twice.
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
		if e.Mode == object.ModeDir && (e.Name == dir || e.Name == domainDir) {
			continue
		}
		if !slices.Contains([]string{formatFile, backupsFile, mailFile}, e.Name) {
			return fmt.Errorf("%q: config holds %s, %s, %s, %s/NAME.toml and %s/DOMAIN.toml and nothing else", e.Name, formatFile, backupsFile, mailFile, dir, domainDir)
		}
	}
	if _, err := readBackups(new, true); err != nil {
		return err
	}
	if _, err := readMail(new, true); err != nil {
		return fmt.Errorf("%s: %w", mailFile, err)
	}
	if err := strictly(new, dir, strictRecord); err != nil {
		return err
	}
	if err := strictly(new, domainDir, strictDomain); err != nil {
		return err
	}
	s, err := load(new, nil)
	if err != nil {
		return err
	}
	return s.hostsOnce()
}

// strictly looks at each file of a folder, which need not be there.
func strictly(new *store.Tree, dir string, look func(files, object.Entry) error) error {
	for e, err := range new.Entries(dir) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			err = look(new, e)
		}
		if err != nil {
			return fmt.Errorf("%s/%s: %w", dir, e.Name, err)
		}
	}
	return nil
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
