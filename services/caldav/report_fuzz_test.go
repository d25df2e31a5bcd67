package caldav

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzReport sends anything as a report to places of every kind, in a house where there is something to find. The answer
// is well-formed and never a fault of the server's.
func FuzzReport(f *testing.F) {
	h := open(f)
	const home = "/calendars/alice/home/"
	h.put(home+"a.ics", eventOf("a", "DTSTART:20260101T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=10", "SUMMARY:A & <B>"))
	h.put(home+"b.ics", calendarOf("BEGIN:VTODO\nUID:b\nDTSTAMP:20260101T000000Z\nSUMMARY:B\nEND:VTODO\n"))
	h.addressbook(map[string]string{"a.vcf": aCard("a", "Alice")})
	places := []string{home, home + "a.ics", "/calendars/alice/", "/contacts/alice/contacts/", "/contacts/alice/contacts/a.vcf", "/", "/principals/", "/principals/alice/", "/calendars/alice/inbox/", "/files/alice/"}
	files, err := filepath.Glob("testdata/reports/*.txtar")
	check(f, err)
	for _, name := range files {
		a, err := txtar.ParseFile(name)
		check(f, err)
		for _, part := range a.Files {
			if _, body, ok := strings.Cut(string(part.Data), "\n\n"); ok && strings.HasPrefix(part.Name, "C:") {
				f.Add(byte(0), byte(1), body)
				f.Add(byte(3), byte(1), body)
			}
		}
	}
	depths := []string{"0", "1", "infinity", ""}
	handler := h.service.Handler()
	f.Fuzz(func(t *testing.T, place, depth byte, body string) {
		path := places[int(place)%len(places)]
		r := httptest.NewRequest("REPORT", path, strings.NewReader(body))
		r.Header.Set("Depth", depths[int(depth)%len(depths)])
		r.SetBasicAuth("alice", h.secrets["alice"])
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusInsufficientStorage || w.Code < 200 {
			t.Fatalf("%s of %q: got %d %s", path, body, w.Code, w.Body)
		}
		(&answer{t: t, what: path, status: w.Code, header: w.Header(), body: w.Body.String()}).wellFormed()
	})
}
