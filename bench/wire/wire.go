// Package wire measures what goes over the git protocol, with stock git as the
// client: pushes and clones from Cairn and from git http-backend.
package wire

import (
	"context"

	"cairn/bench/measure"
)

// Run measures at each size.
func Run(ctx context.Context, room *measure.Room) error {
	b := bench{room}
	for _, size := range room.Sizes {
		if err := room.Stage(ctx, "push", size, b.push); err != nil {
			return err
		}
		if err := room.Stage(ctx, "clone", size, b.clone); err != nil {
			return err
		}
	}
	return nil
}

type bench struct{ room *measure.Room }

const tool = "git http-backend"

func (b *bench) add(work string, size int, unit measure.Unit, ours, peer []float64, goal measure.Goal) {
	b.room.Add(measure.Result{Work: work, Size: size, Unit: unit, Ours: ours, Peer: peer, Tool: tool, Goal: goal})
}
