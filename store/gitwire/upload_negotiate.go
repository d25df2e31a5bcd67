package gitwire

import (
	"context"
	"math"

	"cairn/store"
)

// A negotiation finds out what the client has. Only what the view's refs reach
// counts, so that naming somebody else's commit says nothing about it.
type negotiation struct {
	u     *upload
	wants []int32 // the wanted commits

	commons []int32 // commits that the client has, each once
	others  int     // tips it has that are no commits
	acks    int

	judged int  // how many commons there were when enough was last asked
	enough bool // its answer
	budget int  // commits that enough may still look at
}

// Bounds of one request's negotiation. What comes beyond them is treated as
// unknown, which costs the client bytes and nothing else.
const (
	maxAcks  = 1 << 16 // acknowledgments
	maxJudge = 1 << 21 // commits looked at to tell whether to stop
)

func (u *upload) negotiate(ctx context.Context, wants []store.Hash) (*negotiation, error) {
	commits, err := u.wantCommits(ctx, wants)
	return &negotiation{u: u, wants: commits, budget: maxJudge}, err
}

// have takes one have line's hash and reports whether to acknowledge it.
func (n *negotiation) have(ctx context.Context, h store.Hash) (bool, error) {
	if n.acks >= maxAcks {
		return false, nil
	}
	ok, err := n.u.reach.commit(ctx, h)
	if err != nil || !ok {
		return false, err
	}
	n.acks++
	i, isCommit := n.u.g.index[h]
	if !isCommit {
		tips, err := n.u.wantCommits(ctx, []store.Hash{h})
		if err != nil {
			return false, err
		}
		if len(tips) == 0 {
			n.others++
			return true, nil
		}
		i = tips[0]
	}
	if err := n.u.g.load(ctx, i); err != nil {
		return false, err
	}
	if n.u.g.mark(i, markTheirs) {
		n.commons = append(n.commons, i)
	}
	return true, nil
}

// any reports whether the client has anything of what is shown.
func (n *negotiation) any() bool { return len(n.commons)+n.others > 0 }

// sufficient reports whether each wanted commit descends from something that
// the client has, so that going on would not make the pack much smaller.
func (n *negotiation) sufficient(ctx context.Context) (bool, error) {
	if len(n.commons) == n.judged {
		return n.enough, nil
	}
	n.judged = len(n.commons)
	var err error
	n.enough, err = n.judge(ctx)
	return n.enough, err
}

// judge walks back from the wants as far as the oldest common commit, then
// carries what it found forwards again.
func (n *negotiation) judge(ctx context.Context) (bool, error) {
	g := n.u.g
	oldest := int64(math.MaxInt64)
	for _, i := range n.commons {
		oldest = min(oldest, g.nodes[i].date)
	}
	queue := commitQueue{g: g}
	visited := make(map[int32]struct{})
	push := func(i int32) error {
		if _, dup := visited[i]; dup || g.has(i, markTheirs|markKnown) {
			return nil
		}
		visited[i] = struct{}{}
		err := g.load(ctx, i)
		if err == nil && g.nodes[i].date >= oldest {
			queue.push(i)
		}
		return err
	}
	for _, i := range n.wants {
		if err := push(i); err != nil {
			return false, err
		}
	}
	var order []int32
	for queue.len() > 0 {
		if n.budget--; n.budget < 0 {
			return false, nil
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		i := queue.pop()
		order = append(order, i)
		for _, p := range g.nodes[i].parents {
			if err := push(p); err != nil {
				return false, err
			}
		}
	}
	for k := len(order) - 1; k >= 0; k-- {
		for _, p := range g.nodes[order[k]].parents {
			if g.has(p, markTheirs|markKnown) {
				g.mark(order[k], markKnown)
			}
		}
	}
	for _, i := range n.wants {
		if !g.has(i, markTheirs|markKnown) {
			return false, nil
		}
	}
	return true, nil
}
