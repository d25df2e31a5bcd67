// Package remote measures a repository that is somewhere else: 20 ms away, over TCP/IP of
// our own on a cable in memory.
package remote

import (
	"context"

	"cairn/bench/measure"
)

// Run measures at each size.
func Run(ctx context.Context, room *measure.Room) error {
	b := bench{room}
	for _, size := range room.Sizes {
		if err := room.Stage(ctx, "update", size, b.update); err != nil {
			return err
		}
		if err := room.Stage(ctx, "heap", size, b.heap); err != nil {
			return err
		}
		if err := room.Stage(ctx, "cold", size, b.cold); err != nil {
			return err
		}
	}
	if err := room.Stage(ctx, "large", largeFiles, b.large); err != nil {
		return err
	}
	return nil
}

type bench struct{ room *measure.Room }

func (b *bench) add(work string, size int, unit measure.Unit, ours, peer []float64, tool string, goal measure.Goal) {
	b.room.Add(measure.Result{Work: work, Size: size, Unit: unit, Ours: ours, Peer: peer, Tool: tool, Goal: goal})
}
