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
	maxHaves    = 256     // in the first question
	maxHaveTips = 128     // of them, tips
	haveDepth   = 1 << 12 // first parents looked at below one tip
	denseHaves  = 16      // of these each is told, below them fewer and fewer
	maxRounds   = 8       // questions, each with twice as many as the one before
	maxVain     = 1 << 10 // told since the remote last knew one, when it knows some
)

// haves are what the remote is told of the local history, in the order of its use.
type haves struct {
	g     *graph
	tips  []int32
	first []store.Hash // for the first question
	whole bool         // first says what there is to say

	begun bool
	queue commitQueue
}

// newHaves finds the first to tell: the tips, the commits next below them, and then
// commits at doubling distances. Where this is all that refs reach in outline, one
// question is enough: where histories part between two of them, the remote sends at
// most about twice what is needed.
func newHaves(ctx context.Context, g *graph, refs []store.Ref) (*haves, error) {
	h := &haves{g: g, queue: commitQueue{g: g}, whole: true}
	if err := h.findTips(ctx, refs); err != nil {
		return nil, err
	}
	for _, i := range h.tips[:min(len(h.tips), maxHaveTips)] {
		h.tell(i)
	}
	h.whole = len(h.tips) <= maxHaveTips
	for _, i := range h.tips[:min(len(h.tips), maxHaveTips)] {
		if err := h.sample(ctx, i); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// sample tells of what is below one tip.
func (h *haves) sample(ctx context.Context, i int32) error {
	next := 1
	for depth := 0; depth < haveDepth; depth++ {
		if ok, err := h.load(ctx, i); err != nil || !ok {
			return err
		}
		if depth == next {
			if !h.tell(i) {
				h.whole = false
				return nil
			}
			if next++; depth >= denseHaves {
				next = 2 * depth
			}
		}
		if len(h.g.nodes[i].parents) == 0 {
			return nil
		}
		i = h.g.nodes[i].parents[0]
	}
	return nil
}

// load reads a commit; false when it is not there.
func (h *haves) load(ctx context.Context, i int32) (bool, error) {
	err := h.g.load(ctx, i)
	return err == nil && !h.g.has(i, markAbsent), err
}

// tell adds a commit to the first; false when there are too many.
func (h *haves) tell(i int32) bool {
	if h.g.has(i, markTold) {
		return true
	}
	if len(h.first) == maxHaves {
		return false
	}
	h.g.mark(i, markTold)
	h.first = append(h.first, h.g.nodes[i].hash)
	return true
}

// findTips finds the commits that refs name, by way of tags too, each once.
func (h *haves) findTips(ctx context.Context, refs []store.Ref) error {
	seen := make(map[int32]struct{})
	for _, ref := range refs {
		if ref.Hash.IsZero() {
			continue
		}
		_, end, t, err := h.g.peel(ctx, ref.Hash)
		if errors.Is(err, fs.ErrNotExist) || err == nil && t != object.TypeCommit {
			continue
		}
		if err != nil {
			return err
		}
		i := h.g.number(end)
		if _, dup := seen[i]; !dup {
			seen[i] = struct{}{}
			h.tips = append(h.tips, i)
		}
	}
	return nil
}

// common notes that the remote has a commit, and so what that reaches.
func (h *haves) common(c store.Hash) {
	if i, ok := h.g.index[c]; ok {
		h.g.mark(i, markTheirs)
	}
}

// next returns up to n commits more, newest first, none of which has been told or
// is below one that the remote has.
func (h *haves) next(ctx context.Context, n int) ([]store.Hash, error) {
	if !h.begun {
		h.begun = true
		for _, i := range h.tips {
			if err := h.push(ctx, i); err != nil {
				return nil, err
			}
		}
	}
	var list []store.Hash
	for h.queue.len() > 0 && len(list) < n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		i := h.queue.pop()
		theirs := h.g.has(i, markTheirs)
		if !theirs && h.g.mark(i, markTold) {
			list = append(list, h.g.nodes[i].hash)
		}
		for _, p := range slices.Clone(h.g.nodes[i].parents) {
			if theirs {
				h.g.mark(p, markTheirs)
			} else if err := h.push(ctx, p); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

func (h *haves) push(ctx context.Context, i int32) error {
	if !h.g.mark(i, markQueued) {
		return nil
	}
	ok, err := h.load(ctx, i)
	if ok {
		h.queue.push(i)
	}
	return err
}
