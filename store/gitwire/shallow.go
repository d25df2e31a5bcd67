package gitwire

import (
	"context"
	"math"

	"cairn/store"
	"cairn/store/object"
)

// infiniteDepth is the depth that git fetch --unshallow asks for.
const infiniteDepth = math.MaxInt32

// A historyCut is where the client's history ends, before and after the fetch.
type historyCut struct {
	grafts    map[int32]struct{} // commits that the client has, or will have, without parents
	shallow   []store.Hash       // to be cut off from their parents from now on
	unshallow []store.Hash       // to be given their parents
	wants     []store.Hash       // those parents
	edges     []int32            // the commits of unshallow: the client has them
}

// cut works out the new ends of the client's history (gitprotocol-pack,
// "deepen"; gitprotocol-v2, "shallow-info").
func (u *upload) cut(ctx context.Context, q *uploadRequest) (*historyCut, error) {
	c := &historyCut{grafts: make(map[int32]struct{})}
	ends := make(map[int32]struct{})
	for _, h := range q.shallows {
		ends[u.g.number(h)] = struct{}{}
	}
	var new []int32
	var err error
	switch {
	case q.depth > 0 && (q.hasSince || len(q.excludes) > 0):
		return nil, badRequest("upload-pack: deepen and deepen-since (or deepen-not) cannot be used together")
	case q.depth == infiniteDepth:
		var all []int32
		all, err = u.shownEnds(ctx, ends)
		u.g.markAll(all, markDeep)
	case q.depth > 0:
		new, err = u.deepenTo(ctx, q, ends)
	case q.deepens():
		new, err = u.deepenBack(ctx, q)
	}
	if err != nil {
		return nil, err
	}
	u.g.markAll(new, markShallow)
	for _, i := range new {
		if _, already := ends[i]; !already {
			c.shallow = append(c.shallow, u.g.nodes[i].hash)
			c.grafts[i] = struct{}{}
		}
	}
	for _, h := range q.shallows {
		i := u.g.number(h)
		if _, twice := c.grafts[i]; twice {
			continue
		}
		c.grafts[i] = struct{}{}
		if u.g.has(i, markDeep) && !u.g.has(i, markShallow) {
			c.unshallow = append(c.unshallow, h)
			c.edges = append(c.edges, i)
			for _, p := range u.g.nodes[i].parents {
				c.wants = append(c.wants, u.g.nodes[p].hash)
			}
		}
	}
	return c, nil
}

// wantCommits are the commits among the wants, tags followed.
func (u *upload) wantCommits(ctx context.Context, wants []store.Hash) ([]int32, error) {
	var commits []int32
	for _, h := range wants {
		_, end, t, err := u.g.peel(ctx, h)
		if err != nil {
			return nil, err
		}
		if t == object.TypeCommit {
			i := u.g.number(end)
			if err := u.g.load(ctx, i); err != nil {
				return nil, err
			}
			commits = append(commits, i)
		}
	}
	return commits, nil
}

// deepenTo goes a number of commits deep, from the wants or from the ends that
// the client's history has now, and returns the new ends.
func (u *upload) deepenTo(ctx context.Context, q *uploadRequest, ends map[int32]struct{}) ([]int32, error) {
	var level []int32
	var err error
	depth := q.depth
	if q.relative {
		level, err = u.shownEnds(ctx, ends)
		depth++
	} else {
		level, err = u.wantCommits(ctx, q.wants)
	}
	if err != nil {
		return nil, err
	}
	visited := make(map[int32]struct{})
	for ; len(level) > 0; depth-- {
		var this, next []int32
		for _, i := range level {
			if _, dup := visited[i]; dup {
				continue
			}
			visited[i] = struct{}{}
			if err := u.g.load(ctx, i); err != nil {
				return nil, err
			}
			this = append(this, i)
			next = append(next, u.g.nodes[i].parents...)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if depth <= 1 {
			return this, nil
		}
		u.g.markAll(this, markDeep)
		level = next
	}
	return nil, nil
}

// shownEnds returns those ends of the client's history that the view shows.
func (u *upload) shownEnds(ctx context.Context, ends map[int32]struct{}) ([]int32, error) {
	var shown []int32
	for i := range ends {
		ok, err := u.reach.commit(ctx, u.g.nodes[i].hash)
		if err != nil {
			return nil, err
		}
		if ok {
			shown = append(shown, i)
		}
	}
	return shown, nil
}

// deepenBack goes back to a date and not into what some refs reach, and returns
// the commits whose parents are left out.
func (u *upload) deepenBack(ctx context.Context, q *uploadRequest) ([]int32, error) {
	var hide []store.Hash
	for _, name := range q.excludes {
		h, err := u.shownRef(name)
		if err != nil {
			return nil, err
		}
		hide = append(hide, h)
	}
	hidden, err := u.wantCommits(ctx, hide)
	if err != nil {
		return nil, err
	}
	wanted, err := u.wantCommits(ctx, q.wants)
	if err != nil {
		return nil, err
	}
	s := span{g: u.g, since: math.MinInt64}
	if q.hasSince {
		s.since = q.since
	}
	commits, err := s.commits(ctx, wanted, hidden)
	if err != nil {
		return nil, err
	}
	if len(commits) == 0 {
		return nil, badRequest("upload-pack: no commits selected for shallow requests")
	}
	u.g.markAll(commits, markDeep)
	var new []int32
	for _, i := range commits {
		for _, p := range u.g.nodes[i].parents {
			if !u.g.has(p, markDeep) {
				new = append(new, i)
				break
			}
		}
	}
	return new, nil
}

// shownRef finds the ref that a short name means (gitrevisions).
func (u *upload) shownRef(name string) (store.Hash, error) {
	for _, prefix := range []string{"", "refs/", "refs/tags/", "refs/heads/"} {
		if ref, ok := findRef(u.refs, prefix+name); ok {
			return ref.Hash, nil
		}
	}
	return store.Hash{}, badRequest("upload-pack: deepen-not is not a ref: %.256q", name)
}

// tell writes the changes of the client's ends.
func (c *historyCut) tell(w *pktWriter) {
	for _, h := range c.shallow {
		w.linef("shallow %s\n", h)
	}
	for _, h := range c.unshallow {
		w.linef("unshallow %s\n", h)
	}
}
