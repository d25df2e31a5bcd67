package mailbox

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// folders is what can list folders.
type folders interface {
	Entries(path string) iter.Seq2[object.Entry, error]
}

// A folder is what a mailbox's folder says besides its messages, and those below it. It follows from the folder's
// content alone.
type folder struct {
	record *record // nil: there are only mailboxes below
	loose  bool    // there are messages, or a record that cannot be read
	below  []below
	odd    []string // folders that are no mailboxes because of their names or depth
}

type below struct {
	level string
	file  string
	*folder
	hash store.Hash
}

// maxMailboxes is how many a user has at most.
const maxMailboxes = 10_000

var errMailboxes = fmt.Errorf("there are more than %d mailboxes", maxMailboxes)

// A folderReader reads folders.
type folderReader struct {
	from   reading
	known  *cache[store.Hash, *folder]
	budget int  // how many more may be read
	cut    bool // something lies too deep: what is read does not follow from the content alone
}

// read reads the folder in dir, which hash names.
func (r *folderReader) read(dir string, hash store.Hash, depth int) (*folder, error) {
	if f, ok := r.known.get(hash); ok {
		return f, nil
	}
	if r.budget--; r.budget < 0 {
		return nil, errMailboxes
	}
	f := &folder{}
	for e, err := range r.from.Entries(dir) {
		if err != nil {
			return nil, err
		}
		if err := r.entry(f, dir, e, depth); err != nil {
			return nil, err
		}
	}
	if !r.cut {
		r.known.put(hash, f, int64(128*(1+len(f.below))+64*len(f.odd)))
	}
	return f, nil
}

func (r *folderReader) entry(f *folder, dir string, e object.Entry, depth int) error {
	_, top := parseTop(e.Name)
	switch {
	case e.Mode == object.ModeDir && top, isDrop(e):
		f.loose = true
	case e.Mode == object.ModeDir:
		level, ok := levelName(e.Name)
		r.cut = r.cut || depth == maxDepth
		if !ok || depth == maxDepth {
			f.odd = append(f.odd, e.Name)
			return nil
		}
		child, err := r.read(dir+"/"+e.Name, e.Hash, depth+1)
		if err != nil {
			return err
		}
		f.below = append(f.below, below{level, e.Name, child, e.Hash})
	case e.Name == recordFile && isFile(e):
		data, _, err := r.from.Blob(dir + "/" + e.Name)
		if err != nil {
			return err
		}
		if rec, err := parseRecord(data, false); err == nil {
			f.record = &rec
		} else {
			f.loose = true
		}
	}
	return nil
}

func isFile(e object.Entry) bool {
	return e.Mode == object.ModeFile || e.Mode == object.ModeExecutable
}

// isDrop says that an entry of a mailbox's folder is a message that somebody has put there by hand.
func isDrop(e object.Entry) bool {
	return isFile(e) && len(e.Name) > len(rawExt) && strings.EqualFold(e.Name[len(e.Name)-len(rawExt):], rawExt)
}

// A place is a mailbox and where it lies.
type place struct {
	name   string
	dir    string
	hash   store.Hash // of the folder; Zero when it is not there yet
	record *record
	loose  bool
	parent bool // there are mailboxes below

	imagined bool // the record is not there yet
}

// readPlaces lists the mailboxes of a branch, and folders that are none because of their names.
func (l *listing) readPlaces(from reading, known *cache[store.Hash, *folder]) error {
	e, err := from.Lookup(boxesDir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && e.Mode != object.ModeDir {
		return nil
	}
	if err != nil {
		return err
	}
	r := folderReader{from: from, known: known, budget: maxMailboxes}
	root, err := r.read(boxesDir, e.Hash, 0)
	if err != nil {
		return err
	}
	return l.flatten(root, "", boxesDir)
}

func (l *listing) flatten(f *folder, above, dir string) error {
	for _, name := range f.odd {
		l.odd = append(l.odd, dir+"/"+name)
	}
	for _, c := range f.below {
		p := place{name: above + c.level, dir: dir + "/" + c.file, hash: c.hash, record: c.record, loose: c.loose, parent: len(c.below) > 0}
		if again, err := Canonical(p.name); err != nil || again != p.name {
			l.odd = append(l.odd, p.dir)
			continue
		}
		if l.all = append(l.all, p); len(l.all)+len(l.odd) > maxMailboxes {
			return errMailboxes
		}
		if err := l.flatten(c.folder, p.name+"/", p.dir); err != nil {
			return err
		}
	}
	return nil
}
