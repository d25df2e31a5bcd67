package trust

import (
	"context"
	"fmt"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/observe"
)

// Guard returns the backend, such that no ref moves to a commit that the policy's
// other followers would not follow for want of a signature: a *store.RefusedError.
// Without Policy.Signed it is the backend itself.
func Guard(b observe.Backend, p *Policy) observe.Backend {
	if !p.Signed {
		return b
	}
	return &guarded{b, p}
}

type guarded struct {
	observe.Backend
	policy *Policy
}

// Commit implements store.Backend.
func (g *guarded) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	over := among{g.Backend, make(map[store.Hash]object.Object, len(objs))}
	for _, o := range objs {
		over.objs[o.Hash()] = o
	}
	for _, c := range changes {
		if c.New.IsZero() {
			continue
		}
		tip, err := g.policy.tip(ctx, over, c.Name, c.New)
		if err == nil {
			err = g.policy.verify(ctx, over, tip)
		}
		if err != nil {
			return &store.RefusedError{Ref: c.Name, Reason: fmt.Sprintf("%v: sign it (git commit --amend --no-edit -S) with a key that is trusted here", err)}
		}
	}
	return g.Backend.Commit(ctx, objs, changes)
}

// Replica implements store.Replicated.
func (g *guarded) Replica() string {
	if r, ok := g.Backend.(store.Replicated); ok {
		return r.Replica()
	}
	return ""
}

// among are objects over those of a backend.
type among struct {
	store.Objects
	objs map[store.Hash]object.Object
}

// Object implements store.Objects.
func (a among) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	if o, ok := a.objs[h]; ok {
		return o, nil
	}
	return a.Objects.Object(ctx, h)
}

// Stat implements store.Objects.
func (a among) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	if o, ok := a.objs[h]; ok {
		return o.Type, int64(len(o.Data)), nil
	}
	return a.Objects.Stat(ctx, h)
}
