package shelf

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// fill puts n events into home, in one Update.
func (k *kit) fill(n int) {
	k.Helper()
	k.must(func(e *Edit) error {
		for i, name := range many(n) {
			if _, err := e.Put(at("calendars/home/"+name), k.parse(Calendars, event(fmt.Sprint("u", i), "E"))); err != nil {
				return err
			}
		}
		return nil
	})
}

// folders counts the folders of a collection and the files right in it.
func (k *kit) folders(dir string) (folders, files int) {
	k.Helper()
	for e, err := range k.snap().Tree().Entries(dir) {
		switch {
		case err != nil:
			k.Fatal(err)
		case e.Mode.IsFile():
			files++
		default:
			folders++
		}
	}
	return folders, files - 1 // .props.toml
}

func TestFanOut(t *testing.T) {
	each(t, func(k *kit) {
		k.fill(maxFlat)
		if folders, files := k.folders("calendars/home"); folders != 0 || files != maxFlat {
			t.Fatalf("at the limit: %d folders, %d files, want all flat", folders, files)
		}
		before := k.coll("calendars/home")
		token := before.Token()
		commits := k.count()

		k.put("calendars/home/new.ics", event("new", "New"))
		if folders, files := k.folders("calendars/home"); folders < 200 || files != 0 {
			t.Errorf("above: %d folders, %d files, want all in folders", folders, files)
		}
		if got := k.count() - commits; got != 1 {
			t.Errorf("it took %d commits, want 1", got)
		}
		after := k.coll("calendars/home")
		if what, err := after.content(); err != nil || cap(what.flat.files) > 8 {
			t.Errorf("for the files that are not there any more, room for %d is kept (%v)", cap(what.flat.files), err)
		}
		s, err := after.Sync(context.Background(), token, 0)
		if err != nil || show(s.Changes) != "new.ics" || s.More {
			t.Errorf("sync: got %v, %v, want new.ics alone", s, err)
		}
		was, _ := before.Resource("e00007.ics")
		if is, err := after.Resource("e00007.ics"); err != nil || is.ETag != was.ETag {
			t.Errorf("after it was moved: %+v, %v, want %+v", is, err, was)
		}
		if r, err := after.ByUID("u999"); err != nil || r.Name != "e00999.ics" {
			t.Errorf("by UID: %+v, %v", r, err)
		}
		k.want("read", k.read("calendars/home/e00007.ics"), event("u7", "E"))
		if u, err := after.Usage(); err != nil || u.Count != maxFlat+1 {
			t.Errorf("usage: %+v, %v", u, err)
		}
		o := k.parse(Calendars, event("u3", "again"))
		err = k.update(func(e *Edit) error { _, err := e.Put(at("calendars/home/x.ics"), o); return err })
		if err == nil || !strings.Contains(fmt.Sprint(err), "e00003.ics") {
			t.Errorf("UID in a fan-out: %v", err)
		}

		token = after.Token()
		k.must(func(e *Edit) error {
			for _, name := range many(maxFlat)[minFan-1:] {
				if err := e.Remove(at("calendars/home/" + name)); err != nil {
					return err
				}
			}
			return nil
		})
		if folders, files := k.folders("calendars/home"); folders != 0 || files != minFan {
			t.Errorf("shrunk: %d folders, %d files, want %d files", folders, files, minFan)
		}
		s, err = k.coll("calendars/home").Sync(context.Background(), token, 0)
		if err != nil || len(s.Changes) != maxFlat-minFan+1 || !s.Changes[0].Removed {
			t.Errorf("sync: got %d changes, %v, want %d", len(s.Changes), err, maxFlat-minFan+1)
		}
	})
}

// count is how many commits the branch has.
func (k *kit) count() (n int) {
	for _, err := range k.Branch("alice").Log(context.Background(), "") {
		if err != nil {
			k.Fatal(err)
		}
		n++
	}
	return n
}

// TestByHand has files where no client would have put them.
func TestByHand(t *testing.T) {
	each(t, func(k *kit) {
		fan := fanOf("a.ics")
		k.push(
			"calendars/home/2025/trips/rome.ics", event("rome", "Rome"),
			"calendars/home/a.ics", event("a", "A"),
			"calendars/home/"+fan+"/a.ics", event("a2", "A in a fan-out"),
			"calendars/home/00/wrong~place.ics", event("w", "W"),
			"calendars/home/%61.ics", event("esc", "Escaped for nothing"),
			"calendars/home/.hidden.ics", "no calendar",
			"calendars/home/README", "no calendar",
			"calendars/home/broken.ics", "no calendar",
		)
		c := k.coll("calendars/home")
		want := "a.ics broken.ics ~%2561.ics ~00~wrong%7Eplace.ics ~2025~trips~rome.ics ~" + fan + "~a.ics"
		k.want("names", names(t, c), want)
		for name := range strings.FieldsSeq(want) {
			r, err := c.Resource(name)
			if err != nil || r.Name != name {
				t.Errorf("%s: got %+v, %v", name, r, err)
			}
			if _, err := c.Read(r); err != nil {
				t.Error(err)
			}
		}
		if _, err := c.Resource("~a.ics"); err == nil {
			t.Error("~a.ics is another name of a.ics")
		}
		r, _ := c.Resource("broken.ics")
		if _, err := c.Event(r); err == nil {
			t.Error("broken.ics was parsed")
		}
		if r, err := c.ByUID("rome"); err != nil || r.Name != "~2025~trips~rome.ics" {
			t.Errorf("by UID: %+v, %v", r, err)
		}

		token := c.Token()
		k.put("calendars/home/~2025~trips~rome.ics", event("rome", "Rome again")) // it stays where it is
		k.must(func(e *Edit) error { return e.Remove(at("calendars/home/a.ics")) })
		k.want("files", k.files(), "calendars/home/%61.ics calendars/home/.hidden.ics calendars/home/00/wrong~place.ics "+
			"calendars/home/2025/trips/rome.ics calendars/home/README calendars/home/a.ics calendars/home/broken.ics")
		s, err := k.coll("calendars/home").Sync(context.Background(), token, 0)
		if err != nil {
			t.Fatal(err)
		}
		k.want("sync", show(s.Changes), "a.ics ~2025~trips~rome.ics -~"+fan+"~a.ics")

		o := k.parse(Calendars, event("x", ""))
		err = k.update(func(e *Edit) error { _, err := e.Put(at("calendars/home/~x.ics"), o); return err })
		if _, ok := errors.AsType[*NameError](err); !ok {
			t.Errorf("a client has made ~x.ics: %v", err)
		}
	})
}
