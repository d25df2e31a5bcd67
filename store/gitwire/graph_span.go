package gitwire

import "context"

// A span is the commits that can be reached from some and not from others, as
// in git rev-list: exact where committer dates do not go backwards, a little too
// much otherwise, never too little.
type span struct {
	g      *graph
	grafts map[int32]struct{} // commits that are to count as having no parents
	since  int64              // older commits are left out, with their ancestors

	state []spanState // by commit number
	queue commitQueue
	wide  int // commits in the queue that are not hidden
}

type spanState uint8

const (
	spanQueued spanState = 1 << iota
	spanPopped
	spanHidden
)

// spanSlop is how many hidden commits are looked at beyond the point where only
// hidden ones are left, in case a date was wrong.
const spanSlop = 5

// commits returns the span, newest first.
func (s *span) commits(ctx context.Context, from, hide []int32) ([]int32, error) {
	s.queue.g = s.g
	for _, i := range hide {
		if err := s.add(ctx, i, true); err != nil {
			return nil, err
		}
	}
	for _, i := range from {
		if err := s.add(ctx, i, false); err != nil {
			return nil, err
		}
	}
	var found []int32
	for slop := spanSlop; s.queue.len() > 0; {
		if s.wide == 0 {
			older := len(found) == 0 || s.queue.newest() < s.g.nodes[found[len(found)-1]].date
			if older {
				if slop--; slop < 0 {
					break
				}
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		i := s.queue.pop()
		s.at(i, spanPopped)
		if !s.hidden(i) {
			s.wide--
			if s.g.nodes[i].date < s.since {
				s.at(i, spanHidden)
			} else {
				found = append(found, i)
			}
		}
		for _, p := range s.parents(i) {
			if err := s.add(ctx, p, s.hidden(i)); err != nil {
				return nil, err
			}
		}
	}
	shown := found[:0]
	for _, i := range found {
		if !s.hidden(i) {
			shown = append(shown, i)
		}
	}
	return shown, nil
}

// parents is what counts as the parents of a commit that has been loaded.
func (s *span) parents(i int32) []int32 {
	if _, cut := s.grafts[i]; cut {
		return nil
	}
	return s.g.nodes[i].parents
}

// hidden reports whether the walk found the commit to be left out.
func (s *span) hidden(i int32) bool {
	return int(i) < len(s.state) && s.state[i]&spanHidden != 0
}

// at sets marks of a commit and returns those it had.
func (s *span) at(i int32, set spanState) spanState {
	if int(i) >= len(s.state) {
		s.state = append(s.state, make([]spanState, len(s.g.nodes)-len(s.state))...)
	}
	had := s.state[i]
	s.state[i] |= set
	return had
}

// add queues a commit or, when it turns out only now that it is hidden, hides it
// and what has been reached through it.
func (s *span) add(ctx context.Context, i int32, hide bool) error {
	had := s.at(i, spanQueued)
	if had&spanQueued == 0 {
		if err := s.g.load(ctx, i); err != nil {
			return err
		}
		s.queue.push(i)
		if hide {
			s.at(i, spanHidden)
		} else {
			s.wide++
		}
		return nil
	}
	if hide {
		s.hide(i)
	}
	return nil
}

func (s *span) hide(i int32) {
	for todo := []int32{i}; len(todo) > 0; {
		i, todo = todo[len(todo)-1], todo[:len(todo)-1]
		had := s.at(i, 0)
		if had&spanQueued == 0 || had&spanHidden != 0 {
			continue
		}
		s.at(i, spanHidden)
		if had&spanPopped != 0 {
			todo = append(todo, s.parents(i)...)
		} else {
			s.wide--
		}
	}
}
