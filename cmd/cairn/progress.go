package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"cairn/store"
	"cairn/store/mirror"
	"cairn/store/object"
)

// A progress tells somebody at a terminal how far a pack has come.
type progress struct {
	to    io.Writer
	what  string
	begin time.Time
	last  time.Time

	head    []byte // of the pack, up to where it says how many objects there are
	bytes   int64
	written bool
}

func newProgress(to io.Writer, what string) *progress {
	return &progress{to: to, what: what, begin: time.Now()}
}

// watch returns the repository, such that packs it receives are told of.
func (p *progress) watch(r mirror.Repository) mirror.Repository { return &watched{r, p} }

type watched struct {
	mirror.Repository
	tell *progress
}

// Receive implements store.Receiver.
func (w *watched) Receive(ctx context.Context, r io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	return w.Repository.Receive(ctx, io.TeeReader(r, w.tell), base, lim)
}

// packHead is how long a pack's header is (gitformat-pack(5)).
const packHead = 12

// Write takes note of a part of a pack.
func (p *progress) Write(b []byte) (int, error) {
	p.head = append(p.head, b[:min(len(b), packHead-len(p.head))]...)
	p.bytes += int64(len(b))
	if now := time.Now(); now.Sub(p.last) > 100*time.Millisecond {
		p.last = now
		p.show('\r')
	}
	return len(b), nil
}

func (p *progress) show(end byte) {
	if len(p.head) < packHead {
		return
	}
	p.written = true
	mib := float64(p.bytes) / (1 << 20)
	rate := mib / max(time.Since(p.begin).Seconds(), 0.001)
	fmt.Fprintf(p.to, "%s: %d objects, %.1f MiB, %.1f MiB/s   %c", p.what, binary.BigEndian.Uint32(p.head[8:]), mib, rate, end)
}

// end finishes the line.
func (p *progress) end() {
	if p.written || p.bytes > 0 {
		p.show('\n')
	}
}
