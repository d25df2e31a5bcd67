// Package gitdir is the store.Backend over an ordinary bare git repository on disk,
// which stock git can use at the same time.
//
//	err := gitdir.Init(path) // once
//	dir, err := gitdir.Open(path, gitdir.Options{})
//	defer dir.Close()
//	repo := store.New(dir, store.Options{})
//
// # What is on disk
//
// What git documents in gitrepository-layout(5): loose objects and packs are
// read; each Commit writes one pack; refs are loose or in packed-refs. Beside it a
// folder cairn/ holds the files we are writing. `git log`, `git fsck`, `git clone`,
// `git push`, `git gc` and `git pack-refs` may run at any time.
//
// # Durability
//
// When Commit or Keep has returned nil, every file involved has been
// synced, and so has every folder in which a name has changed, objects before the
// refs that need them. What a crash may leave is files in cairn/, locks, and packs
// that no ref needs; Open and the maintenance remove them.
//
// # Other processes
//
// Refs change under git's own <ref>.lock and packed-refs.lock files; files are
// replaced by rename and never changed. A pack that holds what no ref names yet has a
// .keep file until its ref has moved, as with git's own receive-pack: a `git gc
// --prune=now` that runs in between leaves it alone. Packs that others add are
// found when an object is missed; packs that others remove stay readable for those
// who have them open, and their objects are looked for anew by those who
// have not.
//
// # Caveats
//
// Folders must be on one local file system that knows hard links and flock. Repositories
// with alternates, cut-off history, SHA-256, reftable or any extension not known are
// refused by Open. Reflogs are not written.
package gitdir

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"cairn/store"
	"cairn/store/pack"
)

// Options adjust a Dir. The zero value is meant for use.
type Options struct {
	// CacheBytes bounds the memory, in bytes, kept for objects that deltas
	// lean on. Default 32 MiB.
	CacheBytes int64

	// NoMaintenance leaves packs unmerged and garbage where it is, unless
	// Maintain is called.
	NoMaintenance bool

	// Grace is how long an object that no ref needs is kept. Default two weeks, as git.
	Grace time.Duration

	// Partial opens a repository that InitPartial has made: every object is also
	// elsewhere, so that any may be absent. Refs may lead to what is absent, and
	// nothing is taken for garbage because nothing here refers to it. Trim makes room.
	Partial bool

	// Log is told what is damaged and what maintenance could not do.
	// Default: nobody is.
	Log *slog.Logger
}

// A Dir is an open repository. It is a store.Backend, store.Receiver and
// store.Packed, and safe for concurrent use, also by several processes.
type Dir struct {
	root  osDisk // for reading
	disk  disk   // for writing
	owner *owner
	log   *slog.Logger
	grace time.Duration

	partial bool
	bound   atomic.Int64 // what Trim was told last, in bytes

	files openFiles
	packs packTable
	bases *pack.BaseCache

	refsMu sync.RWMutex
	refs   map[string]*cachedRef
	list   refList

	packedMu   sync.Mutex
	lastPacked *packedRefs

	refMu   sync.Mutex        // one change of refs at a time
	settled map[string]uint64 // folders of refs known to be durable, with their inodes

	spares spares

	keepMu sync.Mutex
	keeps  map[string]int // packs whose .keep file is ours, and how many hold it

	movedMu sync.Mutex
	movedCh chan struct{}

	maintaining sync.Mutex
	damaged     map[string]bool // packs that could not be merged; maintaining guards it

	poke  chan struct{} // asks for maintenance
	fresh atomic.Int64  // packs committed since the last one

	closed chan struct{}
	once   sync.Once
	work   sync.WaitGroup
	stop   context.CancelFunc
}

var (
	_ store.Backend  = (*Dir)(nil)
	_ store.Packed   = (*Dir)(nil)
	_ store.Receiver = (*Dir)(nil)
)

const defaultCacheBytes = 32 << 20

// Open opens the bare repository in dir, clears away what a crash has left and starts
// the maintenance. The caller closes it.
func Open(dir string, o Options) (*Dir, error) { return open(osDisk(dir), osDisk(dir), o) }

// open opens the repository at root and writes to it through w.
func open(root osDisk, w disk, o Options) (*Dir, error) {
	if err := checkFormat(root, o.Partial); err != nil {
		return nil, err
	}
	own, err := newOwner(root)
	if err != nil {
		return nil, fmt.Errorf("open repository %s: %w", root, err)
	}
	if err = sweep(root); err == nil && o.Partial {
		err = promiseAll(root, w)
	}
	if err != nil {
		own.close(root)
		return nil, fmt.Errorf("open repository %s: %w", root, temporary(err))
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCacheBytes
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	d := &Dir{
		root: root, disk: w, owner: own, log: o.Log, grace: o.Grace, partial: o.Partial,
		bases: pack.NewBaseCache(o.CacheBytes), refs: map[string]*cachedRef{},
		lastPacked: &packedRefs{fullyPeeled: true}, settled: map[string]uint64{},
		keeps: map[string]int{}, damaged: map[string]bool{},
		spares: spares{ready: make(chan staged, maxSpares)},
		closed: make(chan struct{}), poke: make(chan struct{}, 1),
	}
	d.packs.set(nil)
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	if !o.NoMaintenance {
		d.work.Go(func() { d.maintainLoop(ctx) })
	}
	return d, nil
}

// Close ends the maintenance, waits for it, and gives back files and
// memory. No other method may be called any more.
func (d *Dir) Close() error {
	var err error
	d.once.Do(func() {
		close(d.closed)
		d.stop()
		d.work.Wait()
		for len(d.spares.ready) > 0 {
			d.discard(<-d.spares.ready)
		}
		d.packs.change(nil, func(*packFile) bool { return true })
		d.packedMu.Lock()
		d.setPacked(&packedRefs{fullyPeeled: true})
		d.packedMu.Unlock()
		err = d.owner.close(d.root)
	})
	return err
}
