package gitdir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"cairn/store/pack"
)

const packFolder = "objects/pack"

// errPackGone says that a pack was removed before it was opened: its objects
// are in another one now.
var errPackGone = errors.New("pack has been removed")

// A packFile is one pack with its index. The index is mapped for as long as
// somebody holds a reference; the pack is opened when it is first read
// and then stays readable when git or we remove it.
type packFile struct {
	*pack.Pack

	name  string // objects/pack/pack-<hash>, to which .pack, .idx … is added
	size  int64  // of the pack, in bytes
	mtime time.Time
	index *pack.Index

	mapped []byte // the index, if it is mapped
	files  *openFiles
	bases  *pack.BaseCache
	refs   atomic.Int64  // one for each packList and each reader
	used   atomic.Uint64 // when it was last hit, by packTable.clock

	mu   sync.Mutex
	file *os.File // nil until read, and again when openFiles has closed it
}

// openPack opens the pack of that name with one reference.
func (d *Dir) openPack(name string) (*packFile, error) { return d.openPackWith(name, d.bases) }

func (d *Dir) openPackWith(name string, bases *pack.BaseCache) (*packFile, error) {
	st, err := os.Stat(d.root.path(name + ".pack"))
	if err != nil {
		return nil, temporary(err)
	}
	p := &packFile{name: name, size: st.Size(), mtime: st.ModTime(), files: &d.files, bases: bases}
	p.refs.Store(1)
	idx, err := p.readIndex(d.root.path(name + ".idx"))
	if err != nil {
		return nil, temporary(err)
	}
	if p.index, err = pack.OpenIndex(idx); err == nil {
		p.Pack, err = pack.Open(packReader{p, d.root}, p.size, p.index, bases)
	}
	if err != nil {
		p.release()
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return p, nil
}

// mapFrom is the size, in bytes, from which an index is mapped rather than read.
const mapFrom = 64 << 10

// readIndex reads or maps the index, which nobody changes.
func (p *packFile) readIndex(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() < mapFrom {
		idx := make([]byte, st.Size())
		_, err := io.ReadFull(f, idx)
		return idx, err
	}
	p.mapped, err = syscall.Mmap(int(f.Fd()), 0, int(st.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	return p.mapped, os.NewSyscallError("mmap "+path, err)
}

// acquire takes a reference, unless the last one has been given back.
func (p *packFile) acquire() bool {
	for {
		n := p.refs.Load()
		if n == 0 {
			return false
		}
		if p.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (p *packFile) release() {
	if p.refs.Add(-1) > 0 {
		return
	}
	if p.Pack != nil {
		p.bases.Forget(p.Pack)
	}
	p.closeFile()
	if p.mapped != nil {
		syscall.Munmap(p.mapped)
	}
}

// packReader reads a pack at any offset, and opens it when it must.
type packReader struct {
	*packFile
	root osDisk
}

func (r packReader) ReadAt(b []byte, off int64) (int, error) {
	for {
		f, err := r.open()
		if err != nil {
			return 0, err
		}
		n, err := f.ReadAt(b, off)
		if !errors.Is(err, fs.ErrClosed) {
			return n, err
		}
	}
}

func (r packReader) open() (*os.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil {
		return r.file, nil
	}
	f, err := os.Open(r.root.path(r.name + ".pack"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", r.name, errPackGone)
	}
	if err != nil {
		return nil, temporary(err)
	}
	r.file = f
	r.files.opened(r.packFile)
	return f, nil
}

func (p *packFile) closeFile() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != nil {
		p.file.Close()
		p.file = nil
		p.files.closed(p)
	}
}

// maxOpenPacks bounds the packs that are open at once. Merging keeps the number of
// packs far below it; a repository from elsewhere may have thousands.
const maxOpenPacks = 256

// openFiles closes the pack that was opened first when too many are open.
type openFiles struct {
	mu    sync.Mutex
	packs []*packFile // in the order in which they were opened
}

func (o *openFiles) opened(p *packFile) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.packs = append(o.packs, p)
	if len(o.packs) > maxOpenPacks {
		go o.packs[0].closeFile() // not here: it takes that pack's lock
		o.packs = o.packs[1:]
	}
}

func (o *openFiles) closed(p *packFile) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.packs {
		if o.packs[i] == p {
			o.packs = append(o.packs[:i], o.packs[i+1:]...)
			return
		}
	}
}

// packName returns the name of the pack whose index is called file.
func packName(file string) (name string, ok bool) {
	base, ok := strings.CutSuffix(file, ".idx")
	return path.Join(packFolder, base), ok && strings.HasPrefix(base, "pack-")
}
