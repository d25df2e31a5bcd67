package imap

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// A budget bounds the memory that whole messages take while they come and go.
type budget struct {
	size int64
	sem  *semaphore.Weighted
}

func newBudget(size int64) *budget { return &budget{size, semaphore.NewWeighted(size)} }

// small messages are not counted: connections are, and that bounds them.
const small = 64 << 10

// take waits until there are n bytes and returns what gives them back.
func (b *budget) take(ctx context.Context, n int64) (func(), error) {
	if n <= small {
		return func() {}, nil
	}
	n = min(n, b.size)
	if err := b.sem.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { b.sem.Release(n) }, nil
}
