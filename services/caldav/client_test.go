package caldav

import (
	"bytes"
	"context"
	"net/http"
	"testing"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-vcard"
	"github.com/emersion/go-webdav"
	"github.com/emersion/go-webdav/caldav"
	"github.com/emersion/go-webdav/carddav"
)

// TestClient goes the way of a client that knows only the host: who am I, where are
// my calendars, what is in them.
func TestClient(t *testing.T) {
	h := open(t)
	ctx := context.Background()
	c := webdav.HTTPClientWithBasicAuth(http.DefaultClient, "alice@example.org", h.secrets["alice"])
	base, err := caldav.NewClient(c, h.server.URL)
	check(t, err)
	who, err := base.FindCurrentUserPrincipal(ctx)
	check(t, err)
	home, err := base.FindCalendarHomeSet(ctx, who)
	check(t, err)
	if home != "/calendars/alice/" {
		t.Fatalf("calendar home: got %q", home)
	}
	h.do("alice", "MKCALENDAR", home+"work/", "").want(201)
	list, err := base.FindCalendars(ctx, home)
	check(t, err)
	if len(list) != 2 || list[1].Path != home+"work/" || list[0].Name != "Calendar" {
		t.Fatalf("calendars: got %+v", list)
	}
	data, err := ical.NewDecoder(bytes.NewReader([]byte(anEvent("u1", "Lunch")))).Decode()
	check(t, err)
	put, err := base.PutCalendarObject(ctx, home+"work/lunch.ics", data)
	check(t, err)
	got, err := base.GetCalendarObject(ctx, home+"work/lunch.ics")
	check(t, err)
	if got.ETag != put.ETag || got.ETag == "" {
		t.Errorf("ETag: put %q, got %q", put.ETag, got.ETag)
	}
	infos, err := base.ReadDir(ctx, home+"work/", false)
	check(t, err)
	if len(infos) != 2 {
		t.Errorf("ReadDir: got %+v", infos)
	}
	check(t, base.RemoveAll(ctx, home+"work/lunch.ics"))
}

func TestContactsClient(t *testing.T) {
	h := open(t)
	ctx := context.Background()
	c := webdav.HTTPClientWithBasicAuth(http.DefaultClient, "alice", h.secrets["alice"])
	base, err := carddav.NewClient(c, h.server.URL)
	check(t, err)
	check(t, base.HasSupport(ctx))
	who, err := base.FindCurrentUserPrincipal(ctx)
	check(t, err)
	home, err := base.FindAddressBookHomeSet(ctx, who)
	check(t, err)
	list, err := base.FindAddressBooks(ctx, home)
	check(t, err)
	if len(list) != 1 || list[0].Path != "/contacts/alice/contacts/" {
		t.Fatalf("address books: got %+v", list)
	}
	card := vcard.Card{}
	card.SetValue("VERSION", "4.0")
	card.SetValue("UID", "c1")
	card.SetValue("FN", "Carol")
	_, err = base.PutAddressObject(ctx, list[0].Path+"carol.vcf", card)
	check(t, err)
	got, err := base.GetAddressObject(ctx, list[0].Path+"carol.vcf")
	check(t, err)
	if got.Card.Value("FN") != "Carol" {
		t.Errorf("card: got %v", got.Card)
	}
}
