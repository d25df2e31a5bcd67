package shelf

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"cairn/store"
	"cairn/store/mem"
)

// filled returns a Shelf with a calendar of n events.
func filled(b *testing.B, n int) *kit {
	k := newKit(nil, mem.New(), Options{})
	k.T = nil
	err := k.Update(context.Background(), change("fill"), []string{"alice"}, func(m map[string]*Edit) error {
		for i, name := range many(n) {
			o, err := k.Shelf.Parse(Calendars, []byte(event(fmt.Sprint("u", i), "E")))
			if err != nil {
				return err
			}
			if _, err := m["alice"].Put(at("calendars/home/"+name), o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return k
}

func (k *kit) benchColl(b *testing.B) *Collection {
	s, err := k.Snapshot(context.Background(), "alice")
	if err != nil {
		b.Fatal(err)
	}
	c, err := s.Collection(Calendars, "home")
	if err != nil {
		b.Fatal(err)
	}
	return c
}

var sizes = []int{1000, 10000}

func BenchmarkPut(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			k := filled(b, n)
			for i := 0; b.Loop(); i++ {
				name := fmt.Sprintf("e%05d.ics", i%n)
				o, err := k.Shelf.Parse(Calendars, []byte(event(fmt.Sprint("u", i%n), fmt.Sprint("again ", i))))
				if err != nil {
					b.Fatal(err)
				}
				err = k.Update(context.Background(), change("put"), []string{"alice"}, func(m map[string]*Edit) error {
					_, err := m["alice"].Put(at("calendars/home/"+name), o)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPutNew(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			k := filled(b, n)
			for i := 0; b.Loop(); i++ {
				o, err := k.Shelf.Parse(Calendars, []byte(event(fmt.Sprint("new", i), "new")))
				if err != nil {
					b.Fatal(err)
				}
				err = k.Update(context.Background(), change("put"), []string{"alice"}, func(m map[string]*Edit) error {
					_, err := m["alice"].Put(Path{Calendars, "home", fmt.Sprintf("new%d.ics", i)}, o)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkList(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			k := filled(b, n)
			for b.Loop() {
				count := 0
				c := k.benchColl(b)
				for r, err := range c.Resources() {
					if err != nil {
						b.Fatal(err)
					}
					if _, err := c.Event(r); err != nil {
						b.Fatal(err)
					}
					count++
				}
				if count != n {
					b.Fatalf("got %d, want %d", count, n)
				}
			}
		})
	}
}

func BenchmarkSyncAfterPut(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			k := filled(b, n)
			token := k.benchColl(b).Token()
			o, err := k.Shelf.Parse(Calendars, []byte(event("u7", "again")))
			if err != nil {
				b.Fatal(err)
			}
			err = k.Update(context.Background(), change("put"), []string{"alice"}, func(m map[string]*Edit) error {
				_, err := m["alice"].Put(at("calendars/home/e00007.ics"), o)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				s, err := k.benchColl(b).Sync(context.Background(), token, 0)
				if err != nil || len(s.Changes) != 1 {
					b.Fatal(s, err)
				}
			}
		})
	}
}

// BenchmarkCold is the first look at a calendar of a new process.
func BenchmarkCold(b *testing.B) {
	k := filled(b, 10000)
	var before, after runtime.MemStats
	var s *Shelf
	for b.Loop() {
		s = New(store.New(k.repo.Backend(), store.Options{CacheBytes: 1 << 20}), k.o)
		runtime.GC()
		runtime.ReadMemStats(&before)
		snap, err := s.Snapshot(context.Background(), "alice")
		if err != nil {
			b.Fatal(err)
		}
		c, err := snap.Collection(Calendars, "home")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.ByUID("u9999"); err != nil {
			b.Fatal(err)
		}
		for r := range c.Resources() {
			if _, err := c.Event(r); err != nil {
				b.Fatal(err)
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)), "heap-B")
	b.ReportMetric(float64(s.Cached()), "counted-B")
}
