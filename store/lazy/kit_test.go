package lazy_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/lazy"
	"cairn/store/object"
	"cairn/store/pack"
)

// A host is a repository elsewhere, that answers as git does.
type host struct {
	mu      sync.Mutex
	objects map[store.Hash]object.Object
	asked   []int // how many, in each request

	to store.Receiver
	// fault is asked before each answer; an error is the answer.
	fault func(ctx context.Context, asked []store.Hash) error
	// spoil may change the pack that is sent.
	spoil func([]byte) []byte
}

func newHost(objs ...object.Object) *host {
	h := &host{objects: make(map[store.Hash]object.Object)}
	h.add(objs...)
	return h
}

func (h *host) add(objs ...object.Object) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range objs {
		h.objects[o.Hash()] = o
	}
}

func (h *host) requests() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.asked)
}

// fetch is Options.Fetch.
func (h *host) fetch(ctx context.Context, hashes []store.Hash) error {
	if h.fault != nil {
		if err := h.fault(ctx, hashes); err != nil {
			return err
		}
	}
	objs, err := h.take(hashes)
	if err != nil {
		return err
	}
	data, err := packOf(objs...)
	if err != nil {
		return err
	}
	if h.spoil != nil {
		data = h.spoil(data)
	}
	q, err := h.to.Receive(ctx, bytes.NewReader(data), nil, store.Limits{})
	if err != nil {
		return err
	}
	defer q.Discard()
	return q.Keep(ctx)
}

func (h *host) take(hashes []store.Hash) (objs []object.Object, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, len(hashes))
	for _, hash := range hashes {
		o, ok := h.objects[hash]
		if !ok {
			return nil, fmt.Errorf("not our ref %v: %w", hash, fs.ErrNotExist)
		}
		objs = append(objs, o)
	}
	return objs, nil
}

// packOf returns a pack of these objects. Those whose Base comes before them may
// be deltas.
func packOf(objs ...object.Object) ([]byte, error) {
	var buf bytes.Buffer
	seen := map[store.Hash]bool{}
	var once []object.Object
	for _, o := range objs {
		if !seen[o.Hash()] {
			seen[o.Hash()] = true
			once = append(once, o)
		}
	}
	w := pack.NewWriter(&buf, uint32(len(once)), pack.Fast)
	for _, o := range once {
		if _, err := w.Object(o); err != nil {
			return nil, err
		}
	}
	_, _, err := w.Close()
	return buf.Bytes(), err
}

// lazily returns a Store over a host.
func lazily(t *testing.T, h *host, bytes int64) *lazy.Store {
	t.Helper()
	s := lazy.New(lazy.Options{Bytes: bytes, Fetch: h.fetch})
	h.to = s.Fetched()
	t.Cleanup(func() { s.Close() })
	return s
}

// soon returns a context that ends when patience does.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// await waits until ready says so.
func await(t *testing.T, ready func() bool) {
	t.Helper()
	for ctx := soon(t); !ready(); runtime.Gosched() {
		if ctx.Err() != nil {
			t.Fatal("waited in vain")
		}
	}
}

func blob(data []byte) object.Object { return object.Object{Type: object.TypeBlob, Data: data} }

// noise returns bytes that do not compress.
func noise(random *rand.Rand, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

// site returns a commit, its folders and their files: those of a folder are each a small
// edit of the one before.
func site(seed uint64, folders, files, size int) (objs []object.Object, commit store.Hash) {
	random := rand.New(rand.NewPCG(seed, 1))
	var root []object.Entry
	for i := range folders {
		var entries []object.Entry
		data, base := noise(random, size), object.Zero
		for k := range files {
			data = bytes.Clone(data)
			data[random.IntN(size)]++
			if k%5 == 0 {
				data, base = noise(random, 1+random.IntN(size)), object.Zero
				data = append(data, bytes.Repeat([]byte{byte(k)}, size-len(data))...)
			}
			o := object.Object{Type: object.TypeBlob, Data: data, Base: base}
			base = o.Hash()
			objs = append(objs, o)
			entries = append(entries, object.Entry{Name: fmt.Sprintf("file-%05d", k), Mode: object.ModeFile, Hash: o.Hash()})
		}
		tree := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, entries)}
		objs = append(objs, tree)
		root = append(root, object.Entry{Name: fmt.Sprintf("folder-%04d", i), Mode: object.ModeDir, Hash: tree.Hash()})
	}
	tree := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, root)}
	who := object.Signature{Name: "Tester", Email: "tester@localhost", When: time.Unix(1700000000, 0).UTC()}
	c := object.Commit{Tree: tree.Hash(), Author: who, Committer: who, Message: fmt.Sprintf("site %d\n", seed)}
	o := object.Object{Type: object.TypeCommit, Data: c.Encode()}
	return append(objs, tree, o), o.Hash()
}
