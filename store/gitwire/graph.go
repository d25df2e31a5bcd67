package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// A graph holds the commits that one request has come across: what links them
// and nothing else, about 150 bytes each. Commits are numbered in the order of
// their discovery and read when they are needed. One goroutine uses it.
type graph struct {
	objs  store.Objects
	index map[store.Hash]int32
	nodes []commitNode

	ends    map[store.Hash]struct{} // commits whose parents are not there and count for nothing
	lenient bool                    // commits that are absent have no parents, and markAbsent
}

type commitNode struct {
	hash    store.Hash
	tree    store.Hash
	date    int64 // the committer's, seconds since 1970
	parents []int32
	loaded  bool
	marks   commitMark
}

// A commitMark is a set of what the walks have found out about a commit. Each
// walk has marks of its own.
type commitMark uint16

const (
	markReached commitMark = 1 << iota // reach: reachable from the view's refs
	markTheirs                         // negotiation: the client has it
	markKnown                          // negotiation: it descends from something the client has
	markShallow                        // depth: the client will have it without its parents
	markDeep                           // depth: the client will have it with its parents
	markAbsent                         // of a lenient graph: it is not there
	markQueued                         // haves: it has been queued
	markTold                           // haves: the remote has been told of it
)

func newGraph(objs store.Objects) *graph {
	return &graph{objs: objs, index: make(map[store.Hash]int32)}
}

// number returns the commit's number, whether or not it has been read.
func (g *graph) number(h store.Hash) int32 {
	i, ok := g.index[h]
	if !ok {
		i = int32(len(g.nodes))
		g.nodes = append(g.nodes, commitNode{hash: h})
		g.index[h] = i
	}
	return i
}

// load makes sure that commit i has been read.
func (g *graph) load(ctx context.Context, i int32) error {
	if g.nodes[i].loaded {
		return nil
	}
	h := g.nodes[i].hash
	o, err := g.objs.Object(ctx, h)
	if g.lenient && errors.Is(err, fs.ErrNotExist) {
		g.nodes[i].loaded = true
		g.mark(i, markAbsent)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read commit %s: %w", h, err)
	}
	if o.Type != object.TypeCommit {
		return fmt.Errorf("read commit %s: it is a %s", h, o.Type)
	}
	tree, parents, date, ok := commitLinks(o.Data)
	if !ok {
		return fmt.Errorf("read commit %s: malformed", h)
	}
	if _, end := g.ends[h]; end {
		parents = nil
	}
	var numbers []int32
	for _, p := range parents {
		numbers = append(numbers, g.number(p))
	}
	n := &g.nodes[i]
	n.tree, n.parents, n.date, n.loaded = tree, numbers, date, true
	return nil
}

// mark adds marks and reports whether any of them is new.
func (g *graph) mark(i int32, m commitMark) bool {
	if g.nodes[i].marks&m == m {
		return false
	}
	g.nodes[i].marks |= m
	return true
}

func (g *graph) markAll(commits []int32, m commitMark) {
	for _, i := range commits {
		g.nodes[i].marks |= m
	}
}

func (g *graph) has(i int32, m commitMark) bool { return g.nodes[i].marks&m != 0 }

// peel follows tags from h and returns the tags passed and the object at the
// end with its type.
func (g *graph) peel(ctx context.Context, h store.Hash) (tags []store.Hash, end store.Hash, t object.Type, err error) {
	for range maxTagChain {
		if i, ok := g.index[h]; ok && g.nodes[i].loaded {
			return tags, h, object.TypeCommit, nil
		}
		t, _, err := g.objs.Stat(ctx, h)
		if err != nil {
			return nil, h, 0, fmt.Errorf("look at object %s: %w", h, err)
		}
		if t != object.TypeTag {
			return tags, h, t, nil
		}
		o, err := g.objs.Object(ctx, h)
		if err != nil {
			return nil, h, 0, fmt.Errorf("read tag %s: %w", h, err)
		}
		target, _, ok := hexLine(o.Data, "object ")
		if !ok {
			return nil, h, 0, fmt.Errorf("read tag %s: malformed", h)
		}
		tags = append(tags, h)
		h = target
	}
	return nil, h, 0, fmt.Errorf("tag %s: more than %d tags of tags", h, maxTagChain)
}

// maxTagChain is how many tags may tag one another.
const maxTagChain = 64
