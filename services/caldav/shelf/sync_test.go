package shelf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"cairn/store"
)

// sync asks for one answer.
func (k *kit) sync(token string, limit int) *Sync {
	k.Helper()
	s, err := k.coll("calendars/home").Sync(context.Background(), token, limit)
	if err != nil {
		k.Fatal(err)
	}
	return s
}

func TestSync(t *testing.T) {
	each(t, func(k *kit) {
		s := k.sync("", 0)
		k.want("before there is anything", show(s.Changes), "")
		k.put("calendars/home/a.ics", event("a", "A"))
		k.put("calendars/home/b.ics", event("b", "B"))
		s = k.sync(s.Token, 0)
		k.want("new", show(s.Changes), "a.ics b.ics")
		k.put("calendars/home/a.ics", event("a", "A2"))
		k.must(func(e *Edit) error { return e.Remove(at("calendars/home/b.ics")) })
		k.push("calendars/home/pushed.ics", event("p", "P"))
		next := k.sync(s.Token, 0)
		k.want("changed, removed and pushed", show(next.Changes), "a.ics -b.ics pushed.ics")
		k.want("the same again", show(k.sync(s.Token, 0).Changes), "a.ics -b.ics pushed.ics")
		k.want("nothing", show(k.sync(next.Token, 0).Changes), "")
		k.put("calendars/home/short.ics", event("s", ""))
		k.must(func(e *Edit) error { return e.Remove(at("calendars/home/short.ics")) })
		k.want("came and went", show(k.sync(next.Token, 0).Changes), "")

		token := k.coll("calendars/home").Token()
		k.put("contacts/contacts/x.vcf", card("x", "X"))
		if got := k.coll("calendars/home").Token(); got != token {
			t.Error("a change elsewhere has changed the token")
		}
	})
}

func TestSince(t *testing.T) {
	each(t, func(k *kit) {
		k.put("calendars/home/a.ics", event("a", "A"))
		before := k.snap().Commit()
		k.put("calendars/home/b.ics", event("b", "B"))
		c := k.coll("calendars/home")
		for commit, want := range map[store.Hash]string{{}: "a.ics b.ics", before: "b.ics", k.snap().Commit(): ""} {
			if list, err := c.Since(context.Background(), commit); err != nil || show(list) != want {
				t.Errorf("since %v: got %s, %v, want %s", commit, show(list), err, want)
			}
		}
		_, err := c.Since(context.Background(), store.Hash{1})
		k.wantErr("a commit that is not there", err, fs.ErrNotExist)
	})
}

// TestPruned has history pruned under a token.
func TestPruned(t *testing.T) {
	each(t, func(k *kit) {
		k.put("calendars/home/a.ics", event("a", "A"))
		token := k.coll("calendars/home").Token()
		gone := store.Hash{9}
		c := k.coll("calendars/home")
		key := firstKey{"alice", c.dir, c.hash}
		k.firsts.drop(key)
		k.firsts.put(key, gone, 0) // as if it had been the first to be seen
		if _, err := c.Sync(context.Background(), c.Token(), 0); !errors.Is(err, ErrToken) {
			t.Errorf("of a commit that was pruned: %v", err)
		}
		if got := k.coll("calendars/home").Token(); got != token {
			t.Error("the next token is again of the commit that was pruned")
		}
	})
}

// TestSyncParts replays what a client does whose answers are cut short while the
// collection changes: it must come to know what is there.
func TestSyncParts(t *testing.T) {
	each(t, func(k *kit) {
		k.fill(50)
		known := map[string]store.Hash{}
		step := 0
		token := ""
		for more := true; more; step++ {
			s := k.sync(token, 7)
			if len(s.Changes) > 7 {
				t.Fatalf("%d changes, 7 were asked for", len(s.Changes))
			}
			for _, c := range s.Changes {
				if c.Removed {
					delete(known, c.Name)
				} else {
					known[c.Name] = c.Resource.ETag
				}
			}
			token, more = s.Token, s.More
			if step < 5 {
				k.put(fmt.Sprintf("calendars/home/e%05d.ics", step*10), event(fmt.Sprint("u", step*10), "changed"))
				k.put(fmt.Sprintf("calendars/home/a%05d.ics", step), event(fmt.Sprint("a", step), "new"))
				k.must(func(e *Edit) error { return e.Remove(at(fmt.Sprintf("calendars/home/e%05d.ics", step*9+1))) })
			}
			if step > 100 {
				t.Fatal("it does not end")
			}
		}
		for r, err := range k.coll("calendars/home").Resources() {
			if err != nil {
				t.Fatal(err)
			}
			if known[r.Name] != r.ETag {
				t.Errorf("%s: the client has %v, want %v", r.Name, known[r.Name], r.ETag)
			}
			delete(known, r.Name)
		}
		if len(known) > 0 {
			t.Errorf("the client still has %v", slices.Collect(maps.Keys(known)))
		}
	})
}

func TestTokens(t *testing.T) {
	each(t, func(k *kit) {
		k.put("calendars/home/a.ics", event("a", "A"))
		k.must(func(e *Edit) error { return e.Make(at("calendars/work"), &Props{}) })
		home, work := k.coll("calendars/home"), k.coll("calendars/work")
		madeUp := token{at: store.Hash{7}}
		token := home.Token()
		bob := k.View("bob", k.snap().Tree())
		bobs, err := bob.Collection(Calendars, "home")
		if err != nil {
			t.Fatal(err)
		}
		other := New(k.repo, Options{Now: k.o.Now, Key: [32]byte{1}})
		foreign, err := other.View("alice", k.snap().Tree()).Collection(Calendars, "home")
		if err != nil {
			t.Fatal(err)
		}
		same, err := New(k.repo, Options{Now: k.o.Now}).View("alice", k.snap().Tree()).Collection(Calendars, "home")
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		if _, err := same.Sync(ctx, token, 0); err != nil {
			t.Errorf("another replica does not know the token: %v", err)
		}
		for what, try := range map[string]struct {
			c     *Collection
			token string
		}{
			"of another collection":       {work, token},
			"of another person":           {bobs, token},
			"with another key":            {foreign, token},
			"changed":                     {home, token[:10] + "A" + token[11:]},
			"cut":                         {home, token[:len(token)-1]},
			"without its prefix":          {home, strings.TrimPrefix(token, tokenPrefix)},
			"made up":                     {home, "http://example.com/sync/1"},
			"a commit":                    {home, k.snap().Commit().String()},
			"of a commit that is no more": {home, home.encodeToken(madeUp)},
		} {
			if _, err := try.c.Sync(ctx, try.token, 0); !errors.Is(err, ErrToken) {
				t.Errorf("token %s: got %v, want ErrToken", what, err)
			}
		}
	})
}

func FuzzToken(f *testing.F) {
	k := &Collection{Kind: Calendars, Name: "home", snap: &Snapshot{shelf: &Shelf{}, user: "alice"}}
	f.Add(k.encodeToken(token{}), "a")
	f.Add(k.encodeToken(token{cut: true, resume: "x.ics"}), "é.ics")
	f.Add("data:,", "")
	f.Fuzz(func(t *testing.T, s, resume string) {
		if tok, err := k.decodeToken(s); err == nil && k.encodeToken(tok) != s {
			t.Errorf("token %q is read as %+v, which is written %q", s, tok, k.encodeToken(tok))
		}
		want := token{at: store.Hash{1}, base: store.Hash{2}, cut: true, resume: resume}
		if got, err := k.decodeToken(k.encodeToken(want)); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	})
}
