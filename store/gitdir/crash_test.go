package gitdir

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

// A workload is a series of steps, each of which ends acknowledged or not at all.
type workload struct {
	d    *Dir
	refs map[string]store.Hash // as acknowledged
	next map[string]store.Hash // as they will be after the step under way; nil when there is none
	n    int

	before func()      // when not nil, called before each Commit
	failed func(error) // when not nil, called before a step that has failed is tried again
}

// edit moves or makes the named refs, and deletes those with a minus sign, in one Commit.
func (w *workload) edit(names ...string) func() error {
	return func() error {
		var objs []object.Object
		var changes []store.RefChange
		w.next = maps.Clone(w.refs)
		for _, name := range names {
			w.n++
			name, del := strings.CutPrefix(name, "-")
			c := store.RefChange{Name: name, Old: w.refs[name]}
			if delete(w.next, name); !del {
				var o []object.Object
				o, c.New = change(c.Old, "file", fmt.Sprint(name, w.n))
				objs = append(objs, o...)
				w.next[name] = c.New
			}
			changes = append(changes, c)
		}
		if w.before != nil {
			w.before()
		}
		return w.d.Commit(context.Background(), objs, changes)
	}
}

// push receives a pack, keeps it and makes a ref for it.
func (w *workload) push(name string) func() error {
	return func() error {
		w.n++
		objs, tip := change(object.Zero, "pushed", fmt.Sprint(name, w.n))
		q, err := w.d.Receive(context.Background(), bytes.NewReader(packOf(objs)), nil, store.Limits{})
		if err != nil {
			return err
		}
		defer q.Discard()
		if err := q.Keep(context.Background()); err != nil {
			return err
		}
		w.next = maps.Clone(w.refs)
		w.next[name] = tip
		return w.d.Commit(context.Background(), nil, []store.RefChange{{Name: name, New: tip}})
	}
}

func packOf(objs []object.Object) []byte {
	var b bytes.Buffer
	w := pack.NewWriter(&b, uint32(len(objs)), pack.Default)
	for _, o := range objs {
		if _, err := w.Object(o); err != nil {
			panic(err)
		}
	}
	if _, _, err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (w *workload) merge() error {
	free, err := w.d.freePacks()
	if err != nil {
		return err
	}
	defer func() {
		for _, p := range free {
			p.release()
		}
	}()
	return w.d.mergePacks(context.Background(), free)
}

// prune looks for garbage some days from now.
func (w *workload) prune(days int) func() error {
	return func() error { return w.d.pruneAt(context.Background(), time.Now().AddDate(0, 0, days)) }
}

// run performs the steps until one fails.
func (w *workload) run() error {
	const main, a, bx, b, pushed, deep = "refs/heads/main", "refs/heads/a", "refs/heads/b/x", "refs/heads/b", "refs/heads/pushed", "refs/heads/site/www/main"
	for _, step := range []func() error{
		w.edit(main), w.edit(main), w.edit(a, bx), w.edit(a), w.edit(main, a, bx), w.edit(deep),
		w.merge, w.edit("-"+bx, a), w.edit(b), w.prune(0), w.push(pushed), w.edit(main, pushed), w.merge,
		w.edit("-"+main, "-"+a, "-"+b, "-"+pushed, "-"+deep), w.edit(main), w.prune(15),
	} {
		err := step()
		if err != nil && w.failed != nil {
			w.failed(err)
			err = step()
		}
		if err != nil {
			return err
		}
		if w.next != nil {
			w.refs, w.next = w.next, nil
		}
	}
	return nil
}

// newWorkload opens a repository whose writes go through a powerDisk.
func newWorkload(t *testing.T) (*workload, *powerDisk) {
	t.Helper()
	root := memoryDisk(t)
	if err := Init(string(root)); err != nil {
		t.Fatal(err)
	}
	p := &powerDisk{osDisk: root, cut: -1}
	d, err := open(root, p, Options{NoMaintenance: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	d.spares.off = true
	p.adopt(t)
	return &workload{d: d, refs: map[string]store.Hash{}}, p
}

// TestPowerCut cuts the power at every operation of a workload, at every third without
// CAIRN_LONG, and looks at what three kinds of disk would have kept.
func TestPowerCut(t *testing.T) {
	w, p := newWorkload(t)
	if err := w.run(); err != nil {
		t.Fatal(err)
	}
	total := p.ops
	random := rand.New(rand.NewPCG(1, uint64(os.Getpid())))
	rounds, stride := 1, 3
	if os.Getenv("CAIRN_LONG") != "" {
		rounds, stride = 5, 1
	}
	for cut := random.IntN(stride); cut < total; cut += stride {
		w, p := newWorkload(t)
		p.cut = cut
		if err := w.run(); err == nil {
			continue // what failed was only tidying up
		}
		for _, fate := range append([]int{allLost, allThere}, slices.Repeat([]int{anyOf}, rounds)...) {
			left := p.leftover(t, fate, random)
			checkLeftover(t, fmt.Sprintf("cut at %d of %d, fate %d", cut, total, fate), left, w)
			if t.Failed() {
				return
			}
			if rounds > 1 || (cut+fate)%10 == 0 {
				git(t, string(left), "fsck", "--strict", "--full")
			}
		}
	}
	t.Logf("%d operations", total)
}

// checkLeftover opens what a crash has left, compares it with the workload and goes
// on working with it.
func checkLeftover(t *testing.T, what string, root osDisk, w *workload) {
	t.Helper()
	d, err := Open(string(root), Options{NoMaintenance: true})
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	defer d.Close()
	again := &workload{d: d, refs: checkRefs(t, what, d, w), n: 1000}
	if err := again.edit("refs/heads/main", "refs/heads/a")(); err != nil {
		t.Errorf("%s: commit afterwards: %v", what, err)
	}
	if err := again.merge(); err != nil {
		t.Errorf("%s: merge afterwards: %v", what, err)
	}
}

// checkRefs compares refs with what was acknowledged, and with what may or may
// not have happened, as a whole. All that they need must be there.
func checkRefs(t *testing.T, what string, d *Dir, w *workload) (got map[string]store.Hash) {
	t.Helper()
	got = map[string]store.Hash{}
	for ref, err := range d.Refs(context.Background(), "refs/") {
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return got
		}
		got[ref.Name] = ref.Hash
		if err := readHistory(d, ref.Hash); err != nil {
			t.Errorf("%s: %s: %v", what, ref.Name, err)
		}
	}
	if !maps.Equal(got, w.refs) && (w.next == nil || !maps.Equal(got, w.next)) {
		t.Errorf("%s: got %v\nwant %v\nor   %v", what, got, w.refs, w.next)
	}
	return got
}

// readHistory reads every object that a commit needs, and all of its ancestors'.
func readHistory(d *Dir, h store.Hash) error { return readSome(d, h, math.MaxInt) }

// readSome reads a commit and some of its ancestors with their trees and files.
func readSome(d *Dir, h store.Hash, n int) error {
	for ; n > 0 && h != object.Zero; n-- {
		o, err := d.Object(context.Background(), h)
		if err != nil {
			return err
		}
		c, err := object.ParseCommit(o.Data)
		if err != nil {
			return err
		}
		if err := readTree(d, c.Tree); err != nil {
			return err
		}
		if h = object.Zero; len(c.Parents) > 0 {
			h = c.Parents[0]
		}
	}
	return nil
}

func readTree(d *Dir, h store.Hash) error {
	tree, err := d.Object(context.Background(), h)
	if err != nil {
		return err
	}
	entries, err := object.ParseTree(tree.Data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		r, err := d.Open(context.Background(), e.Hash)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, r)
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
