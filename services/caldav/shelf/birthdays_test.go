package shelf

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"time"

	"cairn/services/caldav/ical"
	"cairn/store"
	"cairn/store/mem"
)

func born(uid, name, day string) string {
	return strings.Replace(card(uid, name), "END:", "BDAY:"+day+"\r\nEND:", 1)
}

func TestBirthdays(t *testing.T) {
	k := &kit{T: t, now: start}
	k.Shelf = New(store.New(mem.New(), store.Options{Now: func() time.Time { return k.now }}), Options{Now: func() time.Time { return k.now }})
	k.put("contacts/contacts/bob.vcf", born("b", "Bob", "1986-04-05"))
	k.put("contacts/contacts/carol.vcf", card("c", "Carol"))
	k.must(func(e *Edit) error {
		return e.Make(at("calendars/birthdays"), &Props{DisplayName: "Birthdays", Birthdays: true})
	})
	calendar := func() *Collection { return k.coll("calendars/birthdays") }
	list := func() (all string) {
		c := calendar()
		for r, err := range c.Resources() {
			if err != nil {
				t.Fatal(err)
			}
			data, err := c.Read(r)
			if err != nil {
				t.Fatal(err)
			}
			o := k.parse(Calendars, string(data))
			if o.Hash != r.ETag || int64(len(data)) != r.Size {
				t.Errorf("%s: listed as %v with %d bytes, it is %v with %d", r.Name, r.ETag, r.Size, o.Hash, len(data))
			}
			if x, err := c.Event(r); err != nil || !x.Recurring {
				t.Errorf("index: %+v, %v", x, err)
			}
			if got, err := c.ByUID(o.UID); err != nil || got.Name != r.Name {
				t.Errorf("by UID: %+v, %v", got, err)
			}
			if got, err := c.Resource(r.Name); err != nil || got.ETag != r.ETag {
				t.Errorf("by name: %+v, %v", got, err)
			}
			all += string(data)
		}
		return all
	}
	if got := list(); !strings.Contains(got, "Bob (40)") || strings.Contains(got, "Carol") {
		t.Errorf("got %s", got)
	}
	token, tag := calendar().Token(), calendar().CTag()
	sync := func() *Sync {
		s, err := calendar().Sync(context.Background(), token, 0)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := sync(); len(s.Changes) != 0 {
		t.Errorf("nothing has happened: %v", s.Changes)
	}
	k.put("calendars/home/a.ics", event("a", "A"))
	if calendar().Token() != token || calendar().CTag() != tag {
		t.Error("a change elsewhere has changed it")
	}
	k.put("contacts/contacts/carol.vcf", born("c", "Carol", "--0229"))
	if s := sync(); len(s.Changes) != 1 || s.Changes[0].Removed {
		t.Errorf("one more birthday: %v", s.Changes)
	}
	if got := list(); !strings.Contains(got, "Carol") || calendar().CTag() == tag {
		t.Errorf("got %s", got)
	}
	k.must(func(e *Edit) error { return e.Remove(at("contacts/contacts/bob.vcf")) })
	if s := sync(); len(s.Changes) != 2 {
		t.Errorf("one more, one less: %v", s.Changes)
	}
	token = calendar().Token()
	k.put("contacts/contacts/bob.vcf", born("b", "Bob", "1986-04-05"))
	token = calendar().Token()
	k.now = k.now.AddDate(1, 0, 0)
	k.put("calendars/home/b.ics", event("b", "B"))
	if s := sync(); len(s.Changes) != 1 || !strings.Contains(list(), "Bob (44)") {
		t.Errorf("a year later: %v %s", s.Changes, list())
	}

	o := k.parse(Calendars, event("x", "X"))
	k.wantErr("put", k.update(func(e *Edit) error { _, err := e.Put(at("calendars/birthdays/x.ics"), o); return err }), fs.ErrPermission)
	name := names(t, calendar())
	name, _, _ = strings.Cut(name, " ")
	k.wantErr("remove", k.update(func(e *Edit) error { return e.Remove(at("calendars/birthdays/" + name)) }), fs.ErrPermission)
	k.must(func(e *Edit) error { return e.Copy(e, at("calendars/birthdays/"+name), at("calendars/home/copy.ics")) })
	k.must(func(e *Edit) error { return e.Remove(at("calendars/birthdays")) })

	cal, err := ical.Parse([]byte(k.read("calendars/home/copy.ics")))
	if err != nil || cal.CheckObject() != nil {
		t.Errorf("a copy: %v", err)
	}
	if u, err := k.snap().Usage(); err != nil || u.Count != 5 {
		t.Errorf("usage: %+v, %v, want 5", u, err)
	}
}
