package auth

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// A group is a sync.WaitGroup whose Wait panics when one of the functions has: whoever has called Check may guard
// itself against what a message leads to, and not against other goroutines. Each has to be waited for.
type group struct {
	wait sync.WaitGroup
	mu   sync.Mutex
	why  any
}

// Go calls f in a goroutine.
func (g *group) Go(f func()) {
	g.wait.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				g.mu.Lock()
				g.why = fmt.Sprintf("%v\n%s", p, debug.Stack())
				g.mu.Unlock()
			}
		}()
		f()
	})
}

// Wait waits for all functions.
func (g *group) Wait() {
	g.wait.Wait()
	if g.why != nil {
		panic(g.why)
	}
}
