package shelf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"cairn/store"
	"cairn/store/mem"
)

// A model is what a person should have: by collection and name, the UID and the
// text.
type model map[string]map[string][2]string

func (m model) clone() model {
	n := model{}
	for coll, list := range m {
		n[coll] = maps.Clone(list)
	}
	return n
}

// uidTaken says whether a UID is that of another resource.
func (m model) uidTaken(coll, name, uid string) bool {
	for n, r := range m[coll] {
		if n != name && r[0] == uid {
			return true
		}
	}
	return false
}

// A follower knows one collection by sync alone.
type follower struct {
	coll, token string
	known       map[string]store.Hash
}

// TestModel does things at random, several in an Update, with so low a limit that layouts change all the
// time, and compares all that can be asked with a model.
func TestModel(t *testing.T) {
	seeds, steps := 8, 60
	if os.Getenv("CAIRN_LONG") == "1" {
		seeds, steps = 200, 150
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			k := newKit(t, mem.New(), Options{CacheBytes: []int64{0, 100 << 10}[seed%2]})
			k.maxFlat, k.minFan, k.large = 6, 3, 1+seed%3
			g := &gambler{kit: k, r: rand.New(rand.NewPCG(uint64(seed), 1)), m: model{"home": {}, "work": {}}}
			k.must(func(e *Edit) error { return e.Make(at("calendars/work"), &Props{}) })
			for _, coll := range []string{"home", "home", "work"} {
				g.followers = append(g.followers, &follower{coll, "", map[string]store.Hash{}})
			}
			for range steps {
				g.step()
				if t.Failed() {
					return
				}
			}
		})
	}
}

type gambler struct {
	*kit
	r         *rand.Rand
	m         model
	followers []*follower
}

var collNames = []string{"home", "work"}

func (g *gambler) coll() string { return collNames[g.r.IntN(2)] }
func (g *gambler) name() string { return fmt.Sprintf("%c.ics", "abcdefghijklABé"[g.r.IntN(13)]) }
func (g *gambler) path(coll, name string) Path {
	return Path{Calendars, coll, name}
}

// step does up to four things in one Update, which sometimes fails.
func (g *gambler) step() {
	g.Helper()
	before, old := g.m.clone(), g.snap().Tree()
	fault := errors.New("fault")
	err := g.update(func(e *Edit) error {
		g.m = before.clone()
		for range 1 + g.r.IntN(4) {
			if err := g.act(e); err != nil {
				return err
			}
		}
		if g.r.IntN(8) == 0 {
			return fault
		}
		return nil
	})
	if errors.Is(err, fault) {
		g.m = before
	} else if err != nil {
		g.Fatal(err)
	}
	if err := g.Check(context.Background(), "alice", old, g.snap().Tree()); err != nil {
		g.Errorf("what was written could not be pushed: %v", err)
	}
	for coll, want := range g.m {
		g.compare(g.Shelf, coll, want)
	}
	if g.r.IntN(10) == 0 {
		for coll, want := range g.m {
			again := New(g.repo, g.o)
			again.maxFlat, again.minFan = g.maxFlat, g.minFan
			g.compare(again, coll, want)
		}
	}
	for _, f := range g.followers {
		if g.r.IntN(3) == 0 {
			g.follow(f)
		}
	}
}

// act does one thing to both.
func (g *gambler) act(e *Edit) error {
	coll, name := g.coll(), g.name()
	list := g.m[coll]
	was, there := list[name]
	switch g.r.IntN(7) {
	case 0, 1, 2: // put
		r := [2]string{fmt.Sprint("uid", g.r.IntN(14)), fmt.Sprint("text ", g.r.IntN(1000))}
		o, err := g.Shelf.Parse(Calendars, []byte(event(r[0], r[1])))
		if err != nil {
			return err
		}
		_, err = e.Put(g.path(coll, name), o)
		if there && was[0] != r[0] || g.m.uidTaken(coll, name, r[0]) {
			if _, ok := errors.AsType[*UIDError](err); !ok {
				g.Errorf("put %s %v: got %v, want UIDError", name, r, err)
			}
			return nil
		}
		list[name] = r
		return err
	case 3: // remove
		err := e.Remove(g.path(coll, name))
		if !there && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		delete(list, name)
		return err
	case 4, 5: // move, copy
		to, toName := g.coll(), g.name()
		move := g.r.IntN(2) == 0
		f := e.Copy
		if move {
			f = e.Move
		}
		_, full := g.m[to][toName]
		taken := there && g.m.uidTaken(to, toName, was[0]) && !(move && to == coll)
		err := f(e, g.path(coll, name), g.path(to, toName))
		switch {
		case !there:
			if !errors.Is(err, fs.ErrNotExist) {
				g.Errorf("%s is not there, and was carried: %v", name, err)
			}
			return nil
		case full:
			if !errors.Is(err, fs.ErrExist) {
				g.Errorf("%s is there, and was replaced: %v", toName, err)
			}
			return nil
		case taken:
			if _, ok := errors.AsType[*UIDError](err); !ok {
				g.Errorf("carry %s to %s/%s: got %v, want UIDError", name, to, toName, err)
			}
			return nil
		}
		if move {
			delete(list, name)
		}
		g.m[to][toName] = was
		return err
	default: // see what was done so far
		for coll, want := range g.m {
			c, err := e.Collection(Calendars, coll)
			if err != nil {
				return err
			}
			g.same(c, want)
		}
		return nil
	}
}

func (g *gambler) compare(s *Shelf, coll string, want map[string][2]string) {
	g.Helper()
	snap, err := s.Snapshot(context.Background(), "alice")
	if err != nil {
		g.Fatal(err)
	}
	c, err := snap.Collection(Calendars, coll)
	if err != nil {
		g.Fatal(err)
	}
	g.same(c, want)
}

// same asks a collection all that can be asked.
func (g *gambler) same(c *Collection, want map[string][2]string) {
	g.Helper()
	got := map[string][2]string{}
	var bytes int64
	for r, err := range c.Resources() {
		if err != nil {
			g.Fatal(err)
		}
		if _, twice := got[r.Name]; twice {
			g.Errorf("%s is listed twice", r.Name)
		}
		data, err := c.Read(r)
		if err != nil {
			g.Fatal(err)
		}
		x, err := c.Event(r)
		if err != nil {
			g.Fatal(err)
		}
		w := want[r.Name]
		if string(data) == event(w[0], w[1]) {
			got[r.Name] = [2]string{x.UID, w[1]}
		}
		if again, err := c.Resource(r.Name); err != nil || again.ETag != r.ETag || again.Size != int64(len(data)) {
			g.Errorf("%s: got %+v, %v, want %+v", r.Name, again, err, r)
		}
		if by, err := c.ByUID(x.UID); err != nil || by.Name != r.Name {
			g.Errorf("UID %s: got %s, %v, want %s", x.UID, by.Name, err, r.Name)
		}
		bytes += r.Size
	}
	if !maps.Equal(got, want) {
		g.Errorf("%s: got %v, want %v", c.Name, got, want)
	}
	if u, err := c.Usage(); err != nil || u.Count != len(want) || u.Bytes != bytes {
		g.Errorf("usage: got %+v, %v, want %d, %d bytes", u, err, len(want), bytes)
	}
	if _, err := c.ByUID("never"); !errors.Is(err, fs.ErrNotExist) {
		g.Errorf("a UID that is nowhere: %v", err)
	}
}

// follow has somebody synchronize, in parts perhaps.
func (g *gambler) follow(f *follower) {
	g.Helper()
	c, err := g.snap().Collection(Calendars, f.coll)
	if err != nil {
		g.Fatal(err)
	}
	for more := true; more; {
		s, err := c.Sync(context.Background(), f.token, g.r.IntN(4))
		if err != nil {
			g.Fatal(err)
		}
		for _, ch := range s.Changes {
			if ch.Removed {
				delete(f.known, ch.Name)
			} else {
				f.known[ch.Name] = ch.Resource.ETag
			}
		}
		f.token, more = s.Token, s.More
		if more && g.r.IntN(4) == 0 {
			return // it goes on another time
		}
	}
	var want []string
	for name, r := range g.m[f.coll] {
		o, err := g.Shelf.Parse(Calendars, []byte(event(r[0], r[1])))
		if err != nil {
			g.Fatal(err)
		}
		want = append(want, name)
		if f.known[name] != o.Hash {
			g.Errorf("who follows %s has %s as %v, want %v", f.coll, name, f.known[name], o.Hash)
		}
	}
	if got := slices.Sorted(maps.Keys(f.known)); len(got) != len(want) {
		g.Errorf("who follows %s has %v, want %v", f.coll, got, want)
	}
}
