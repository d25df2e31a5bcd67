package caldav

import (
	"errors"
	"io/fs"
	"strings"
	"sync"

	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/object"
)

// folderSizes remembers how many bytes are below folders, by their hashes, so that
// after a change only the folders on its path are looked at.
type folderSizes struct {
	mu    sync.Mutex
	below map[store.Hash]int64 // at most maxFolderSizes
}

const maxFolderSizes = 4096

func (f *folderSizes) get(h store.Hash) (int64, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.below[h]
	return n, ok
}

func (f *folderSizes) put(h store.Hash, n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.below == nil || len(f.below) >= maxFolderSizes {
		f.below = map[store.Hash]int64{}
	}
	f.below[h] = n
}

// bytesBelow is how many bytes the files at and below a path of a snapshot have.
func (x *exchange) bytesBelow(t *store.Tree, at string, e object.Entry) (int64, error) {
	switch e.Mode {
	case object.ModeDir:
	case object.ModeFile, object.ModeExecutable:
		return t.BlobSize(e.Hash)
	default:
		return 0, nil
	}
	if n, ok := x.sizes.get(e.Hash); ok {
		return n, nil
	}
	if strings.Count(at, "/") > maxNames {
		return 0, nil
	}
	var sum int64
	for c, err := range t.Entries(at) {
		if err != nil {
			return 0, err
		}
		n, err := x.bytesBelow(t, at+"/"+c.Name, c)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	x.sizes.put(e.Hash, sum)
	return sum, nil
}

// usedBytes is how many bytes a person has in all (RFC 4331 §4).
func (x *exchange) usedBytes(s *shelf.Snapshot) (int64, error) {
	u, err := s.Usage()
	if err != nil {
		return 0, err
	}
	e, err := s.Tree().Lookup(fileSpace)
	if errors.Is(err, fs.ErrNotExist) {
		return u.Bytes, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := x.bytesBelow(s.Tree(), fileSpace, e)
	return u.Bytes + n, err
}

// room makes sure that there is room for so many bytes of files more. (For objects
// the shelf does.)
func (x *exchange) room(e *shelf.Edit, more int64) error {
	if x.Shelf.Quota() == 0 || more <= 0 {
		return nil
	}
	used, err := x.usedBytes(e.Snapshot)
	if err == nil && used+more > x.Shelf.Quota() {
		err = shelf.ErrQuota
	}
	return err
}
