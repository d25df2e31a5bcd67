package caldav

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cairn/services/caldav/shelf"
	"cairn/store"
)

// crowded is a house with so many events in alice's calendar, spread over ten years, every tenth of them weekly.
func crowded(b *testing.B, n int) *house {
	h := open(b)
	start := time.Date(2020, 1, 1, 8, 0, 0, 0, time.UTC)
	ch := store.Change{Message: "fill\n"}
	check(b, h.service.Shelf.Update(context.Background(), ch, []string{"alice"}, func(edits map[string]*shelf.Edit) error {
		for i := range n {
			lines := []string{"DTSTART:" + start.Add(time.Duration(i)*8*time.Hour).Format("20060102T150405Z"), "DURATION:PT1H", "SUMMARY:Number " + fmt.Sprint(i),
				"DESCRIPTION:" + strings.Repeat("some words about it ", 10)}
			if i%10 == 0 {
				lines = append(lines, "RRULE:FREQ=WEEKLY;COUNT=20")
			}
			o, err := h.service.Shelf.Parse(shelf.Calendars, []byte(crlf(eventOf(fmt.Sprint("u", i), lines...))))
			if err != nil {
				return err
			}
			if _, err := edits["alice"].Put(shelf.Path{Kind: shelf.Calendars, Collection: "home", Name: fmt.Sprintf("e%d.ics", i)}, o); err != nil {
				return err
			}
		}
		return nil
	}))
	return h
}

// ask answers a request without a network, as alice who has logged in already.
func (h *house) ask(b *testing.B, method, path, body string, header ...string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	r.SetBasicAuth("alice", h.secrets["alice"])
	w := httptest.NewRecorder()
	h.service.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusMultiStatus {
		b.Fatalf("got %d: %s", w.Code, w.Body)
	}
}

func BenchmarkReports(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		h := crowded(b, n)
		const home = "/calendars/alice/home/"
		var hrefs strings.Builder
		for i := range 100 {
			fmt.Fprintf(&hrefs, "<D:href>%se%d.ics</D:href>", home, i*n/100)
		}
		spaced := func(body string) string { return strings.Replace(body, ">", spaces+">", 1) }
		month := spaced(query("20220101T000000Z", "20220201T000000Z"))
		multiget := spaced(`<C:calendar-multiget><D:prop><D:getetag/><C:calendar-data/></D:prop>` + hrefs.String() + `</C:calendar-multiget>`)
		initial := spaced(`<D:sync-collection><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>`)
		text := spaced(`<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY"><C:text-match>7</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`)
		propfind := spaced(`<D:propfind><D:prop><D:getetag/><D:getcontenttype/><D:resourcetype/></D:prop></D:propfind>`)
		for _, c := range []struct{ name, method, body string }{
			{"month", "REPORT", month}, {"multiget100", "REPORT", multiget}, {"sync-initial", "REPORT", initial}, {"text", "REPORT", text}, {"propfind", "PROPFIND", propfind},
		} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					h.ask(b, c.method, home, c.body, "Depth: 1")
				}
			})
		}
	}
}

// BenchmarkContacts searches an address book by name, as a program does while somebody types.
func BenchmarkContacts(b *testing.B) {
	const n = 10_000
	h := open(b)
	check(b, h.service.Shelf.Update(context.Background(), store.Change{Message: "fill\n"}, []string{"alice"}, func(edits map[string]*shelf.Edit) error {
		for i := range n {
			o, err := h.service.Shelf.Parse(shelf.Contacts, []byte(aCard(fmt.Sprint("u", i), fmt.Sprint("Somebody ", i))))
			if err != nil {
				return err
			}
			if _, err := edits["alice"].Put(shelf.Path{Kind: shelf.Contacts, Collection: "contacts", Name: fmt.Sprintf("c%d.vcf", i)}, o); err != nil {
				return err
			}
		}
		return nil
	}))
	body := `<A:addressbook-query` + spaces + `><D:prop><D:getetag/><A:address-data/></D:prop><A:filter><A:prop-filter name="FN"><A:text-match>body 77</A:text-match></A:prop-filter></A:filter></A:addressbook-query>`
	b.ReportAllocs()
	for b.Loop() {
		h.ask(b, "REPORT", "/contacts/alice/contacts/", body, "Depth: 1")
	}
}
