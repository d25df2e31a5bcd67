package gitwire

import (
	"context"
	"fmt"
	"io/fs"
	"math"

	"cairn/store"
	"cairn/store/object"
)

// A selection is the objects of a pack to be sent, each once. It takes about
// 75 bytes per object.
//
// Trees are compared with those of the parent commits, oldest commit first, and
// equal subtrees are passed over: the work is what changed, not what there is.
type selection struct {
	g      *graph
	filter filter
	note   func(n int) // told how many objects there are so far

	list    []store.Hash         // commits newest first, then tags, trees and blobs
	commits int                  // how many of list are commits
	index   map[store.Hash]int32 // position in list, or one of the values below
	depth   map[store.Hash]int   // how deep a tree was met, kept only where a filter counts
	again   int                  // how many trees were met again, less deep
}

// Values of selection.index that are no positions.
const (
	clientHas   = -1
	filteredOut = -2
)

// maxTreeDepth is how deep folders may nest (core.maxTreeDepth of git).
const maxTreeDepth = 2048

// maxEdges is how many of the client's commits a tree without usable parents is
// compared with.
const maxEdges = 8

func newSelection(g *graph, f filter, note func(int)) *selection {
	s := &selection{g: g, filter: f, note: note, index: make(map[store.Hash]int32)}
	if f.hasDepth && f.treeDepth > 1 {
		s.depth = make(map[store.Hash]int)
	}
	return s
}

// wanted is what a selection starts from.
type wanted struct {
	hashes []store.Hash       // commits, tags, trees, blobs
	has    []int32            // commits that the client has, with all they reach
	grafts map[int32]struct{} // commits without parents, for the client
}

// collect fills the selection with what is wanted and not had.
func (s *selection) collect(ctx context.Context, w wanted) error {
	var heads []int32
	var tags, trees, blobs []store.Hash
	for _, h := range w.hashes {
		chain, end, t, err := s.g.peel(ctx, h)
		if err != nil {
			return err
		}
		tags = append(tags, chain...)
		switch t {
		case object.TypeCommit:
			i := s.g.number(end)
			heads = append(heads, i)
		case object.TypeTree:
			trees = append(trees, end)
		default:
			blobs = append(blobs, end)
		}
	}
	sp := &span{g: s.g, grafts: w.grafts, since: math.MinInt64}
	commits, err := sp.commits(ctx, heads, w.has)
	if err != nil {
		return err
	}
	named := make(map[int32]struct{}, len(heads))
	for _, i := range heads {
		named[i] = struct{}{}
	}
	for _, i := range commits {
		if s.g.has(i, markAbsent) {
			return fmt.Errorf("read commit %s: %w", s.g.nodes[i].hash, fs.ErrNotExist)
		}
		if _, ok := named[i]; ok || s.filter.sends(object.TypeCommit) {
			s.add(s.g.nodes[i].hash)
		}
	}
	s.commits = len(s.list)
	for _, h := range append(tags, blobs...) {
		s.add(h)
	}
	for _, h := range trees {
		s.add(h)
		if err := s.tree(ctx, h, 0, nil, true); err != nil {
			return err
		}
	}
	if !s.filter.walksTrees() {
		return nil
	}
	return s.trees(ctx, sp, commits, w.has)
}

// trees adds the trees of the commits, which stand newest first.
func (s *selection) trees(ctx context.Context, sp *span, commits, has []int32) error {
	compare := len(has) > 0 && !s.filter.hasDepth
	var edges []store.Hash
	if compare {
		for _, i := range has[:min(len(has), maxEdges)] {
			if err := s.g.load(ctx, i); err != nil {
				return err
			}
			if !s.g.has(i, markAbsent) {
				edges = append(edges, s.g.nodes[i].tree)
			}
		}
	}
	done := make(map[int32]struct{})
	for k := len(commits) - 1; k >= 0; k-- {
		i := commits[k]
		var bases []store.Hash
		if compare {
			for _, p := range sp.parents(i) {
				if s.g.has(p, markAbsent) {
					continue
				}
				if _, ok := done[p]; (ok || sp.hidden(p)) && len(bases) < maxEdges {
					bases = append(bases, s.g.nodes[p].tree)
				}
			}
			if len(bases) == 0 {
				bases = edges
			}
			done[i] = struct{}{}
			for _, b := range bases {
				s.had(b)
			}
		}
		if err := s.tree(ctx, s.g.nodes[i].tree, 0, bases, false); err != nil {
			return fmt.Errorf("commit %s: %w", s.g.nodes[i].hash, err)
		}
	}
	return nil
}

// had notes an object that the client has, unless it is to be sent or left out.
func (s *selection) had(h store.Hash) {
	if _, known := s.index[h]; !known {
		s.index[h] = clientHas
	}
}

// add puts an object into the pack; false when it had been decided before.
func (s *selection) add(h store.Hash) bool {
	if _, dup := s.index[h]; dup {
		return false
	}
	s.index[h] = int32(len(s.list))
	s.list = append(s.list, h)
	s.note(len(s.list))
	return true
}

// position returns where an object stands in the list.
func (s *selection) position(h store.Hash) (int32, bool) {
	i, ok := s.index[h]
	return i, ok && i >= 0
}

// includeTags adds the annotated tags whose objects are in the selection.
func (s *selection) includeTags(tags []tagRef) {
	for _, t := range tags {
		if _, ok := s.position(t.end); !ok || !s.filter.sends(object.TypeTag) {
			continue
		}
		for _, h := range t.tags {
			s.add(h)
		}
	}
}
