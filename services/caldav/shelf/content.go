package shelf

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"cairn/store"
	"cairn/store/object"
)

// A content is what a collection's folder holds: its leaves. Many contents share
// most of their leaves.
type content struct {
	flat  *leaf            // files right in the folder
	fans  [256]*leaf       // those in the folders of a fan-out; nil where there is none
	hand  []*leaf          // those in other folders, which people made
	byDir map[string]*leaf // hand
	dirs  int              // folders
	files int              // in all leaves

	births map[string]birth // by name, of a birthday calendar
}

// A leaf is what one folder holds itself, without folders below.
type leaf struct {
	hash  store.Hash
	dir   string // below the collection, with a slash at its end; "" is the collection's own
	files []file // in the order of their names
	bytes int64
	deep  bool // there are folders in it

	mu    sync.Mutex
	uids  []uidEntry // by key
	known bool       // uids have been computed
}

// A file is a resource's file. name is "" when no client could have put it there.
type file struct {
	name, file string
	hash       store.Hash
	size       int64
}

type leafKey struct {
	hash store.Hash
	card bool
	dir  string
}

// A latestKey says where a leaf was seen. It may be another person's: whatever is
// taken from it is compared.
type latestKey struct {
	card      bool
	from, dir string
}

// large is how many files make it worth while to look at what was there before.
const large = 128

type contentKey struct {
	hash store.Hash
	card bool
}

// Bounds of what is read of a collection that came past Check.
const (
	maxDepth   = 8     // folders inside one another
	maxFolders = 10000 // in a collection
	maxFiles   = 1 << 18
)

var errFolders = errors.New("too many folders or files")

// content returns what lies in the folder from of a tree, whose hash is h.
func (s *Shelf) content(kind Kind, t *store.Tree, from string, h store.Hash) (*content, error) {
	key := contentKey{h, kind == Contacts}
	if c, ok := s.contents.get(key); ok {
		return c, nil
	}
	c := &content{flat: &leaf{}}
	if t != nil {
		if err := s.walk(c, kind, t, from, "", h, 0); err != nil {
			return nil, err
		}
		s.contents.put(key, c, c.cost())
	}
	return c, nil
}

func (s *Shelf) walk(c *content, kind Kind, t *store.Tree, from, dir string, h store.Hash, depth int) error {
	l, err := s.leaf(kind, t, from, dir, h)
	if err != nil {
		return err
	}
	switch fan := strings.TrimSuffix(dir, "/"); {
	case dir == "":
		c.flat = l
	case isFan(fan):
		c.fans[unhexLow(fan[0])<<4|unhexLow(fan[1])] = l
	default:
		if c.byDir == nil {
			c.byDir = map[string]*leaf{}
		}
		c.hand = append(c.hand, l)
		c.byDir[dir] = l
	}
	c.dirs++
	if c.files += len(l.files); c.dirs > maxFolders || c.files > maxFiles {
		return errFolders
	}
	if depth == maxDepth || !l.deep {
		return nil
	}
	for e, err := range t.Entries(below(from, dir)) {
		if err != nil {
			return err
		}
		if e.Mode == object.ModeDir && !strings.HasPrefix(e.Name, ".") {
			if err := s.walk(c, kind, t, from, dir+e.Name+"/", e.Hash, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// below joins a collection's folder and a folder below it.
func below(from, dir string) string { return strings.TrimSuffix(from+"/"+dir, "/") }

// leaf reads one folder.
func (s *Shelf) leaf(kind Kind, t *store.Tree, from, dir string, h store.Hash) (*leaf, error) {
	key := leafKey{h, kind == Contacts, dir}
	if l, ok := s.leaves.get(key); ok {
		return l, nil
	}
	l := &leaf{hash: h, dir: dir}
	where := latestKey{kind == Contacts, from, dir}
	before := walker{}
	was, seen := s.latest.get(where)
	if seen {
		before.files = was.files
		l.files = make([]file, 0, len(was.files)+1)
	}
	for e, err := range t.Entries(below(from, dir)) {
		if err != nil {
			return nil, err
		}
		if e.Mode == object.ModeDir && !strings.HasPrefix(e.Name, ".") {
			l.deep = true
		}
		if !isResource(e, kind) {
			continue
		}
		f, ok := before.find(e)
		if !ok {
			size, err := t.BlobSize(e.Hash)
			if err != nil {
				return nil, fmt.Errorf("size of %s%s: %w", dir, e.Name, err)
			}
			f = file{nameIn(dir, e.Name, kind), e.Name, e.Hash, size}
		}
		l.files = append(l.files, f)
		l.bytes += f.size
	}
	if len(l.files) < cap(l.files)/2 {
		// Most of what was here has gone, to a fan-out perhaps. (slices.Clone of none keeps the room.)
		l.files = append([]file(nil), l.files...)
	}
	s.leaves.put(key, l, l.cost())
	if seen || len(l.files) >= s.large {
		s.latest.put(where, l, l.cost())
	}
	return l, nil
}

// A walker goes through the files of a leaf beside the entries of the folder that it
// has become.
type walker struct{ files []file }

// find returns what an entry was, if it is still the same. Entries come in the
// order of the files.
func (w *walker) find(e object.Entry) (file, bool) {
	for len(w.files) > 0 && w.files[0].file < e.Name {
		w.files = w.files[1:]
	}
	if len(w.files) == 0 || w.files[0].file != e.Name || w.files[0].hash != e.Hash {
		return file{}, false
	}
	f := w.files[0]
	// The texts of a leaf lie in the bytes of its folder: those of the one before
	// shall not stay for their sake.
	if f.name == f.file {
		f.name = e.Name
	}
	f.file = e.Name
	return f, true
}

// isResource says whether an entry is a resource's file.
func isResource(e object.Entry, kind Kind) bool {
	return (e.Mode == object.ModeFile || e.Mode == object.ModeExecutable) &&
		strings.HasSuffix(e.Name, kind.ext()) && !strings.HasPrefix(e.Name, ".")
}

// nameIn is how a client would have named a file in a folder, or "".
func nameIn(dir, file string, kind Kind) string {
	name, ok := resourceName(file, kind.ext())
	switch fan := strings.TrimSuffix(dir, "/"); {
	case !ok, strings.HasPrefix(name, handmade):
		return ""
	case dir == "", isFan(fan) && fanOf(name) == fan:
		return name
	}
	return ""
}
