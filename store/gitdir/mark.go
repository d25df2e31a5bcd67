package gitdir

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

// A marking says which of the repository's packed objects something refers to. It costs
// 20 bytes and a bit for each.
type marking struct {
	d      *Dir
	hashes []store.Hash // sorted
	bits   []uint64
	others map[store.Hash]bool // marked, and in no pack: loose, or new
	todo   []store.Hash
}

// maxMark bounds the objects that can be marked, for memory.
const maxMark = 8 << 20

// mark marks everything that refs and reflogs lead to. An object that is
// missing is an error: of a damaged repository nothing may be removed.
func (d *Dir) mark(ctx context.Context) (*marking, error) {
	m := &marking{d: d, others: map[store.Hash]bool{}}
	list := d.packs.acquire()
	defer list.release()
	for _, p := range list.packs {
		for h := range p.index.All() {
			m.hashes = append(m.hashes, h)
		}
		if len(m.hashes) > maxMark {
			return nil, fmt.Errorf("more than %d objects: garbage is left to git gc", maxMark)
		}
	}
	compare := func(a, b store.Hash) int { return bytes.Compare(a[:], b[:]) }
	slices.SortFunc(m.hashes, compare)
	m.hashes = slices.Compact(m.hashes)
	m.bits = make([]uint64, len(m.hashes)/64+1)
	if err := m.addRoots(ctx); err != nil {
		return nil, err
	}
	for len(m.todo) > 0 {
		h := m.todo[len(m.todo)-1]
		m.todo = m.todo[:len(m.todo)-1]
		if err := m.follow(ctx, h); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *marking) find(h store.Hash) (int, bool) {
	return slices.BinarySearchFunc(m.hashes, h, func(a, b store.Hash) int { return bytes.Compare(a[:], b[:]) })
}

func (m *marking) has(h store.Hash) bool {
	i, ok := m.find(h)
	return ok && m.bits[i/64]&(1<<(i%64)) != 0
}

// add marks an object and reports whether it was not yet.
func (m *marking) add(h store.Hash) bool {
	i, ok := m.find(h)
	if !ok {
		had := m.others[h]
		m.others[h] = true
		return !had
	}
	bit := uint64(1) << (i % 64)
	had := m.bits[i/64]&bit != 0
	m.bits[i/64] |= bit
	return !had
}

// visit marks an object and has it followed.
func (m *marking) visit(h store.Hash) {
	if m.add(h) {
		m.todo = append(m.todo, h)
	}
}

// addRoots begins at every ref, also those whose files are unusual, and at what
// reflogs remember.
func (m *marking) addRoots(ctx context.Context) error {
	d := m.d
	d.list.moved.Add(1) // read them anew
	refs, err := d.allRefs()
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if ref.Hash != object.Zero {
			m.visit(ref.Hash)
		}
	}
	if err := d.list.damage(); err != nil {
		return err
	}
	if head, err := d.readRef("HEAD"); err == nil && head.Hash != object.Zero {
		m.visit(head.Hash)
	}
	return m.addReflogs(ctx)
}

// addReflogs visits the commits in logs/, as far as they are still there.
func (m *marking) addReflogs(ctx context.Context) error {
	return fs.WalkDir(os.DirFS(string(m.d.root)), "logs", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if name == "logs" && err != nil {
				return fs.SkipAll // there are none
			}
			return err
		}
		data, err := os.ReadFile(m.d.root.path(name))
		if err != nil {
			return err
		}
		for line := range bytes.Lines(data) {
			for _, field := range bytes.SplitN(line, []byte(" "), 3)[:min(2, bytes.Count(line, []byte(" ")))] {
				if h, ok := parseHash(field); ok {
					if _, _, err := m.d.Stat(ctx, h); err == nil {
						m.visit(h)
					}
				}
			}
		}
		return nil
	})
}

// follow visits what an object refers to.
func (m *marking) follow(ctx context.Context, h store.Hash) error {
	t, _, err := m.d.Stat(ctx, h)
	if err != nil {
		return err
	}
	if t == object.TypeBlob {
		return nil
	}
	o, err := m.d.Object(ctx, h)
	if err != nil {
		return err
	}
	switch o.Type {
	case object.TypeCommit:
		c, err := object.ParseCommit(o.Data)
		if err != nil {
			return fmt.Errorf("commit %s: %w", h, err)
		}
		m.visit(c.Tree)
		for _, p := range c.Parents {
			m.visit(p)
		}
	case object.TypeTag:
		tag, err := object.ParseTag(o.Data)
		if err != nil {
			return fmt.Errorf("tag %s: %w", h, err)
		}
		m.visit(tag.Object)
	case object.TypeTree:
		return m.followTree(h, o.Data)
	}
	return nil
}

func (m *marking) followTree(h store.Hash, data []byte) error {
	entries, err := object.ParseTree(data)
	if err != nil {
		return fmt.Errorf("tree %s: %w", h, err)
	}
	for _, e := range entries {
		switch e.Mode {
		case object.ModeDir:
			m.visit(e.Hash)
		case object.ModeSubmodule: // of another repository
		default:
			m.add(e.Hash)
		}
	}
	return nil
}
