package gitdir

import (
	"context"
	"time"
)

const defaultGrace = 14 * 24 * time.Hour

func (d *Dir) maintainLoop(ctx context.Context) { <-ctx.Done() }
