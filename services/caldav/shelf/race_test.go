package shelf

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/mem"
)

var errPrecondition = errors.New("it has changed")

// TestOneWins has 64 writers who all saw the same version of an event and replace
// it on condition that it is still there.
func TestOneWins(t *testing.T) {
	path := filepath.Join(t.TempDir(), "repo.git")
	if err := gitdir.Init(path); err != nil {
		t.Fatal(err)
	}
	one, two := openDir(t, path), openDir(t, path)
	backend := mem.New()
	for name, backends := range map[string][]store.Backend{
		"mem":               {backend},
		"gitdir":            {newDir(t)},
		"two repos on disk": {one, two},
		"two repos in mem":  {backend, backend},
	} {
		t.Run(name, func(t *testing.T) {
			var kits []*kit
			for _, b := range backends {
				kits = append(kits, newKit(t, b, Options{}))
			}
			was := kits[0].put("calendars/home/a.ics", event("a", "before "+name))
			var wg sync.WaitGroup
			results := make([]error, 64)
			for i := range results {
				k := kits[i%len(kits)]
				o := k.parse(Calendars, event("a", fmt.Sprint("by ", i)))
				wg.Go(func() {
					results[i] = k.Update(context.Background(), change("put"), []string{"alice"}, func(m map[string]*Edit) error {
						c, err := m["alice"].Collection(Calendars, "home")
						if err != nil {
							return err
						}
						now, err := c.Resource("a.ics")
						if err != nil {
							return err
						}
						if now.ETag != was.ETag {
							return errPrecondition
						}
						_, err = m["alice"].Put(at("calendars/home/a.ics"), o)
						return err
					})
				})
			}
			wg.Wait()
			winner := -1
			for i, err := range results {
				switch {
				case err == nil && winner >= 0:
					t.Errorf("%d and %d have both won", winner, i)
				case err == nil:
					winner = i
				case !errors.Is(err, errPrecondition):
					t.Errorf("%d: %v", i, err)
				}
			}
			for _, k := range kits {
				k.want("what is there", k.read("calendars/home/a.ics"), event("a", fmt.Sprint("by ", winner)))
			}
		})
	}
}

// TestSameUIDAtOnce has writers who all bring a new event of one UID.
func TestSameUIDAtOnce(t *testing.T) {
	k := newKit(t, newDir(t), Options{})
	var wg sync.WaitGroup
	results := make([]error, 16)
	for i := range results {
		o := k.parse(Calendars, event("one", fmt.Sprint(i)))
		wg.Go(func() {
			results[i] = k.update(func(e *Edit) error {
				_, err := e.Put(Path{Calendars, "home", fmt.Sprintf("%d.ics", i)}, o)
				return err
			})
		})
	}
	wg.Wait()
	n := 0
	for _, err := range results {
		if _, taken := errors.AsType[*UIDError](err); err != nil && !taken {
			t.Error(err)
		} else if err == nil {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d have put the UID, want 1", n)
	}
}

// TestDefaultTwice has two replicas that both make the default calendar.
func TestDefaultTwice(t *testing.T) {
	b := newDir(t)
	kits := []*kit{newKit(t, b, Options{}), newKit(t, b, Options{})}
	var wg sync.WaitGroup
	for i, k := range kits {
		o := k.parse(Calendars, event(fmt.Sprint(i), ""))
		wg.Go(func() {
			if err := k.update(func(e *Edit) error {
				_, err := e.Put(Path{Calendars, "home", fmt.Sprintf("%d.ics", i)}, o)
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	kits[0].want("files", kits[0].files(), "calendars/home/.props.toml calendars/home/0.ics calendars/home/1.ics")
}

// TestReadersAndWriters is for the race detector: all that is remembered is shared.
func TestReadersAndWriters(t *testing.T) {
	k := newKit(t, mem.New(), Options{CacheBytes: 64 << 10}) // so little that it is forgotten all the time
	k.fill(60)
	ctx := context.Background()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 15 {
				name := fmt.Sprintf("e%05d.ics", (i*15+n)%60)
				o := k.parse(Calendars, event(fmt.Sprint("u", (i*15+n)%60), fmt.Sprint(n)))
				if err := k.update(func(e *Edit) error { _, err := e.Put(at("calendars/home/"+name), o); return err }); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			token := ""
			for range 15 {
				c := k.coll("calendars/home")
				if s, err := c.Sync(ctx, token, 9); err != nil {
					t.Error(err)
				} else {
					token = s.Token
				}
				if _, err := c.ByUID("u7"); err != nil {
					t.Error(err)
				}
				if u, err := k.snap().Usage(); err != nil || u.Count != 60 {
					t.Errorf("usage: %+v, %v", u, err)
				}
				if _, err := k.SharedWith(ctx, "bob"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
