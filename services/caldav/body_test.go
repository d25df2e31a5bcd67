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
	if n := len(h.service.large.free); n != 0 {
		t.Errorf("%d turns were not given back", n)
	}
	for range maxLarge {
		if _, err := h.service.large.take(httptest.NewRequest("PUT", "/", nil)); err != nil {
			t.Fatal(err)
		}
	}
	h.do("alice", "PUT", "/files/alice/small", "x").want(201)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.service.large.take(httptest.NewRequest("PUT", "/", nil).WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("a turn after the end: %v", err)
	}
}
