package feed

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/mem"
	"cairn/store/object"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A kit is a Shelf with feeds.
type kit struct {
	*testing.T
	*shelf.Shelf
	feed    *Service
	now     time.Time
	removed bool // alice has no account any more
}

// each runs a test over both backends.
func each(t *testing.T, f func(*kit)) {
	t.Run("mem", func(t *testing.T) { f(newKit(t, mem.New())) })
	t.Run("gitdir", func(t *testing.T) {
		path := t.TempDir() + "/repo.git"
		if err := gitdir.Init(path); err != nil {
			t.Fatal(err)
		}
		dir, err := gitdir.Open(path, gitdir.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		f(newKit(t, dir))
	})
}

func newKit(t *testing.T, b store.Backend) *kit {
	k := &kit{T: t, now: start}
	k.Shelf = shelf.New(store.New(b, store.Options{}), shelf.Options{
		Now:   func() time.Time { return k.now },
		Known: func(context.Context, string) bool { return !k.removed },
	})
	k.feed = &Service{Shelf: k.Shelf, Key: [32]byte{7}}
	return k
}

func (k *kit) update(f func(*shelf.Edit) error) {
	k.Helper()
	ch := store.Change{Author: object.Signature{Name: "Alice", Email: "alice@localhost"}, Message: "test"}
	err := k.Update(context.Background(), ch, []string{"alice"}, func(m map[string]*shelf.Edit) error { return f(m["alice"]) })
	if err != nil {
		k.Fatal(err)
	}
}

func (k *kit) put(kind shelf.Kind, collection, name, data string) {
	k.Helper()
	o, err := k.Parse(kind, []byte(data))
	if err != nil {
		k.Fatal(err)
	}
	k.update(func(e *shelf.Edit) error {
		_, err := e.Put(shelf.Path{Kind: kind, Collection: collection, Name: name}, o)
		return err
	})
}

func (k *kit) props(kind shelf.Kind, name string, change func(*shelf.Props)) {
	k.Helper()
	k.update(func(e *shelf.Edit) error {
		c, err := e.Collection(kind, name)
		if err != nil {
			return err
		}
		p := c.Props().Clone()
		change(p)
		return e.SetProps(c.Path(), p)
	})
}

func (k *kit) coll(kind shelf.Kind, name string) *shelf.Collection {
	k.Helper()
	s, err := k.Snapshot(context.Background(), "alice")
	if err != nil {
		k.Fatal(err)
	}
	c, err := s.Collection(kind, name)
	if err != nil {
		k.Fatal(err)
	}
	return c
}

// get asks for a feed.
func (k *kit) get(path string, header ...string) *httptest.ResponseRecorder {
	k.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	k.feed.ServeHTTP(w, r)
	return w
}

// event is a calendar object.
func event(uid, summary string, more ...string) string {
	return strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//EN\nBEGIN:VEVENT\nUID:"+uid+
		"\nDTSTAMP:20260101T000000Z\nDTSTART:20260301T100000Z\nDTEND:20260301T110000Z\nSUMMARY:"+summary+
		"\n"+strings.Join(append(more, ""), "\n")+"END:VEVENT\nEND:VCALENDAR\n", "\n", "\r\n")
}

// zoned is an event in a zone of its own that is so many hours from UTC.
func zoned(uid, tzid, offset string) string {
	return strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//EN\nBEGIN:VTIMEZONE\nTZID:"+tzid+
		"\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:"+offset+"\nTZOFFSETTO:"+offset+"\nEND:STANDARD\nEND:VTIMEZONE\n"+
		"BEGIN:VEVENT\nUID:"+uid+"\nDTSTAMP:20260101T000000Z\nDTSTART;TZID="+tzid+":20260301T100000\nDURATION:PT1H\nSUMMARY:"+uid+
		"\nEND:VEVENT\nEND:VCALENDAR\n", "\n", "\r\n")
}
