package queue

import (
	"context"

	"cairn/store"
	"cairn/store/object"
)

// Forget has the branch's history begin with what waits now: what was sent is of no use to anybody, and
// is freed when the repository is next cleaned of what nothing refers to. It may run beside everything
// else.
func (q *Queue) Forget(ctx context.Context, by object.Signature) error {
	ch := store.Change{Author: by, Message: "queue: forget what was sent"}
	return q.branch.RewriteFunc(ctx, ch, func(from store.Revision) (store.Hash, []object.Object, error) {
		if len(from.Parents) == 0 {
			return object.Zero, nil, nil
		}
		root := *from.Commit
		root.Parents, root.GPGSig, root.Message = nil, "", "queue: what waits\n"
		o := object.Object{Type: object.TypeCommit, Data: root.Encode()}
		return o.Hash(), []object.Object{o}, nil
	})
}
