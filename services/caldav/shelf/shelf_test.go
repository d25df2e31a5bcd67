package shelf

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"
)

func TestPutReadRemove(t *testing.T) {
	each(t, func(k *kit) {
		lunch := event("1", "Lunch")
		r := k.put("calendars/home/lunch.ics", lunch)
		k.want("bytes", k.read("calendars/home/lunch.ics"), lunch)
		c := k.coll("calendars/home")
		got, err := c.Resource("lunch.ics")
		if err != nil || got.ETag != r.ETag || got.Size != int64(len(lunch)) {
			t.Errorf("got %+v, %v, want what Put returned: %+v", got, err, r)
		}
		k.want("files", k.files(), "calendars/home/.props.toml calendars/home/lunch.ics")
		x, err := c.Event(got)
		if err != nil || x.UID != "1" {
			t.Errorf("index: got %+v, %v", x, err)
		}
		k.must(func(e *Edit) error { return e.Remove(at("calendars/home/lunch.ics")) })
		_, err = k.coll("calendars/home").Resource("lunch.ics")
		k.wantErr("after removal", err, fs.ErrNotExist)
		k.wantErr("again", k.update(func(e *Edit) error { return e.Remove(at("calendars/home/lunch.ics")) }), fs.ErrNotExist)
		k.put("contacts/contacts/bob.vcf", card("b", "Bob"))
		k.want("address book", names(t, k.coll("contacts/contacts")), "bob.vcf")
	})
}

func TestDefaults(t *testing.T) {
	each(t, func(k *kit) {
		s := k.snap()
		for kind, want := range map[Kind]string{Calendars: "home", Contacts: "contacts", Inbox: ""} {
			list, err := s.Collections(kind)
			if err != nil || len(list) != 1 || list[0].Name != want || list[0].Exists() {
				t.Errorf("%s: got %v, %v, want %q, not there yet", kind, list, err, want)
			}
		}
		if _, err := k.Branch("alice").Tree(context.Background()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("reading has written: %v", err)
		}
		k.must(func(e *Edit) error { return e.Make(at("calendars/work"), &Props{DisplayName: "Work"}) })
		k.want("the default stays", k.files(), "calendars/home/.props.toml calendars/work/.props.toml")
		k.must(func(e *Edit) error {
			if err := e.Remove(at("calendars/home")); err != nil {
				return err
			}
			return e.Remove(at("calendars/work"))
		})
		if list, err := k.snap().Collections(Calendars); err != nil || len(list) != 0 {
			t.Errorf("after the last was removed: got %v, %v, want none", list, err)
		}
	})
}

func TestUIDs(t *testing.T) {
	each(t, func(k *kit) {
		k.put("calendars/home/a.ics", event("1", "A"))
		try := func(path, uid string) error {
			o := k.parse(Calendars, event(uid, "B"))
			return k.update(func(e *Edit) error { _, err := e.Put(at(path), o); return err })
		}
		for _, c := range []struct{ path, uid, blame string }{
			{"calendars/home/b.ics", "1", "a.ics"},
			{"calendars/home/a.ics", "2", "a.ics"},
			{"calendars/home/a.ics", "1", ""},
			{"calendars/home/c.ics", "3", ""},
		} {
			err := try(c.path, c.uid)
			taken, ok := errors.AsType[*UIDError](err)
			if c.blame == "" && err != nil || c.blame != "" && (!ok || taken.Name != c.blame) {
				t.Errorf("UID %s at %s: got %v, want %q to blame", c.uid, c.path, err, c.blame)
			}
		}
		k.must(func(e *Edit) error { // in one Update
			one, two := k.parse(Calendars, event("9", "")), k.parse(Calendars, event("9", ""))
			if _, err := e.Put(at("calendars/home/one.ics"), one); err != nil {
				return err
			}
			if _, err := e.Put(at("calendars/home/two.ics"), two); err == nil {
				t.Error("a UID twice in one Update was accepted")
			}
			if err := e.Remove(at("calendars/home/one.ics")); err != nil {
				return err
			}
			_, err := e.Put(at("calendars/home/two.ics"), two)
			return err
		})
		r, err := k.coll("calendars/home").ByUID("9")
		if err != nil || r.Name != "two.ics" {
			t.Errorf("by UID: got %+v, %v, want two.ics", r, err)
		}
		_, err = k.coll("calendars/home").ByUID("none")
		k.wantErr("absent UID", err, fs.ErrNotExist)
	})
}

func TestCopyAndMove(t *testing.T) {
	each(t, func(k *kit) {
		k.put("calendars/home/a.ics", event("1", "A"))
		k.must(func(e *Edit) error {
			return e.SetResourceProps(at("calendars/home/a.ics"), []Dead{{"x:", "p", "<p xmlns='x:'/>"}})
		})
		k.must(func(e *Edit) error { return e.Make(at("calendars/work"), &Props{Color: "#ff0000"}) })
		k.must(func(e *Edit) error { return e.Copy(e, at("calendars/home/a.ics"), at("calendars/work/b.ics")) })
		k.want("copied", names(t, k.coll("calendars/work")), "b.ics")
		c := k.coll("calendars/work")
		r, _ := c.Resource("b.ics")
		if list, err := c.ResourceProps(r); err != nil || len(list) != 1 {
			t.Errorf("properties of the copy: %v, %v", list, err)
		}
		if err := k.update(func(e *Edit) error { return e.Copy(e, at("calendars/home/a.ics"), at("calendars/home/c.ics")) }); err == nil {
			t.Error("a copy in the same collection has taken the UID twice")
		}
		k.must(func(e *Edit) error { return e.Move(e, at("calendars/home/a.ics"), at("calendars/home/c.ics")) })
		k.want("renamed", names(t, k.coll("calendars/home")), "c.ics")
		k.wantErr("onto another", k.update(func(e *Edit) error { return e.Move(e, at("calendars/home/c.ics"), at("calendars/work/b.ics")) }), fs.ErrExist)
		k.want("nothing has happened", names(t, k.coll("calendars/home")), "c.ics")

		both := func(f func(a, b *Edit) error) error {
			return k.Update(context.Background(), change("both"), []string{"alice", "bob"}, func(m map[string]*Edit) error { return f(m["alice"], m["bob"]) })
		}
		if err := both(func(a, b *Edit) error { return b.Move(a, at("calendars/home/c.ics"), at("calendars/home/c.ics")) }); err != nil {
			t.Fatal(err)
		}
		bob, err := k.Snapshot(context.Background(), "bob")
		if err != nil {
			t.Fatal(err)
		}
		got, err := bob.Collection(Calendars, "home")
		if err != nil {
			t.Fatal(err)
		}
		k.want("bob's", names(t, got), "c.ics")
		k.want("alice's", names(t, k.coll("calendars/home")), "")
	})
}

func TestCopyCollection(t *testing.T) {
	each(t, func(k *kit) {
		k.put("calendars/home/a.ics", event("1", "A"))
		k.must(func(e *Edit) error {
			p := k.coll("calendars/home").Props().Clone()
			p.Shares = map[string]Access{"bob": Read}
			return e.SetProps(at("calendars/home"), p)
		})
		k.must(func(e *Edit) error {
			if _, err := e.Put(at("calendars/home/b.ics"), k.parse(Calendars, event("2", "B"))); err != nil {
				return err
			}
			if err := e.Remove(at("calendars/home/a.ics")); err != nil {
				return err
			}
			return e.Copy(e, at("calendars/home"), at("calendars/copy"))
		})
		k.want("copy", names(t, k.coll("calendars/copy")), "b.ics")
		if k.coll("calendars/copy").Props().Shares != nil {
			t.Error("the copy is shared")
		}
		k.must(func(e *Edit) error { return e.Move(e, at("calendars/copy"), at("calendars/moved")) })
		_, err := k.snap().Collection(Calendars, "copy")
		k.wantErr("moved away", err, fs.ErrNotExist)
		k.want("moved", names(t, k.coll("calendars/moved")), "b.ics")
		k.wantErr("onto another", k.update(func(e *Edit) error { return e.Copy(e, at("calendars/home"), at("calendars/moved")) }), fs.ErrExist)
	})
}

func TestLocks(t *testing.T) {
	each(t, func(k *kit) {
		lock := Lock{Token: "urn:uuid:1", Root: "calendars/home/a.ics", Principal: "alice", Owner: "<d:owner xmlns:d='DAV:'>{a.b}</d:owner>", Expires: start.Add(time.Hour)}
		k.must(func(e *Edit) error { return e.SetLocks([]Lock{lock}) })
		got, err := k.snap().Locks()
		if err != nil || len(got) != 1 || got[0] != lock {
			t.Fatalf("got %+v, %v, want %+v", got, err, lock)
		}
		again := New(k.repo, Options{Now: k.o.Now}) // another process
		s, err := again.Snapshot(context.Background(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Locks(); err != nil || len(got) != 1 {
			t.Errorf("after a restart: got %v, %v", got, err)
		}
		k.now = start.Add(time.Hour)
		if got, err := k.snap().Locks(); err != nil || len(got) != 0 {
			t.Errorf("expired: got %v, %v", got, err)
		}
		before := k.snap().Commit()
		k.must(func(*Edit) error { return nil })
		if k.snap().Commit() != before {
			t.Error("an Update that does nothing has made a commit")
		}
		k.put("calendars/home/a.ics", event("1", "A"))
		k.want("swept", k.files(), "calendars/home/.props.toml calendars/home/a.ics")
	})
}

func TestQuota(t *testing.T) {
	k := newKit(t, newDir(t), Options{Quota: 1000})
	o := k.parse(Calendars, event("1", "A"))
	size := int64(len(o.Data))
	k.put("calendars/home/a.ics", event("1", "A"))
	u, err := k.snap().Usage()
	if want := (Usage{size, 1}); err != nil || u != want {
		t.Errorf("got %+v, %v, want %+v", u, err, want)
	}
	big := k.parse(Calendars, event("2", strings.Repeat("x", 1000)))
	err = k.update(func(e *Edit) error { _, err := e.Put(at("calendars/home/b.ics"), big); return err })
	k.wantErr("too much", err, ErrQuota)
	k.push("calendars/home/b.ics", string(big.Data))
	k.must(func(e *Edit) error { return e.Remove(at("calendars/home/a.ics")) }) // less, though still too much
}

func TestShares(t *testing.T) {
	each(t, func(k *kit) {
		k.must(func(e *Edit) error {
			return e.Make(at("calendars/club"), &Props{Shares: map[string]Access{"bob": ReadWrite}})
		})
		for range 2 {
			list, err := k.SharedWith(context.Background(), "bob")
			if want := (Shared{"alice", Calendars, "club", ReadWrite}); err != nil || len(list) != 1 || list[0] != want {
				t.Errorf("got %+v, %v, want %+v", list, err, want)
			}
		}
		k.must(func(e *Edit) error { return e.SetProps(at("calendars/club"), &Props{}) })
		if list, err := k.SharedWith(context.Background(), "bob"); err != nil || len(list) != 0 {
			t.Errorf("after it ended: got %+v, %v", list, err)
		}
	})
}

func TestUpdateAllOrNone(t *testing.T) {
	each(t, func(k *kit) {
		fault := errors.New("fault")
		o := k.parse(Calendars, event("1", "A"))
		err := k.Update(context.Background(), change("x"), []string{"alice", "bob"}, func(m map[string]*Edit) error {
			if _, err := m["alice"].Put(at("calendars/home/a.ics"), o); err != nil {
				return err
			}
			return fault
		})
		k.wantErr("update", err, fault)
		if _, err := k.Branch("alice").Tree(context.Background()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("half of it is there: %v", err)
		}
		if err := k.Update(context.Background(), change("x"), []string{"a/b"}, nil); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("user a/b: %v", err)
		}
	})
}
