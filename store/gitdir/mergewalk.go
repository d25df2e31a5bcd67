package gitdir

import (
	"context"

	"cairn/store"
	"cairn/store/object"
)

// A mergeWalk puts objects in the order of history, oldest first, and links
// every tree and blob with its predecessor at the same path and every
// commit with its parent.
type mergeWalk struct {
	set   *mergeSet
	roots map[uint32]uint32 // commit → root tree, both by number
	trees map[uint32][]byte // content of the trees that were visited last
	held  []uint32          // these, oldest first
	bytes int
}

// heldBytes bounds the content of trees in memory.
const heldBytes = 16 << 20

// arrange decides the order of all objects.
func (s *mergeSet) arrange(ctx context.Context) error {
	w := &mergeWalk{set: s, roots: map[uint32]uint32{}, trees: map[uint32][]byte{}}
	for i := range s.objects {
		if s.objects[i].typ == object.TypeCommit && !s.objects[i].walked {
			if err := w.history(ctx, uint32(i)); err != nil {
				return err
			}
		}
	}
	s.placeRest()
	return nil
}

// A walkFrame is a commit whose ancestors are being visited.
type walkFrame struct {
	commit  uint32
	tree    store.Hash
	parents []uint32 // those in the set
	next    int
}

// history visits a commit after its ancestors, as far as they are in the set.
func (w *mergeWalk) history(ctx context.Context, tip uint32) error {
	f, err := w.open(tip)
	stack := []walkFrame{f}
	for err == nil && len(stack) > 0 {
		f := &stack[len(stack)-1]
		if f.next == len(f.parents) {
			if err = w.commit(f); err == nil {
				err = ctx.Err()
			}
			stack = stack[:len(stack)-1]
			continue
		}
		p := f.parents[f.next]
		f.next++
		if o := &w.set.objects[p]; !o.walked && o.typ == object.TypeCommit {
			var opened walkFrame
			opened, err = w.open(p)
			stack = append(stack, opened)
		}
	}
	return err
}

func (w *mergeWalk) open(i uint32) (walkFrame, error) {
	w.set.objects[i].walked = true
	f := walkFrame{commit: i}
	data, err := w.set.content(i)
	if err != nil {
		return f, err
	}
	c, err := object.ParseCommit(data)
	if err != nil {
		return f, nil // a damaged commit is kept as it is
	}
	f.tree = c.Tree
	for _, h := range c.Parents {
		if p, ok := w.set.find(h); ok {
			f.parents = append(f.parents, p)
		}
	}
	return f, nil
}

// commit places a commit and what is new in its tree.
func (w *mergeWalk) commit(f *walkFrame) error {
	pred, before := none, none
	if len(f.parents) > 0 {
		pred = f.parents[0]
		if root, ok := w.roots[pred]; ok {
			before = root
		}
	}
	w.put(f.commit, pred)
	root, ok := w.set.find(f.tree)
	if !ok {
		root = before // an old tree again
	}
	if root == none {
		return nil
	}
	w.roots[f.commit] = root
	return w.tree(root, before, maxTreeDepth)
}

// put links an object and places it, unless it has its place.
func (w *mergeWalk) put(i, pred uint32) {
	if w.set.objects[i].state == waiting {
		w.set.link(i, pred)
		w.set.place(i)
	}
}

// maxTreeDepth bounds the folders that are followed downwards. What is
// deeper is placed at the end.
const maxTreeDepth = 200

// tree places a tree and what is new in it since before, another version of it.
func (w *mergeWalk) tree(i, before uint32, depth int) error {
	if o := &w.set.objects[i]; o.walked || o.typ != object.TypeTree || depth == 0 {
		return nil
	}
	w.set.objects[i].walked = true
	w.put(i, before)
	data, err := w.treeData(i)
	if err != nil {
		return err
	}
	var old []byte
	if before != none && w.set.objects[before].typ == object.TypeTree {
		if old, err = w.treeData(before); err != nil {
			return err
		}
	}
	for e, was := range changedEntries(old, data) {
		n, ok := w.set.find(e)
		if !ok {
			continue
		}
		pred, ok := w.set.find(was)
		if !ok {
			pred = none
		}
		if w.set.objects[n].typ != object.TypeTree {
			w.put(n, pred)
		} else if err := w.tree(n, pred, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// treeData returns a tree's content, most often from memory.
func (w *mergeWalk) treeData(i uint32) ([]byte, error) {
	if data, ok := w.trees[i]; ok {
		return data, nil
	}
	data, err := w.set.content(i)
	if err != nil {
		return nil, err
	}
	w.trees[i] = data
	w.held = append(w.held, i)
	for w.bytes += len(data); w.bytes > heldBytes && len(w.held) > 1; w.held = w.held[1:] {
		w.bytes -= len(w.trees[w.held[0]])
		delete(w.trees, w.held[0])
	}
	return data, nil
}
