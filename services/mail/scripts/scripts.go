// Package scripts keeps people's Sieve scripts beside their mail, and runs the active one on what they
// get.
//
//	sieve/NAME.sieve    a script
//	sieve/active        the name of the one that runs; without it none does
//	sieve/.answered     whom vacation has answered lately
//
// All of it lies on the branch mail/<user>, so that people may as well write and push it (see
// Check). A Shelf is where a protocol such as ManageSieve finds it; its Filter is what the delivery
// asks:
//
//	shelf := &scripts.Shelf{Mail: service, Key: key}
//	service.Filter = shelf.Filter
//
// # Junk
//
// A message that looks like junk goes to the mailbox for junk when no script is active, and when one is
// and does nothing about the message: that is, wherever the implicit keep of Sieve applies. A script
// that files it, keeps it explicitly or sends it on is obeyed. Vacation answers no junk.
//
// # Mistakes
//
// A script that cannot be read or fails leaves the message to what would be done without it, and the
// log says why.
package scripts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"cairn/services/mail"
	"cairn/services/mail/sieve"
	"cairn/store"
	"cairn/store/object"
)

const (
	folder     = "sieve"
	extension  = ".sieve"
	activeFile = folder + "/active"

	// MaxScripts is how many scripts somebody may have.
	MaxScripts = 100
	maxName    = 128 // characters (RFC 5804 §1.6)
	maxBytes   = 200 // of a name: file systems allow 255
)

// What callers tell apart, besides fs.ErrNotExist and fs.ErrExist.
var (
	ErrActive = errors.New("the script is active: make another one active first, or none")
	ErrLong   = fmt.Errorf("the script is too long: it may have %d bytes", sieve.MaxScript)
	ErrFull   = fmt.Errorf("there are %d scripts already: delete one first", MaxScripts)
)

// A NameError says why a script cannot be called that.
type NameError struct{ Name, Reason string }

func (e *NameError) Error() string {
	return fmt.Sprintf("a script cannot be called %q: %s", e.Name, e.Reason)
}

// A Shelf is where everybody's scripts are. Set its fields before its first use. Safe for concurrent use.
type Shelf struct {
	Mail *mail.Service
	// Key hides whom vacation has answered from whoever keeps the repository.
	Key []byte

	parsed parsed
}

// An Entry is a script by its name.
type Entry struct {
	Name   string
	Active bool
}

// files are what lies on a branch, before or within an update.
type files interface {
	Lookup(path string) (object.Entry, error)
	ReadFile(path string) ([]byte, error)
}

func checkName(name string) error {
	bad := func(reason string) error { return &NameError{name, reason} }
	switch {
	case name == "":
		return bad("a name is not empty")
	case !utf8.ValidString(name):
		return bad("it is not UTF-8")
	case utf8.RuneCountInString(name) > maxName || len(name) > maxBytes:
		return bad("it is too long")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }):
		return bad("it has control characters")
	case strings.ContainsAny(name, `/\`):
		return bad("it has a slash")
	case name[0] == '.':
		return bad("it begins with a dot")
	}
	if err := object.CheckName(name + extension); err != nil {
		return bad(err.Error())
	}
	return nil
}

func pathOf(name string) string { return folder + "/" + name + extension }

// activeIn is the name in the file that says which script runs, "" for none.
func activeIn(f files) (string, error) {
	data, err := f.ReadFile(activeFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(data)), err
}

// exists reports whether there is a script.
func exists(f files, name string) (bool, error) {
	_, err := f.Lookup(pathOf(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// List lists somebody's scripts.
func (s *Shelf) List(ctx context.Context, user string) ([]Entry, error) {
	snapshot, err := s.Mail.Boxes.Box(user).Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return list(snapshot.Tree())
}

func list(t *store.Tree) ([]Entry, error) {
	active, err := activeIn(t)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for e, err := range t.Entries(folder) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list scripts: %w", err)
		}
		if name, ok := strings.CutSuffix(e.Name, extension); ok && isFile(e) && checkName(name) == nil {
			all = append(all, Entry{name, name == active})
		}
	}
	return all, nil
}

func isFile(e object.Entry) bool { return e.Mode == object.ModeFile || e.Mode == object.ModeExecutable }

// Read returns a script; an absent one is fs.ErrNotExist.
func (s *Shelf) Read(ctx context.Context, user, name string) ([]byte, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	snapshot, err := s.Mail.Boxes.Box(user).Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return snapshot.ReadFile(pathOf(name))
}
