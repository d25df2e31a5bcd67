package mailbox

import (
	"errors"
	"fmt"
	"io/fs"

	"cairn/services/tomlfile"
	"cairn/store"
	"cairn/store/object"
)

// A record is a mailbox's own file, mailbox.toml. The sums are there so that STATUS and quotas need not look at
// every message; Settle corrects them after a push.
type record struct {
	UIDValidity uint32     `toml:"uid_validity"`
	UIDNext     UID        `toml:"uid_next"`
	ModSeq      uint64     `toml:"modseq"` // the highest
	Messages    int        `toml:"messages"`
	Unseen      int        `toml:"unseen"`
	Deleted     int        `toml:"deleted"` // flagged so
	Bytes       int64      `toml:"bytes"`   // as served
	Use         SpecialUse `toml:"special_use,omitempty"`
}

// A rootRecord is the file mail.toml.
type rootRecord struct {
	Format      int    `toml:"format"`
	UIDValidity uint32 `toml:"uid_validity"` // the highest that any mailbox ever had
}

// format is the version of the layout.
const format = 1

// errFormat says that a newer program has written the branch: writing could damage it.
var errFormat = errors.New("this mail is in a format of a newer version: update the program")

func parseRecord(data []byte, strict bool) (record, error) {
	var r record
	if err := tomlfile.Decode(data, &r, strict); err != nil {
		return record{}, err
	}
	switch {
	case r.UIDValidity == 0:
		return record{}, errors.New("uid_validity is missing")
	case r.UIDNext == 0:
		return record{}, errors.New("uid_next is missing")
	case r.ModSeq == 0 || r.ModSeq >= 1<<63:
		return record{}, errors.New("modseq is missing or too large")
	case r.Messages < 0 || r.Unseen < 0 || r.Deleted < 0 || r.Bytes < 0:
		return record{}, errors.New("messages, unseen, deleted and bytes are at least 0")
	case r.Use != "" && !validUse(r.Use):
		return record{}, fmt.Errorf("special_use %q is none of RFC 6154", r.Use)
	}
	return r, nil
}

// newRecord is that of an empty mailbox.
func newRecord(validity uint32, use SpecialUse) record {
	return record{UIDValidity: validity, UIDNext: 1, ModSeq: 1, Use: use}
}

// A reading is a Tree or a Tx.
type reading interface {
	folders
	Lookup(path string) (object.Entry, error)
	Blob(path string) ([]byte, store.Hash, error)
}

// readRoot reads mail.toml; there is none where nothing has been written yet.
func readRoot(from reading, strict bool) (r rootRecord, there bool, err error) {
	data, _, err := from.Blob(rootFile)
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err == nil {
		err = tomlfile.Decode(data, &r, strict)
	}
	switch {
	case err != nil:
	case r.Format > format:
		err = errFormat
	case r.Format < 1 || r.UIDValidity == 0:
		err = errors.New("format or uid_validity is missing")
	}
	if err != nil {
		return r, true, fmt.Errorf("%s: %w", rootFile, err)
	}
	return r, true, nil
}
