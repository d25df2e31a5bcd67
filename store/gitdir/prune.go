package gitdir

import (
	"context"
	"time"
)

const defaultGrace = 14 * 24 * time.Hour

func (d *Dir) packLoose(ctx context.Context) error { return nil }
func (d *Dir) prune(ctx context.Context) error     { return nil }
