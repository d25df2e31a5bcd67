package queue

import (
	"encoding/base32"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"cairn/store"
)

// How it lies on the branch
//
//	sender                     who sends at the moment (lease.go)
//	ab/cd/efghijklmnop/message the message, sealed
//	ab/cd/efghijklmnop/0       an entry, sealed: what waits for one domain
//	ab/cd/efghijklmnop/1       …
//	ab/cd/efghijklmnop/1xx/100 the hundred and first, and so on
//
// The message's name is abcdefghijklmnop, random. Folders stay small however much waits and however
// many recipients a message has: what a change costs does not depend on either.

const (
	messageFile = "message"
	idLength    = 16
	fan         = 100 // entries in a folder
)

// idCoding spells names of messages.
var idCoding = base32.StdEncoding.WithPadding(base32.NoPadding)

func newID(random [10]byte) string { return strings.ToLower(idCoding.EncodeToString(random[:])) }

// folder returns where a message lies; fs.ErrNotExist for what is no name of one.
func folder(id string) (string, error) {
	if len(id) != idLength || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return "", fmt.Errorf("message %.40q: %w", id, fs.ErrNotExist)
	}
	return id[:2] + "/" + id[2:4] + "/" + id[4:], nil
}

// entryPath returns where the nth entry of a message lies.
func entryPath(folder string, n int) string {
	if n < fan {
		return folder + "/" + strconv.Itoa(n)
	}
	return fmt.Sprintf("%s/%dxx/%d", folder, n/fan, n)
}

// parsePath returns the message and its folder to which the entry at path belongs; ok is false
// for what is no entry.
func parsePath(p string) (id, dir string, ok bool) {
	parts := strings.SplitN(p, "/", 4)
	if len(parts) != 4 {
		return "", "", false
	}
	id = parts[0] + parts[1] + parts[2]
	n, err := strconv.ParseUint(path.Base(p), 10, 31)
	if err != nil {
		return "", "", false
	}
	dir, err = folder(id)
	return id, dir, err == nil && p == entryPath(dir, int(n))
}

// isMessage reports whether a message lies at path.
func isMessage(p string) bool {
	id := strings.ReplaceAll(path.Dir(p), "/", "")
	dir, err := folder(id)
	return err == nil && p == dir+"/"+messageFile
}

// sealName is what the file at path is bound to.
func sealName(path string) string { return "queue/" + path }

// A blobs is a store.Tree or a store.Tx.
type blobs interface {
	Blob(path string) ([]byte, store.Hash, error)
}

// readEntry returns the entry at path; absent is fs.ErrNotExist.
func (q *Queue) readEntry(t blobs, path string) (*entry, error) {
	data, err := q.unseal(t, path)
	if err != nil {
		return nil, err
	}
	e, err := parseEntry(data)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	return e, nil
}

func (q *Queue) unseal(t blobs, path string) ([]byte, error) {
	file, _, err := t.Blob(path)
	if err != nil {
		return nil, err
	}
	return q.secrets.Unseal(sealName(path), file)
}

func (q *Queue) writeEntry(tx *store.Tx, path string, e *entry) error {
	data, err := e.encode()
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return q.seal(tx, path, data)
}

func (q *Queue) seal(tx *store.Tx, path string, data []byte) error {
	file, err := q.secrets.Seal(sealName(path), data)
	if err != nil {
		return err
	}
	return tx.Put(path, file)
}

// removeEntry removes an entry, and its message with the last one.
func removeEntry(tx *store.Tx, path, dir string) error {
	if err := tx.Remove(path); err != nil {
		return err
	}
	for e, err := range tx.Entries(dir) {
		if err != nil || e.Name != messageFile {
			return err
		}
	}
	return tx.Remove(dir)
}
