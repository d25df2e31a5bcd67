package shelf

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"cairn/store"
)

// fork has a person's branch go two ways: ours changes the branch, theirs a copy of it.
// Then it is merged.
func (k *kit) fork(ours, theirs func(*kit)) {
	k.Helper()
	ctx := context.Background()
	if _, err := k.Branch("alice").Fork(ctx, "dav/copy"); err != nil {
		k.Fatal(err)
	}
	ours(k)
	mine, err := k.Branch("alice").Tree(ctx)
	if err != nil {
		k.Fatal(err)
	}
	// Their turn: alice's branch is theirs for a moment.
	base, err := k.repo.Branch("dav/copy").Tree(ctx)
	if err != nil {
		k.Fatal(err)
	}
	b, _ := base.Commit()
	m, _ := mine.Commit()
	k.move(m.Hash, b.Hash)
	theirs(k)
	t, _ := k.snap().Tree().Commit()
	k.move(t.Hash, m.Hash)
	if err := k.MergeBranch(ctx, change("merge"), "alice", t.Hash); err != nil {
		k.Fatal(err)
	}
	now, _ := k.snap().Tree().Commit()
	if m.Hash != b.Hash && t.Hash != b.Hash && len(now.Parents) != 2 {
		k.Errorf("%d parents, want 2", len(now.Parents))
	}
	if err := k.Check(ctx, "alice", base, k.snap().Tree()); err != nil {
		k.Errorf("after the merge: %v", err)
	}
}

func (k *kit) move(old, new store.Hash) {
	k.Helper()
	err := k.repo.Backend().Commit(context.Background(), nil, []store.RefChange{{Name: "refs/heads/dav/alice", Old: old, New: new}})
	if err != nil {
		k.Fatal(err)
	}
}

func (k *kit) gone(path string) {
	k.Helper()
	k.must(func(e *Edit) error { return e.Remove(at(path)) })
}

func TestMergeBranch(t *testing.T) {
	each(t, func(k *kit) {
		for _, name := range []string{"both", "ours", "theirs", "gone", "kept", "clash", "edited"} {
			k.put("calendars/home/"+name+".ics", event(name, "before"))
		}
		k.must(func(e *Edit) error {
			return e.SetProps(at("calendars/home"), &Props{DisplayName: "Home", Shares: map[string]Access{"bob": Read}, Dead: []Dead{{"x:", "a", "<a/>"}}})
		})
		k.must(func(e *Edit) error { return e.Make(at("calendars/old"), &Props{}) })
		k.put("calendars/old/1.ics", event("1", "before"))
		k.push("calendars/home/README", "before", "calendars/home/trips/hand.ics", event("hand", "before"))
		k.must(func(e *Edit) error {
			return e.SetLocks([]Lock{{Token: "a:1", Expires: start.AddDate(1, 0, 0)}, {Token: "a:2", Expires: start.AddDate(1, 0, 0)}})
		})
		edit := func(name, what string) string {
			return strings.Replace(event(name, "before"), "SUMMARY:before", what, 1)
		}
		k.fork(func(k *kit) {
			k.put("calendars/home/ours.ics", event("ours", "by us"))
			k.put("calendars/home/both.ics", edit("both", "SUMMARY:before\r\nLOCATION:us"))
			k.put("calendars/home/clash.ics", event("clash", "us"))
			k.put("calendars/home/kept.ics", event("kept", "us"))
			k.gone("calendars/home/edited.ics")
			k.put("calendars/home/new-ours.ics", event("same uid", "us"))
			k.push("calendars/home/README", "us")
			k.must(func(e *Edit) error { return e.SetProps(Path{}, &Props{Dead: []Dead{{"x:", "us", "<us/>"}}}) })
			k.must(func(e *Edit) error {
				p := e.snapProps("home")
				p.Color, p.Shares["carol"] = "#ff0000", Read
				return e.SetProps(at("calendars/home"), p)
			})
			k.must(func(e *Edit) error {
				l, err := e.Locks()
				if err != nil {
					return err
				}
				return e.SetLocks(l[1:])
			})
		}, func(k *kit) {
			k.put("calendars/home/theirs.ics", event("theirs", "by them"))
			k.put("calendars/home/both.ics", edit("both", "SUMMARY:them"))
			k.put("calendars/home/clash.ics", event("clash", "them"))
			k.put("calendars/home/edited.ics", event("edited", "them"))
			k.put("calendars/home/~trips~hand.ics", event("hand", "them"))
			k.gone("calendars/home/kept.ics")
			k.gone("calendars/home/gone.ics")
			k.gone("calendars/old")
			k.put("calendars/home/new-theirs.ics", event("same uid", "them"))
			k.must(func(e *Edit) error { return e.Make(at("calendars/new"), &Props{}) })
			k.put("calendars/new/1.ics", event("1", "them"))
			k.push("calendars/home/README", "them", "notes", "them")
			k.must(func(e *Edit) error { return e.SetProps(Path{}, &Props{Dead: []Dead{{"x:", "them", "<them/>"}}}) })
			k.must(func(e *Edit) error {
				return e.SetProps(Path{Kind: Contacts}, &Props{Looks: map[string]Look{"bob/home": {Color: "#00ff00"}}})
			})
			k.must(func(e *Edit) error {
				p := e.snapProps("home")
				p.DisplayName, p.Dead = "Theirs", []Dead{{"x:", "b", "<b/>"}}
				delete(p.Shares, "bob")
				return e.SetProps(at("calendars/home"), p)
			})
			k.must(func(e *Edit) error {
				l, err := e.Locks()
				if err != nil {
					return err
				}
				return e.SetLocks(append(l, Lock{Token: "a:3", Expires: start.AddDate(1, 0, 0)}))
			})
		})
		for name, want := range map[string]string{"ours": "by us", "theirs": "by them", "clash": "us", "kept": "us", "edited": "them", "new-ours": "us", "~trips~hand": "them"} {
			if got := k.read("calendars/home/" + name + ".ics"); !strings.Contains(got, "SUMMARY:"+want+"\r\n") {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		if got := k.read("calendars/home/both.ics"); !strings.Contains(got, "SUMMARY:them") || !strings.Contains(got, "LOCATION:us") {
			t.Errorf("both: got %q", got)
		}
		k.want("home", names(t, k.coll("calendars/home")), "both.ics clash.ics edited.ics kept.ics new-ours.ics ours.ics theirs.ics ~trips~hand.ics")
		if list := strings.Fields(names(t, k.coll("calendars/conflicts"))); len(list) != 2 {
			t.Errorf("conflicts: got %q, want clash and new-theirs", list)
		}
		k.want("new", k.read("calendars/new/1.ics"), event("1", "them"))
		if _, err := k.snap().Collection(Calendars, "old"); err == nil {
			t.Error("what they removed is still there")
		}
		want := &Props{DisplayName: "Theirs", Color: "#ff0000", Shares: map[string]Access{"carol": Read}, Dead: []Dead{{"x:", "b", "<b/>"}}}
		if got := k.coll("calendars/home").Props(); !got.Equal(want) {
			t.Errorf("properties: got %+v, want %+v", got, want)
		}
		if got := k.snap().Props(""); len(got.Dead) != 2 {
			t.Errorf("properties of the home: %+v", got)
		}
		if got := k.snap().Props(Contacts); got.Looks["bob/home"].Color != "#00ff00" {
			t.Errorf("properties of the address books' folder: %+v", got)
		}
		locks, err := k.snap().Locks()
		if err != nil || len(locks) != 2 || locks[0].Token != "a:2" || locks[1].Token != "a:3" {
			t.Errorf("locks: %v, %v", locks, err)
		}
		if files := k.files(); !strings.Contains(files, "home/README-") || !strings.Contains(files, "notes") {
			t.Errorf("files: %s", files)
		}
	})
}

func (e *Edit) snapProps(name string) *Props {
	c, err := e.Collection(Calendars, name)
	if err != nil {
		panic(err)
	}
	return c.Props().Clone()
}

// TestMergeLayouts merges where one side lies in a fan-out and the other does not.
func TestMergeLayouts(t *testing.T) {
	each(t, func(k *kit) {
		k.fill(maxFlat)
		change := func(n int, what string) func(*kit) {
			return func(k *kit) {
				for i := n; i < n+3; i++ {
					k.put(fmt.Sprintf("calendars/home/e%05d.ics", i), event(fmt.Sprint("u", i), what))
				}
				k.gone(fmt.Sprintf("calendars/home/e%05d.ics", n+10))
			}
		}
		grow := func(k *kit) { k.put("calendars/home/one more.ics", event("more", "more")) }
		k.fork(change(100, "us"), func(k *kit) { grow(k); change(102, "them")(k) })
		c := k.coll("calendars/home")
		if u, err := c.Usage(); err != nil || u.Count != maxFlat-1 {
			t.Errorf("%+v, %v, want %d", u, err, maxFlat-1)
		}
		for i, want := range map[int]string{100: "us", 101: "us", 102: "us", 103: "them", 104: "them", 99: "E"} {
			if got := k.read(fmt.Sprintf("calendars/home/e%05d.ics", i)); !strings.Contains(got, "SUMMARY:"+want+"\r\n") {
				t.Errorf("%d: got %q, want %q", i, got, want)
			}
		}
		if list := strings.Fields(names(t, k.coll("calendars/conflicts"))); len(list) != 1 {
			t.Errorf("conflicts: got %q, want one", list)
		}
	})
}

func TestMergeForward(t *testing.T) {
	each(t, func(k *kit) {
		k.put("calendars/home/a.ics", event("a", "A"))
		k.fork(func(*kit) {}, func(k *kit) { k.put("calendars/home/b.ics", event("b", "B")) })
		k.want("forward", names(t, k.coll("calendars/home")), "a.ics b.ics")
		if n := k.count(); n != 2 {
			t.Errorf("%d commits, want 2", n)
		}
	})
}
