package shelf

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/mem"
)

// FuzzByHand has files wherever somebody may have put them. Each has one name, by
// which it is found, and whoever synchronizes learns of all.
func FuzzByHand(f *testing.F) {
	f.Add("a.ics\n%61.ics\nA.ics\n%41.ics\nbd/a.ics\nx/y/a.ics", "b.ics")
	f.Add("~a.ics\n~~b.ics\n00/00/x.ics\n.x.ics\n.d/x.ics\na%.ics\n%2Eics%.ics", "a")
	f.Add("e\u0301.ics\n\u00e9.ics\ne%CC%81.ics\nCON.ics\n%43ON.ics", "con.ics")
	f.Fuzz(func(t *testing.T, paths, fresh string) {
		k := newKit(t, mem.New(), Options{})
		k.maxFlat, k.minFan = 3, 1
		list := strings.Split(paths, "\n")
		err := k.Branch("alice").Update(context.Background(), change("push"), func(tx *store.Tx) error {
			for i, path := range list[:min(len(list), 20)] {
				// What no tree can hold is left out.
				_ = tx.Put("calendars/home/"+path, []byte(event(fmt.Sprint("u", i), "E")))
			}
			return tx.Put("calendars/home/.props.toml", nil)
		})
		if err != nil {
			t.Skip()
		}
		before := k.whole()
		s := k.sync("", 0)
		if len(s.Changes) != len(before) {
			t.Errorf("%d resources, sync tells of %d", len(before), len(s.Changes))
		}
		o := k.parse(Calendars, event("fresh", "F"))
		err = k.update(func(e *Edit) error { _, err := e.Put(Path{Calendars, "home", fresh}, o); return err })
		if err != nil {
			return
		}
		after := k.whole()
		if after[fresh] != o.Hash {
			t.Errorf("%q was put, and is %v", fresh, after[fresh])
		}
		known := map[string]store.Hash{}
		for _, list := range [][]Change{s.Changes, k.sync(s.Token, 0).Changes} {
			for _, c := range list {
				if known[c.Name] = c.Resource.ETag; c.Removed {
					delete(known, c.Name)
				}
			}
		}
		for name, etag := range after {
			if known[name] != etag {
				t.Errorf("%q is %v, who synchronizes has %v", name, etag, known[name])
			}
		}
		if len(known) != len(after) {
			t.Errorf("got %v, want %v", known, after)
		}
	})
}

// whole lists home, and makes sure that each resource is found by its name.
func (k *kit) whole() map[string]store.Hash {
	k.Helper()
	c := k.coll("calendars/home")
	all := map[string]store.Hash{}
	for r, err := range c.Resources() {
		if err != nil {
			k.Fatal(err)
		}
		if _, twice := all[r.Name]; twice || r.Name == "" {
			k.Errorf("two are called %q", r.Name)
		}
		all[r.Name] = r.ETag
		if again, err := c.Resource(r.Name); err != nil || again.in+again.file != r.in+r.file {
			k.Errorf("%q is %s%s, by its name it is %s%s, %v", r.Name, r.in, r.file, again.in, again.file, err)
		}
	}
	return all
}
