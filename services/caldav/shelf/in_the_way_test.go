package shelf

import (
	"context"
	"testing"

	"cairn/store/mem"
)

// What somebody has in the place of their calendars, past all checks, is nobody
// else's trouble; and it cannot be pushed.
func TestInTheWay(t *testing.T) {
	for _, at := range []string{"calendars", "contacts", "inbox", ".locks.toml/x", ".props.toml/x", "calendars/.props.toml/x", "calendars/home/.props.toml/x"} {
		k := newKit(t, mem.New(), Options{})
		if err := k.try(at, "x"); err == nil {
			t.Errorf("%s: can be pushed", at)
		}
		ctx := context.Background()
		k.push(at, "x")
		for _, user := range []string{"alice", "bob"} {
			if _, err := k.SharedWith(ctx, user); err != nil {
				t.Errorf("%s: %s: %v", at, user, err)
			}
			snap, err := k.Snapshot(ctx, user)
			if err != nil {
				t.Fatal(err)
			}
			for _, kind := range Kinds {
				if _, err := snap.Collections(kind); err != nil {
					t.Errorf("%s: %s of %s: %v", at, kind, user, err)
				}
			}
			if _, err := snap.Locks(); err != nil {
				t.Errorf("%s: locks of %s: %v", at, user, err)
			}
		}
	}
}
