package mailbox

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

// A group is the messages of 100 UIDs: what is in one folder. It follows from the folder's content alone, and
// is immutable.
type group struct {
	n    uint32
	tree store.Hash
	msgs []Message // by UID

	sums
	stray   []files // without a line in flags.txt
	missing bool    // there are lines without a file, or without a modseq
}

// sums are what the messages of a group, or of a mailbox, come to.
type sums struct {
	messages, unseen, deleted int
	bytes                     int64
}

// count adds a message by times.
func (s *sums) count(m *Message, by int) {
	s.messages += by
	s.bytes += int64(by) * int64(m.Size)
	if !m.Flags.Has(Seen) {
		s.unseen += by
	}
	if m.Flags.Has(Deleted) {
		s.deleted += by
	}
}

func (s *sums) join(t sums) {
	s.messages += t.messages
	s.unseen += t.unseen
	s.deleted += t.deleted
	s.bytes += t.bytes
}

// messageBytes is what a message takes in memory.
const messageBytes = 88

// files are those of one message. Zero is absent.
type files struct {
	uid        UID
	raw, trace store.Hash
}

// readGroup reads the group n in the folder dir. An error means that it cannot be read now, not that there is something
// wrong with it.
func readGroup(from reading, dir string, n uint32, tree store.Hash) (*group, error) {
	g := &group{n: n, tree: tree}
	list, state, err := readFiles(from, dir, n)
	if err != nil {
		return nil, err
	}
	if !state {
		g.match(nil, list)
		return g, nil
	}
	data, _, err := from.Blob(dir + "/" + stateFile)
	if errors.Is(err, store.ErrTooLarge) {
		data, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	msgs, _ := parseState(data, n)
	g.match(msgs, list)
	return g, nil
}

// readFiles lists the messages' files in a folder, by UID, and says whether there is a state file.
func readFiles(from reading, dir string, n uint32) (list []files, state bool, err error) {
	sorted := true
	for e, err := range from.Entries(dir) {
		if err != nil {
			return nil, false, err
		}
		if !isFile(e) {
			continue
		}
		if e.Name == stateFile {
			state = true
		}
		uid, ext, ok := parseFile(e.Name)
		if !ok || groupOf(uid) != n {
			continue
		}
		if len(list) == 0 || list[len(list)-1].uid != uid {
			sorted = sorted && (len(list) == 0 || list[len(list)-1].uid < uid)
			list = append(list, files{uid: uid})
		}
		if f := &list[len(list)-1]; ext == rawExt {
			f.raw = e.Hash
		} else {
			f.trace = e.Hash
		}
	}
	if !sorted { // in the folder of 0 to 99, or of 9 and 10 thousand
		slices.SortFunc(list, func(a, b files) int { return cmp.Compare(a.uid, b.uid) })
	}
	return list, state, nil
}

// match brings lines and files together.
func (g *group) match(msgs []Message, list []files) {
	kept := msgs[:0]
	for _, m := range msgs {
		for len(list) > 0 && list[0].uid < m.UID {
			g.stray = append(g.stray, list[0])
			list = list[1:]
		}
		if len(list) == 0 || list[0].uid != m.UID || list[0].raw == object.Zero {
			g.missing = true
			continue
		}
		m.Blob, m.Trace = list[0].raw, list[0].trace
		list = list[1:]
		g.missing = g.missing || m.ModSeq == 0
		g.count(&m, 1)
		kept = append(kept, m)
	}
	g.stray = append(g.stray, list...)
	g.msgs = slices.Clip(kept)
}

// subdirs lists the folders in dir whose names parse says are numbers, in the order of these. There are none where
// dir is absent.
func subdirs(from folders, dir string, parse func(string) (uint32, bool)) ([]numbered, error) {
	var list []numbered
	for e, err := range from.Entries(dir) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if n, ok := parse(e.Name); ok && e.Mode == object.ModeDir {
			list = append(list, numbered{n, e.Hash})
		}
	}
	slices.SortFunc(list, func(a, b numbered) int { return cmp.Compare(a.n, b.n) })
	return list, nil
}

// A numbered is a folder whose name is a number.
type numbered struct {
	n    uint32
	hash store.Hash
}
