package caldav

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestLargeBodies: more of them at once than there are turns are all put, and small ones
// do not wait for them.
func TestLargeBodies(t *testing.T) {
	h := open(t)
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		all.Go(func() {
			body := strings.Repeat(name, 2<<20)
			h.do("alice", "PUT", "/files/alice/"+name, body).want(201)
			if got := h.do("alice", "GET", "/files/alice/"+name, "").body; got != body {
				t.Errorf("%s: got %d bytes, want %d", name, len(got), len(body))
			}
		})
	}
	all.Wait()
	l := &h.service.large
	if n := len(l.large) + len(l.loaded) + len(l.of["alice"]); n != 0 {
		t.Errorf("%d turns were not given back", n)
	}
	// Two of alice's that never end are trouble for large ones of hers alone.
	r := httptest.NewRequest("PUT", "/", nil)
	for range maxOfOne {
		if _, err := l.load(r, "alice"); err != nil {
			t.Fatal(err)
		}
	}
	h.do("alice", "PUT", "/files/alice/small", "x").want(201)
	h.do("bob", "PUT", "/files/bob/large", strings.Repeat("x", 2<<20)).want(201)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.load(r.WithContext(ctx), "alice"); !errors.Is(err, context.Canceled) {
		t.Errorf("a turn after the end: %v", err)
	}
}
