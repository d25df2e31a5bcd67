package shelf

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"cairn/internal/githost"
	"cairn/store/remote"
)

// replica is a process of its own on a host.
func replica(t *testing.T, h *githost.Host) *kit {
	t.Helper()
	r, err := h.Client(nil).Remote(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	b, err := remote.Open(ctx, remote.Options{Host: r, Poll: 20 * time.Millisecond, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return newKit(t, b, Options{Key: [32]byte{9}})
}

// sees waits until a replica has a resource in a version.
func (k *kit) sees(path string, want Resource) {
	k.Helper()
	var got Resource
	var err error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got, err = k.coll(path).Resource(at(path).Name); err == nil && got.ETag == want.ETag {
			return
		}
	}
	k.Fatalf("%s: got %v, %v, want %v", path, got.ETag, err, want.ETag)
}

func TestReplicas(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	one, two := replica(t, h), replica(t, h)

	// Both make the default calendar.
	var wg sync.WaitGroup
	for i, k := range []*kit{one, two} {
		o := k.parse(Calendars, event(fmt.Sprint(i), "new"))
		wg.Go(func() {
			err := k.update(func(e *Edit) error {
				_, err := e.Put(Path{Calendars, "home", fmt.Sprintf("%d.ics", i)}, o)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	was, err := two.coll("calendars/home").Resource("1.ics")
	if err != nil {
		t.Fatal(err)
	}
	one.sees("calendars/home/1.ics", was)
	one.want("files", one.files(), "calendars/home/.props.toml calendars/home/0.ics calendars/home/1.ics")
	early := one.coll("calendars/home").Token()

	// All replace one version of an event, on condition that it is that.
	results := make([]error, 16)
	for i := range results {
		k := []*kit{one, two}[i%2]
		o := k.parse(Calendars, event("1", fmt.Sprint("by ", i)))
		wg.Go(func() {
			results[i] = k.update(func(e *Edit) error {
				c, err := e.Collection(Calendars, "home")
				if err != nil {
					return err
				}
				if now, err := c.Resource("1.ics"); err != nil || now.ETag != was.ETag {
					return errors.Join(err, errPrecondition)
				}
				_, err = e.Put(at("calendars/home/1.ics"), o)
				return err
			})
		})
	}
	wg.Wait()
	won := 0
	var now Resource
	for i, err := range results {
		switch {
		case err == nil:
			won++
			now = Resource{ETag: one.parse(Calendars, event("1", fmt.Sprint("by ", i))).Hash}
		case !errors.Is(err, errPrecondition):
			t.Errorf("%d: %v", i, err)
		}
	}
	if won != 1 {
		t.Fatalf("%d have won, want 1", won)
	}
	one.sees("calendars/home/1.ics", now)
	two.sees("calendars/home/1.ics", now)

	// An event goes from one person to another, or does not.
	err = one.Update(context.Background(), change("move"), []string{"alice", "bob"}, func(m map[string]*Edit) error {
		return m["bob"].Move(m["alice"], at("calendars/home/0.ics"), at("calendars/home/0.ics"))
	})
	if err != nil {
		t.Fatal(err)
	}

	// A replica that has only the newest commit knows an older token.
	three := replica(t, h)
	s, err := three.coll("calendars/home").Sync(context.Background(), early, 0)
	if err != nil {
		t.Fatal(err)
	}
	three.want("since then", show(s.Changes), "-0.ics 1.ics")
}
