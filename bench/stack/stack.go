// Package stack measures TCP/IP in the process, net/stack on a TAP device,
// beside the kernel's sockets over a veth pair.
//
// It needs root, for the network namespaces that it makes and removes, and ip
// (Debian: iproute2).
package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"cairn/bench/measure"
	"cairn/internal/netns"
)

// A load is one kind of work. Clients are processes on kernel sockets, the same
// for both servers.
type load struct {
	name string
	unit measure.Unit
	run  func(network, address string, seconds int) (float64, error)
	goal float64
}

var loads = map[string]load{
	"in":        {"bulk to the server, bytes", measure.PerSecond, bulkIn, 0.6},
	"out":       {"bulk from the server, bytes", measure.PerSecond, bulkOut, 0.6},
	"echo":      {"64 bytes there and back", measure.Seconds, echo, 0},
	"http":      {"GET 1 KB, HTTP/1.1, 64 connections", measure.PerSecond, requests, 0.6},
	"handshake": {"TLS 1.3 handshakes on new connections", measure.PerSecond, handshakes, 0.85},
}

// order is that of the table.
var order = []string{"in", "out", "echo", "http", "handshake"}

// Run compares the two networks.
func Run(ctx context.Context, room *measure.Room) error {
	if _, err := exec.LookPath("ip"); err != nil {
		fmt.Fprintf(room.Log, "stack is left out: %v; install iproute2\n", err)
		return nil
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(room.Log, "stack is left out: only root makes network namespaces")
		return nil
	}
	places, err := newPlaces()
	if err != nil {
		return err
	}
	defer places.remove()
	for _, s := range []struct {
		place netns.Space
		how   string
	}{{places.client, "tap"}, {places.server, "host"}} {
		stop, err := serve(s.place, s.how)
		if err != nil {
			return err
		}
		defer stop()
	}
	for _, kind := range order {
		err := room.Stage(ctx, kind, 1, func(ctx context.Context, _ string, size int) error {
			return compare(ctx, room, places, kind, size)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// compare measures one load on both servers.
func compare(ctx context.Context, room *measure.Room, p *places, kind string, size int) error {
	l := loads[kind]
	on := func(address string) func() (float64, error) {
		return func() (float64, error) { return Load(ctx, p.client, kind, address, room.Share(2)) }
	}
	ours, peer, err := measure.InTurn(room.Rounds, on(tapServer), on(vethServer))
	if err != nil {
		return err
	}
	room.Add(measure.Result{
		Work: l.name, Size: size, Unit: l.unit,
		Ours: ours, Peer: peer, Tool: "kernel sockets, veth", Goal: measure.Goal{Ratio: l.goal},
	})
	return nil
}
