package remote_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"cairn/store/gitwire"
	"cairn/store/remote"
)

// A tattler notes what a replica pushes, and may have the stranger come right after it.
type tattler struct {
	remote.Host
	s    *schedule
	name string
}

// Push implements remote.Host.
func (h *tattler) Push(ctx context.Context, p gitwire.PushRequest) error {
	var what []string
	for _, c := range p.Commands {
		what = append(what, fmt.Sprintf("%s from %.7v to %.7v", c.Name, c.Old, c.New))
	}
	begun := time.Now()
	err := h.Host.Push(ctx, p)
	h.s.happened("%s has pushed %s in %v: %v", h.name, strings.Join(what, ", "), time.Since(begun).Round(time.Millisecond), err)
	if err != nil {
		h.s.rewindAfter(p)
	}
	return err
}

// An eventWriter notes what a replica logs.
type eventWriter struct {
	s    *schedule
	name string
}

func (w eventWriter) Write(line []byte) (int, error) {
	_, text, _ := strings.Cut(string(line), " ") // without the time
	w.s.happened("%s: %s", w.name, strings.TrimSpace(text))
	return len(line), nil
}
