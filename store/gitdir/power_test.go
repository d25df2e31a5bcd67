package gitdir

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A powerDisk does everything on a real disk and keeps account of what would be
// left of it if the power went now. At operation cut it goes.
type powerDisk struct {
	osDisk

	mu   sync.Mutex
	root *node
	ops  int
	cut  int   // the operation that is not completed; -1: none
	full error // when not nil, operation cut fails with it if it needs room, and all goes on
}

var errPowerCut = errors.New("the power is off")

// A node is a file or a folder as it is, and as it is certain to be after a crash.
type node struct {
	folder  bool
	data    []byte
	synced  []byte
	entries map[string]*node
	durable map[string]*node
	pending []entryChange // in entries, not yet in durable
}

// An entryChange gives a name to a node, or takes it away.
type entryChange struct {
	name string
	node *node
}

func newFolder() *node {
	return &node{folder: true, entries: map[string]*node{}, durable: map[string]*node{}}
}

// adopt takes everything as it is for durable.
func (p *powerDisk) adopt(t *testing.T) {
	t.Helper()
	p.root = newFolder()
	err := filepath.WalkDir(string(p.osDisk), func(name string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(string(p.osDisk), name)
		if err != nil || rel == "." {
			return err
		}
		n := newFolder()
		if !e.IsDir() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			n = &node{data: data, synced: data}
		}
		dir, base := p.find(path.Dir(rel)), path.Base(rel)
		dir.entries[base], dir.durable[base] = n, n
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *powerDisk) find(name string) *node {
	n := p.root
	if name == "." {
		return n
	}
	for elem := range strings.SplitSeq(name, "/") {
		if n == nil {
			return nil
		}
		n = n.entries[elem]
	}
	return n
}

func (p *powerDisk) set(name string, n *node) {
	dir := p.find(path.Dir(name))
	base := path.Base(name)
	if n == nil {
		delete(dir.entries, base)
	} else {
		dir.entries[base] = n
	}
	dir.pending = append(dir.pending, entryChange{base, n})
}

// step counts an operation. Torn says that it is the one during which the
// power goes.
func (p *powerDisk) step(needsRoom bool) (torn bool, err error) {
	p.ops++
	switch {
	case p.full != nil && needsRoom && p.ops-1 == p.cut:
		return true, p.full
	case p.full != nil || p.cut < 0 || p.ops-1 < p.cut:
		return false, nil
	}
	return p.ops-1 == p.cut, errPowerCut
}

// do performs an operation on the real disk and, if that went well, on the account.
func (p *powerDisk) do(needsRoom bool, real func() error, account func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.step(needsRoom); err != nil {
		return err
	}
	if err := real(); err != nil {
		return err
	}
	account()
	return nil
}

func (p *powerDisk) create(name string) (f file, err error) {
	n := &node{}
	err = p.do(true,
		func() error { f, err = p.osDisk.create(name); return err },
		func() { p.set(name, n) })
	if err != nil {
		return nil, err
	}
	return &powerFile{f, p, n}, nil
}

func (p *powerDisk) link(old, new string) error {
	return p.do(true, func() error { return p.osDisk.link(old, new) }, func() {
		n := p.find(old)
		if n == nil { // the owner file of a Dir that was opened later
			data, _ := os.ReadFile(p.path(old))
			n = &node{data: data, synced: data}
		}
		p.set(new, n)
	})
}

func (p *powerDisk) rename(old, new string) error {
	return p.do(true, func() error { return p.osDisk.rename(old, new) }, func() {
		n := p.find(old)
		p.set(new, n)
		p.set(old, nil)
	})
}

func (p *powerDisk) remove(name string) error {
	return p.do(false, func() error { return p.osDisk.remove(name) }, func() { p.set(name, nil) })
}

func (p *powerDisk) rmdir(name string) error {
	return p.do(false, func() error { return p.osDisk.rmdir(name) }, func() { p.set(name, nil) })
}

func (p *powerDisk) mkdir(name string) error {
	return p.do(true, func() error { return p.osDisk.mkdir(name) }, func() { p.set(name, newFolder()) })
}

func (p *powerDisk) syncDir(name string) error {
	return p.do(false, func() error { return nil }, func() {
		dir := p.find(name)
		for _, c := range dir.pending {
			c.apply(dir.durable)
		}
		dir.pending = nil
	})
}

func (c entryChange) apply(to map[string]*node) {
	if c.node == nil {
		delete(to, c.name)
	} else {
		to[c.name] = c.node
	}
}

// A powerFile is a file of a powerDisk.
type powerFile struct {
	file
	disk *powerDisk
	node *node
}

func (f *powerFile) Write(b []byte) (int, error) { return f.write(b, int64(len(f.node.data))) }

func (f *powerFile) WriteAt(b []byte, off int64) (int, error) { return f.write(b, off) }

func (f *powerFile) write(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	torn, err := f.disk.step(true)
	if torn {
		b = b[:len(b)/2]
	} else if err != nil {
		return 0, err
	}
	n, writeErr := f.file.WriteAt(b, off)
	if grow := off + int64(n) - int64(len(f.node.data)); grow > 0 {
		f.node.data = append(f.node.data, make([]byte, grow)...)
	}
	copy(f.node.data[off:], b[:n])
	return n, errors.Join(err, writeErr)
}

func (f *powerFile) Truncate(size int64) error {
	return f.disk.do(true, func() error { return f.file.Truncate(size) }, func() {
		f.node.data = append(f.node.data, make([]byte, max(0, size-int64(len(f.node.data))))...)[:size]
	})
}

func (f *powerFile) Sync() error {
	return f.disk.do(true, func() error { return nil }, func() { f.node.synced = append([]byte{}, f.node.data...) })
}

// What happens to changes that were not synced.
const (
	allLost = iota
	allThere
	anyOf // each is lost, or there, or torn, as chance will have it
)

// leftover writes what a crash has left into a new folder.
func (p *powerDisk) leftover(t *testing.T, fate int, random *rand.Rand) osDisk {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	to := memoryDisk(t)
	writeLeftover(t, string(to), p.root, fate, random)
	return to
}

func writeLeftover(t *testing.T, to string, dir *node, fate int, random *rand.Rand) {
	t.Helper()
	entries := map[string]*node{}
	for name, n := range dir.durable {
		entries[name] = n
	}
	for _, c := range dir.pending {
		if fate == allThere || fate == anyOf && random.IntN(2) == 0 {
			c.apply(entries)
		}
	}
	for name, n := range entries {
		name = filepath.Join(to, name)
		var err error
		if n.folder {
			err = os.Mkdir(name, 0o755)
			writeLeftover(t, name, n, fate, random)
		} else {
			err = os.WriteFile(name, n.afterCrash(fate, random), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (n *node) afterCrash(fate int, random *rand.Rand) []byte {
	switch {
	case fate == allThere:
		return n.data
	case fate == anyOf && len(n.data) > len(n.synced):
		return n.data[:len(n.synced)+random.IntN(len(n.data)-len(n.synced)+1)]
	}
	return n.synced
}

// memoryDisk makes a folder that costs no waiting for a disk, where there is such a thing.
func memoryDisk(t *testing.T) osDisk {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "cairn-test-")
	if err != nil {
		return osDisk(t.TempDir())
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return osDisk(dir)
}
