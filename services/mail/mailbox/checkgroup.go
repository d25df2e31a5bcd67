package mailbox

import (
	"fmt"

	"cairn/store"
	"cairn/store/object"
)

// A boxCheck judges the messages of one mailbox.
type boxCheck struct {
	*checker
	dir, oldDir string  // oldDir is "" when the mailbox is new
	rec, was    *record // nil: there is none
}

// tops judges the folders that have changed.
func (b *boxCheck) tops() error {
	before, err := b.before("", parseTop)
	if err != nil {
		return err
	}
	tops, err := subdirs(b.new, b.dir, parseTop)
	if err != nil {
		return err
	}
	for _, t := range tops {
		if before[t.n] == t.hash {
			continue
		}
		if err := b.top(t.n); err != nil {
			return err
		}
	}
	return nil
}

// before lists the folders of what was at a path of the mailbox.
func (b *boxCheck) before(path string, parse func(string) (uint32, bool)) (map[uint32]store.Hash, error) {
	if b.oldDir == "" {
		return nil, nil
	}
	list, err := subdirs(b.old, b.oldDir+path, parse)
	m := make(map[uint32]store.Hash, len(list))
	for _, e := range list {
		m[e.n] = e.hash
	}
	return m, err
}

func (b *boxCheck) top(top uint32) error {
	dir := b.dir + "/" + topName(top)
	before, err := b.before("/"+topName(top), parseGroup)
	if err != nil {
		return err
	}
	for e, err := range b.new.Entries(dir) {
		if err == nil {
			err = b.look()
		}
		if err != nil {
			return err
		}
		n, ok := parseGroup(e.Name)
		if !ok || n/perTop != top || e.Mode != object.ModeDir {
			return fmt.Errorf("%s/%s does not belong here: put a message into %s itself", dir, e.Name, b.dir)
		}
		if before[n] == e.Hash {
			continue
		}
		if err := b.group(dir+"/"+e.Name, n, e.Hash, before[n]); err != nil {
			return err
		}
	}
	return nil
}

// group judges the messages in one folder.
func (b *boxCheck) group(dir string, n uint32, hash, oldHash store.Hash) error {
	state := false
	for e, err := range b.new.Entries(dir) {
		if err == nil {
			err = b.look()
		}
		if err != nil {
			return err
		}
		uid, _, ok := parseFile(e.Name)
		switch {
		case e.Name == stateFile && isFile(e):
			state = true
		case !ok || groupOf(uid) != n || !isFile(e):
			return fmt.Errorf("%s/%s does not belong here: put a message into %s itself", dir, e.Name, b.dir)
		default:
			if err := b.size(dir+"/"+e.Name, e); err != nil {
				return err
			}
		}
	}
	if err := b.state(dir, n, state); err != nil {
		return err
	}
	is, err := readGroup(b.new, dir, n, hash)
	if err != nil {
		return err
	}
	for _, f := range is.stray {
		if f.raw != object.Zero {
			return fmt.Errorf("%s/%d%s has no line in %s: remove both or neither, and put a new message into %s itself", dir, f.uid, rawExt, stateFile, b.dir)
		}
	}
	was := &group{n: n}
	if oldHash != object.Zero {
		if was, err = readGroup(b.old, b.oldDir+"/"+groupDir(n), n, oldHash); err != nil {
			return err
		}
	}
	return b.messages(dir, is, was)
}

// state judges whether the file flags.txt can be read.
func (b *boxCheck) state(dir string, n uint32, there bool) error {
	at := dir + "/" + stateFile
	if !there {
		return nil // no message can be there without a line
	}
	data, _, err := b.new.Blob(at)
	if err == nil {
		_, err = parseState(data, n)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}
