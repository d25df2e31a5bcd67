package gitwire

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

// Bounds of what a remote is told of the local history.
const (
	maxHaves    = 256
	maxHaveTips = 128
	haveDepth   = 1 << 12 // first parents looked at below one tip
	denseHaves  = 16      // of these each is told, below them fewer and fewer
)

// haves returns commits that refs reach: the tips, the commits
// next below them, and then commits at doubling distances. Told all in one request,
// they spare rounds of negotiation; where histories part between two of them,
// the remote sends at most about twice what is needed.
func haves(ctx context.Context, objs store.Objects, refs []store.Ref) ([]store.Hash, error) {
	g := newGraph(objs)
	told := make(map[store.Hash]bool)
	var list []store.Hash
	tell := func(h store.Hash) {
		if !told[h] && len(list) < maxHaves {
			told[h] = true
			list = append(list, h)
		}
	}
	tips, err := commitTips(ctx, g, refs)
	if err != nil {
		return nil, err
	}
	for _, i := range tips {
		tell(g.nodes[i].hash)
	}
	for _, i := range tips {
		next := 1
		for depth := 0; depth < haveDepth && len(list) < maxHaves; depth++ {
			if err := g.load(ctx, i); err != nil {
				return nil, err
			}
			if depth == next {
				tell(g.nodes[i].hash)
				if next++; depth >= denseHaves {
					next = 2 * depth
				}
			}
			if len(g.nodes[i].parents) == 0 {
				break
			}
			i = g.nodes[i].parents[0]
		}
	}
	return list, nil
}

// commitTips returns the commits that refs name, by way of tags too, each once.
func commitTips(ctx context.Context, g *graph, refs []store.Ref) ([]int32, error) {
	var tips []int32
	for _, ref := range refs {
		if len(tips) == maxHaveTips {
			break
		}
		_, end, t, err := g.peel(ctx, ref.Hash)
		if errors.Is(err, fs.ErrNotExist) || err == nil && t != object.TypeCommit {
			continue
		}
		if err != nil {
			return nil, err
		}
		if i := g.number(end); !slices.Contains(tips, i) {
			tips = append(tips, i)
		}
	}
	return tips, nil
}
