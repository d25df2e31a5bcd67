package setup

import (
	"context"
	"errors"
	"sync"
)

// Together runs servers until ctx ends, or one of them does: then all do. It
// returns when the last has ended, with what went wrong.
func Together(ctx context.Context, servers ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, len(servers))
	for i, serve := range servers {
		wg.Go(func() {
			defer cancel()
			if err := serve(ctx); err != nil && ctx.Err() == nil {
				errs[i] = err
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
