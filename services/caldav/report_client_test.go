package caldav

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-vcard"
	"github.com/emersion/go-webdav"
	"github.com/emersion/go-webdav/caldav"
	"github.com/emersion/go-webdav/carddav"
)

// TestCalendarReportsByClient has somebody else's client ask and understand.
func TestCalendarReportsByClient(t *testing.T) {
	h := open(t)
	ctx := context.Background()
	c, err := caldav.NewClient(webdav.HTTPClientWithBasicAuth(http.DefaultClient, "alice", h.secrets["alice"]), h.server.URL)
	check(t, err)
	const home = "/calendars/alice/home/"
	h.put(home+"a.ics", anEvent("a", "Lunch & tea"))
	h.put(home+"d%20aily.ics", eventOf("d", "DTSTART:20260101T080000Z", "DURATION:PT15M", "RRULE:FREQ=DAILY", "SUMMARY:Tea"))
	day := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	filter := caldav.CompFilter{Name: "VCALENDAR", Comps: []caldav.CompFilter{{Name: "VEVENT", Start: day, End: day.Add(24 * time.Hour)}}}
	list, err := c.QueryCalendar(ctx, home, &caldav.CalendarQuery{
		CompRequest: caldav.CalendarCompRequest{Name: "VCALENDAR", AllProps: true, AllComps: true},
		CompFilter:  filter,
	})
	check(t, err)
	var got []string
	for _, o := range list {
		if o.ETag == "" || len(o.Data.Events()) != 1 {
			t.Errorf("%s: ETag %q, %d events", o.Path, o.ETag, len(o.Data.Events()))
			continue
		}
		summary, err := o.Data.Events()[0].Props.Text("SUMMARY")
		check(t, err)
		got = append(got, o.Path+" "+summary)
	}
	slices.Sort(got)
	if want := []string{home + "a.ics Lunch & tea", home + "d aily.ics Tea"}; !slices.Equal(got, want) {
		t.Errorf("query: got %q, want %q", got, want)
	}
	list, err = c.MultiGetCalendar(ctx, home, &caldav.CalendarMultiGet{
		Paths:       []string{home + "a.ics", home + "d aily.ics"},
		CompRequest: caldav.CalendarCompRequest{Name: "VCALENDAR", AllProps: true, AllComps: true},
	})
	check(t, err)
	if len(list) != 2 {
		t.Errorf("multiget: got %d, want 2", len(list))
	}
}

func TestContactReportsByClient(t *testing.T) {
	h := open(t)
	ctx := context.Background()
	c, err := carddav.NewClient(webdav.HTTPClientWithBasicAuth(http.DefaultClient, "alice", h.secrets["alice"]), h.server.URL)
	check(t, err)
	book := h.addressbook(map[string]string{"a.vcf": aCard("a", "Alice"), "b.vcf": aCard("b", "Bob")})
	list, err := c.QueryAddressBook(ctx, book, &carddav.AddressBookQuery{
		DataRequest: carddav.AddressDataRequest{AllProp: true},
		PropFilters: []carddav.PropFilter{{Name: vcard.FieldFormattedName, TextMatches: []carddav.TextMatch{{Text: "bo"}}}},
	})
	check(t, err)
	if len(list) != 1 || list[0].Card.Value(vcard.FieldFormattedName) != "Bob" {
		t.Errorf("query: got %+v", list)
	}
	list, err = c.MultiGetAddressBook(ctx, book, &carddav.AddressBookMultiGet{Paths: []string{book + "a.vcf"}, DataRequest: carddav.AddressDataRequest{AllProp: true}})
	check(t, err)
	if len(list) != 1 || list[0].Card.Value(vcard.FieldUID) != "a" {
		t.Errorf("multiget: got %+v", list)
	}
	first, err := c.SyncCollection(ctx, book, &carddav.SyncQuery{})
	check(t, err)
	if len(first.Updated) != 2 || len(first.Deleted) != 0 || first.SyncToken == "" {
		t.Errorf("first sync: got %+v", first)
	}
	h.do("alice", "DELETE", book+"a.vcf", "").want(204)
	second, err := c.SyncCollection(ctx, book, &carddav.SyncQuery{SyncToken: first.SyncToken})
	check(t, err)
	if len(second.Updated) != 0 || !slices.Equal(second.Deleted, []string{book + "a.vcf"}) {
		t.Errorf("second sync: got %+v", second)
	}
}
