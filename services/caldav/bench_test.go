package caldav

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cairn/services/caldav/shelf"
)

// fill puts so many events into alice's calendar home.
func (h *house) fill(n int) {
	h.t.Helper()
	h.edit("alice", func(e *shelf.Edit) error {
		for i := range n {
			o, err := h.service.Shelf.Parse(shelf.Calendars, []byte(anEvent(fmt.Sprintf("u%d", i), fmt.Sprintf("Event %d", i))))
			if err != nil {
				return err
			}
			if _, err := e.Put(shelf.Path{Kind: shelf.Calendars, Collection: "home", Name: fmt.Sprintf("%d.ics", i)}, o); err != nil {
				return err
			}
		}
		return nil
	})
}

// direct sends a request past the network.
func (h *house) direct(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.SetBasicAuth("alice", h.secrets["alice"])
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.service.Handler().ServeHTTP(w, r)
	return w
}

func BenchmarkPropfind(b *testing.B) {
	h := open(b)
	h.fill(10_000)
	for _, props := range []string{"<getetag/>", "<getetag/><getcontenttype/><resourcetype/><getcontentlength/>", "<getetag/><displayname/><current-user-privilege-set/><owner/>"} {
		b.Run(fmt.Sprint(strings.Count(props, "/>")), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := h.direct("PROPFIND", "/calendars/alice/home/", `<propfind xmlns="DAV:"><prop>`+props+`</prop></propfind>`, "Depth: 1")
				if w.Code != http.StatusMultiStatus {
					b.Fatal(w.Code)
				}
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	h := open(b)
	h.fill(1000)
	b.ReportAllocs()
	for b.Loop() {
		if w := h.direct("GET", "/calendars/alice/home/500.ics", ""); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := open(b)
			h.fill(n)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i++
				name := fmt.Sprintf("new%d", i)
				if w := h.direct("PUT", "/calendars/alice/home/"+name+".ics", anEvent(name, name)); w.Code != 201 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
