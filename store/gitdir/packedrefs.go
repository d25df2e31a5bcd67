package gitdir

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

const (
	packedRefsFile = "packed-refs"
	packedRefsHead = "# pack-refs with: peeled fully-peeled sorted \n"
)

// A packedRef is a line of packed-refs. Peeled is what an annotated tag
// leads to, Zero for everything else.
type packedRef struct {
	name         string
	hash, peeled store.Hash
}

// packedRefs is the content of a packed-refs file. It never changes: git and we
// replace the file. Format: git-pack-refs(1), refs/packed-backend.c in git.
type packedRefs struct {
	refs        []packedRef // sorted by name
	fullyPeeled bool        // a tag without a peeled line is not annotated

	// from is the file read, kept open so that its inode is not used again and
	// "same inode" means "same file". Nil when there was none.
	from *os.File
	info fs.FileInfo
}

func (p *packedRefs) find(name string) (packedRef, bool) {
	i, ok := slices.BinarySearchFunc(p.refs, name, func(r packedRef, name string) int {
		return strings.Compare(r.name, name)
	})
	if !ok {
		return packedRef{}, false
	}
	return p.refs[i], true
}

// packed returns packed-refs as it is now.
func (d *Dir) packed() (*packedRefs, error) {
	d.packedMu.Lock()
	defer d.packedMu.Unlock()
	now, err := os.Stat(d.root.path(packedRefsFile))
	if errors.Is(err, fs.ErrNotExist) {
		d.setPacked(&packedRefs{fullyPeeled: true})
		return d.lastPacked, nil
	}
	if err != nil {
		return nil, temporary(err)
	}
	if d.lastPacked.from != nil && os.SameFile(now, d.lastPacked.info) {
		return d.lastPacked, nil
	}
	p, err := readPackedRefs(d.root.path(packedRefsFile))
	if err != nil {
		return nil, err
	}
	d.setPacked(p)
	return p, nil
}

// setPacked replaces what is known of packed-refs. packedMu is held.
func (d *Dir) setPacked(p *packedRefs) {
	if d.lastPacked != nil && d.lastPacked.from != nil {
		d.lastPacked.from.Close()
	}
	d.lastPacked = p
}

// readPackedRefs reads the file at path, which may have gone.
func readPackedRefs(path string) (*packedRefs, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &packedRefs{fullyPeeled: true}, nil
	}
	if err != nil {
		return nil, temporary(err)
	}
	p, err := parsePackedRefs(f)
	if err == nil {
		p.from = f
		p.info, err = f.Stat()
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("read %s: %w", path, temporary(err))
	}
	return p, nil
}

// maxRefLine bounds a line of packed-refs and a loose ref, in bytes.
const maxRefLine = 64 << 10

// parsePackedRefs reads the format that git writes. What is not sorted is
// sorted; memory is bounded by the length of the input.
func parsePackedRefs(r io.Reader) (*packedRefs, error) {
	p := &packedRefs{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxRefLine)
	for lines.Scan() {
		if err := p.line(lines.Bytes()); err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	byName := func(a, b packedRef) int { return strings.Compare(a.name, b.name) }
	if !slices.IsSortedFunc(p.refs, byName) {
		slices.SortStableFunc(p.refs, byName)
	}
	return p, nil
}

func (p *packedRefs) line(line []byte) error {
	if traits, ok := bytes.CutPrefix(line, []byte("# pack-refs with:")); ok && len(p.refs) == 0 {
		p.fullyPeeled = bytes.Contains(traits, []byte(" fully-peeled "))
		return nil
	}
	if len(line) > 0 && line[0] == '#' {
		return nil
	}
	if peeled, ok := bytes.CutPrefix(line, []byte("^")); ok && len(p.refs) > 0 {
		h, ok := parseHash(peeled)
		if !ok {
			return fmt.Errorf("bad peeled line %.60q", line)
		}
		p.refs[len(p.refs)-1].peeled = h
		return nil
	}
	hash, name, _ := bytes.Cut(line, []byte(" "))
	h, ok := parseHash(hash)
	if !ok || len(name) == 0 {
		return fmt.Errorf("bad line %.60q", line)
	}
	p.refs = append(p.refs, packedRef{name: string(name), hash: h})
	return nil
}

func parseHash(b []byte) (h store.Hash, ok bool) {
	if len(b) != 2*len(h) {
		return h, false
	}
	_, err := hex.Decode(h[:], b)
	return h, err == nil && h != object.Zero
}

// writeTo writes the file as git would.
func (p *packedRefs) writeTo(w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	out.WriteString(packedRefsHead)
	for _, r := range p.refs {
		fmt.Fprintf(out, "%s %s\n", r.hash, r.name)
		if r.peeled != object.Zero {
			fmt.Fprintf(out, "^%s\n", r.peeled)
		}
	}
	return out.Flush()
}

// with returns p with refs set, or removed where the hash is Zero. Set is
// sorted by name.
func (p *packedRefs) with(set []packedRef) *packedRefs {
	out := make([]packedRef, 0, len(p.refs)+len(set))
	old := p.refs
	for len(old) > 0 || len(set) > 0 {
		if len(set) == 0 || len(old) > 0 && old[0].name < set[0].name {
			out, old = append(out, old[0]), old[1:]
			continue
		}
		if len(old) > 0 && old[0].name == set[0].name {
			old = old[1:]
		}
		if set[0].hash != object.Zero {
			out = append(out, set[0])
		}
		set = set[1:]
	}
	return &packedRefs{refs: out, fullyPeeled: true}
}
