package past

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A desk is alice's calendars and contacts, and each state they were in.
type desk struct {
	t     *testing.T
	shelf *shelf.Shelf
}

func newDesk(t *testing.T) *desk {
	repo := store.New(mem.New(), store.Options{})
	return &desk{t, shelf.New(repo, shelf.Options{Now: time.Now})}
}

func (d *desk) now() *shelf.Snapshot {
	d.t.Helper()
	s, err := d.shelf.Snapshot(d.t.Context(), "alice")
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

var by = object.Signature{Name: "Alice", Email: "alice@localhost"}

// try makes one commit.
func (d *desk) try(f func(e *shelf.Edit) error) error {
	return d.shelf.Update(d.t.Context(), store.Change{Author: by, Message: "x\n"}, []string{"alice"}, func(edits map[string]*shelf.Edit) error {
		return f(edits["alice"])
	})
}

func (d *desk) do(f func(e *shelf.Edit) error) {
	d.t.Helper()
	if err := d.try(f); err != nil {
		d.t.Fatal(err)
	}
}

func at(path string) shelf.Path {
	parts := append(strings.SplitN(path, "/", 3), "", "")
	return shelf.Path{Kind: shelf.Kind(parts[0]), Collection: parts[1], Name: parts[2]}
}

func (d *desk) put(e *shelf.Edit, path, summary string) error {
	p := at(path)
	uid := strings.TrimSuffix(strings.TrimSuffix(p.Name, ".ics"), ".vcf")
	data := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20261121T000000Z\r\nDTSTART:20261202T120000Z\r\nSUMMARY:" + summary + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	if p.Kind == shelf.Contacts {
		data = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" + uid + "\r\nFN:" + summary + "\r\nN:" + summary + ";;;;\r\nEND:VCARD\r\n"
	}
	o, err := d.shelf.Parse(p.Kind, []byte(data))
	if err != nil {
		return err
	}
	_, err = e.Put(p, o)
	return err
}

// listing is what there is, a line each.
func listing(t *testing.T, s *shelf.Snapshot) string {
	t.Helper()
	var lines []string
	for _, kind := range []shelf.Kind{shelf.Calendars, shelf.Contacts} {
		list, err := s.Collections(kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			p := c.Props()
			lines = append(lines, fmt.Sprintf("%s %q %v", c.Path(), p.DisplayName, p.Shares))
			for r, err := range c.Resources() {
				if err != nil {
					t.Fatal(err)
				}
				lines = append(lines, fmt.Sprintf("%s/%s %v", c.Path(), r.Name, r.ETag))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// A step is one commit and what is to be said of it.
type step struct {
	words string
	do    func(d *desk, e *shelf.Edit) error
}

var steps = []step{
	{"Added “Lunch” (2026-12-02) to Calendar", func(d *desk, e *shelf.Edit) error {
		return errors.Join(d.put(e, "calendars/home/lunch.ics", "Lunch"))
	}},
	{"Made the calendar Work", func(d *desk, e *shelf.Edit) error {
		return e.Make(at("calendars/work"), &shelf.Props{DisplayName: "Work", Shares: map[string]shelf.Access{"bob": shelf.Read}})
	}},
	{"Renamed Calendar to Private", func(d *desk, e *shelf.Edit) error {
		return e.SetProps(at("calendars/home"), &shelf.Props{DisplayName: "Private"})
	}},
	{"Added “a” (2026-12-02), “b” (2026-12-02), “c” (2026-12-02) and 3 more to Work", func(d *desk, e *shelf.Edit) error {
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			if err := d.put(e, "calendars/work/"+name+".ics", name); err != nil {
				return err
			}
		}
		return nil
	}},
	{"Moved “Lunch” (2026-12-02) from Private to Work; changed “A” (2026-12-02) in Work; deleted “b” (2026-12-02) from Work", func(d *desk, e *shelf.Edit) error {
		return errors.Join(e.Move(e, at("calendars/home/lunch.ics"), at("calendars/work/lunch.ics")),
			d.put(e, "calendars/work/a.ics", "A"), e.Remove(at("calendars/work/b.ics")))
	}},
	{"Added “Bob” to Contacts", func(d *desk, e *shelf.Edit) error { return d.put(e, "contacts/contacts/bob.vcf", "Bob") }},
	{"Deleted the calendar Work with 6 entries", func(d *desk, e *shelf.Edit) error { return e.Remove(at("calendars/work")) }},
	{"Deleted “Bob” from Contacts", func(d *desk, e *shelf.Edit) error { return e.Remove(at("contacts/contacts/bob.vcf")) }},
}

// TestDeeds says each step in words, undoes it, and restores every state from every
// other.
func TestDeeds(t *testing.T) {
	d := newDesk(t)
	states := []*shelf.Snapshot{d.now()}
	for _, s := range steps {
		d.do(func(e *shelf.Edit) error { return s.do(d, e) })
		before, after := states[len(states)-1], d.now()
		states = append(states, after)
		deeds, err := Deeds(t.Context(), before, after, shelf.Path{})
		if got := Words(deeds); err != nil || got != s.words {
			t.Errorf("got %q, %v, want %q", got, err, s.words)
		}
		if before.Commit() == object.Zero {
			continue
		}
		d.do(func(e *shelf.Edit) error { return Undo(t.Context(), d.shelf, e, before, after) })
		if got, want := listing(t, d.now()), listing(t, before); got != want {
			t.Errorf("undone: %s\ngot\n%s\nwant\n%s", s.words, got, want)
		}
		d.do(func(e *shelf.Edit) error { return Restore(d.shelf, e, after, shelf.Path{}) })
	}
	for _, then := range states[1:] {
		d.do(func(e *shelf.Edit) error { return Restore(d.shelf, e, then, shelf.Path{}) })
		if got, want := listing(t, d.now()), listing(t, then); got != want {
			t.Errorf("restored\n%s\nwant\n%s", got, want)
		}
	}
}

// A collection and a resource are restored without the others.
func TestRestorePart(t *testing.T) {
	d := newDesk(t)
	d.do(func(e *shelf.Edit) error {
		return errors.Join(e.Make(at("calendars/work"), &shelf.Props{Shares: map[string]shelf.Access{"bob": shelf.Read}}),
			d.put(e, "calendars/work/a.ics", "a"), d.put(e, "calendars/work/b.ics", "b"))
	})
	then := d.now()
	d.do(func(e *shelf.Edit) error {
		return errors.Join(e.SetProps(at("calendars/work"), &shelf.Props{DisplayName: "New"}),
			e.Remove(at("calendars/work/a.ics")), d.put(e, "calendars/work/b.ics", "B"), d.put(e, "calendars/work/c.ics", "c"))
	})
	summaries := func() string {
		c, err := d.now().Collection(shelf.Calendars, "work")
		if err != nil {
			t.Fatal(err)
		}
		list, err := all(c)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		for _, r := range list {
			data, err := c.Read(r)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := headline(data)
			text += name
		}
		return text
	}
	for _, c := range []struct{ path, want string }{
		{"calendars/work/a.ics", "aBc"}, {"calendars/work/b.ics", "abc"}, {"calendars/work/c.ics", "ab"},
	} {
		d.do(func(e *shelf.Edit) error { return Restore(d.shelf, e, then, at(c.path)) })
		if got := summaries(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.path, got, c.want)
		}
	}
	deeds, err := Foretell(t.Context(), d.now(), then, at("calendars/work"))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, deed := range deeds {
		told = append(told, deed.Future())
	}
	if got, want := strings.Join(told, "; "), "rename New to work"; got != want {
		t.Errorf("foretold: got %q, want %q", got, want)
	}
	d.do(func(e *shelf.Edit) error { return Restore(d.shelf, e, then, at("calendars/work")) })
	c, err := d.now().Collection(shelf.Calendars, "work")
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Props(); p.DisplayName != "" || len(p.Shares) != 0 {
		t.Errorf("properties: got %+v, want the old name and the shares of now, none", p)
	}
	for _, path := range []string{"calendars/nothing", "calendars/work/nothing.ics", "calendars/nothing/a.ics"} {
		if err := d.try(func(e *shelf.Edit) error { return Restore(d.shelf, e, then, at(path)) }); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want fs.ErrNotExist", path, err)
		}
	}
}

// What was changed again since is not undone.
func TestUndoChanged(t *testing.T) {
	d := newDesk(t)
	d.do(func(e *shelf.Edit) error { return d.put(e, "calendars/home/x.ics", "x") })
	before := d.now()
	d.do(func(e *shelf.Edit) error { return d.put(e, "calendars/home/x.ics", "y") })
	after := d.now()
	d.do(func(e *shelf.Edit) error { return d.put(e, "calendars/home/x.ics", "z") })
	if err := d.try(func(e *shelf.Edit) error { return Undo(t.Context(), d.shelf, e, before, after) }); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v, want ErrChanged", err)
	}
	d.do(func(e *shelf.Edit) error {
		return errors.Join(d.put(e, "calendars/home/x.ics", "y"), d.put(e, "calendars/home/other.ics", "other"))
	})
	d.do(func(e *shelf.Edit) error { return Undo(t.Context(), d.shelf, e, before, after) })
	if got := listing(t, d.now()); strings.Count(got, ".ics") != 2 {
		t.Errorf("after the undo there are\n%s\nwant x and the other", got)
	}
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"a\x1b[31m\nb\u202ec": "a [31m b c", "": "", strings.Repeat("ä", 100): strings.Repeat("ä", 59) + "…",
	} {
		if got := clean(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzHeadline(f *testing.F) {
	f.Add([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20261202T120000Z\r\nSUMMARY:Lunch\\, late\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	f.Add([]byte("BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nDUE;VALUE=DATE:2026\u00e4\u00e4\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"))
	f.Add([]byte("BEGIN:VCARD\r\nFN:B\u202eob\r\nEND:VCARD\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, day := headline(data)
		for _, s := range []string{text, day} {
			if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxTitle || clean(s) != s {
				t.Errorf("got %q", s)
			}
		}
	})
}
