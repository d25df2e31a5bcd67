package image

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"cairn/bench/measure"
	"cairn/bench/stack"
	"cairn/libos/metal/vm"
)

// loads are those of package stack, each on one of the two programs.
var loads = []struct {
	kind, work string
	unit       measure.Unit
	website    bool
	goal       float64
}{
	{"http", "pages of 1 KB from a website, HTTP/1.1, 64 connections", measure.PerSecond, true, 1},
	{"in", "bulk to the machine, bytes", measure.PerSecond, false, 1},
	{"out", "bulk from the machine, bytes", measure.PerSecond, false, 1},
	{"echo", "64 bytes there and back", measure.Seconds, false, 0},
	{"http", "pages of 1 KB from net/http, 64 connections", measure.PerSecond, false, 0},
	{"handshake", "TLS 1.3 handshakes on new connections", measure.PerSecond, false, 0},
}

// load measures both machines under load, in turn. One is ended before the other starts, so that
// it does not take its processor.
func (b *bench) load(ctx context.Context, _ string, size int) error {
	figures := [2][][]float64{make([][]float64, len(loads)), make([][]float64, len(loads))}
	for range b.room.Rounds {
		for side, g := range []guest{b.ours, b.peer} {
			for _, p := range []program{b.website(), {file: b.test}} {
				err := b.run(ctx, g, p, usual, "80", func(*vm.VM) error {
					return b.measure(ctx, p.file == b.unipi, figures[side])
				})
				if err != nil {
					return err
				}
			}
		}
	}
	for i, l := range loads {
		b.room.Add(measure.Result{
			Work: l.work, Size: size, Unit: l.unit, Ours: figures[0][i], Peer: figures[1][i],
			Tool: b.tool(), Goal: measure.Goal{Ratio: l.goal},
		})
	}
	return nil
}

// measure puts the loads of one program on it.
func (b *bench) measure(ctx context.Context, website bool, figures [][]float64) error {
	for i, l := range loads {
		if l.website != website {
			continue
		}
		figure, err := stack.Load(ctx, b.place.Space, l.kind, guestAddress, b.room.Share(3))
		if err != nil {
			return err
		}
		figures[i] = append(figures[i], figure)
	}
	return nil
}

// cost is a line that the probe prints.
var cost = regexp.MustCompile(`(?m)^cost "([^"]+)" (\S+)$`)

// micro has the probe time small things, in both machines.
func (b *bench) micro(ctx context.Context, _ string, size int) error {
	var names []string
	costs := map[string][2][]float64{}
	for range b.room.Rounds {
		for side, g := range []guest{b.ours, b.peer} {
			lines, err := b.costs(ctx, g)
			if err != nil {
				return err
			}
			for _, line := range lines {
				figure, err := strconv.ParseFloat(line[2], 64)
				if err != nil {
					return err
				}
				both, known := costs[line[1]]
				if !known {
					names = append(names, line[1])
				}
				both[side] = append(both[side], figure)
				costs[line[1]] = both
			}
		}
	}
	for _, name := range names {
		r := measure.Result{Work: name, Size: size, Unit: measure.Seconds, Ours: costs[name][0], Peer: costs[name][1], Tool: b.tool()}
		if len(r.Peer) == 0 {
			r.Goal = measure.Goal{Value: 0.005} // entry to runtime start, which Linux does not have
		}
		b.room.Add(r)
	}
	return nil
}

// costs runs the probe until it ends, and returns its lines.
func (b *bench) costs(ctx context.Context, g guest) ([][]string, error) {
	m, err := g.machine(program{file: b.test, args: []string{"--micro"}}, usual)
	if err != nil {
		return nil, err
	}
	v, err := m.Start()
	if err != nil {
		return nil, err
	}
	defer v.Kill()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := v.Exit(ctx); err != nil {
		return nil, err
	}
	lines := cost.FindAllStringSubmatch(v.Console(), -1)
	if lines == nil {
		return nil, fmt.Errorf("the probe prints no costs; the console:\n%s", v.Console())
	}
	return lines, nil
}
