package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// foreign is where .ci/run puts calendars and cards that nobody here wrote: the test
// data of Debian's source packages libical3 and libtext-vcard-perl.
const foreign = "/var/cache/cairn-judges"

// TestDavForeign imports files that nobody here wrote, many of them wrong on purpose: what
// can be kept is, what cannot is named, and all that was kept can be read, searched, exported
// and imported again.
func TestDavForeign(t *testing.T) {
	_, err := os.Stat(filepath.Join(foreign, "complete"))
	judge(t, err == nil, "test data of Debian's libical3 (see .ci/run)")
	const icalendar = "/usr/lib/python3/dist-packages/icalendar/tests"
	_, err = os.Stat(icalendar)
	judge(t, err == nil, "python3-icalendar")
	alice := newPerson(t, up(t), "alice")
	for _, c := range []struct {
		command, into, from string
		least               int
	}{
		{"calendar", "libical", filepath.Join(foreign, "libical-*/test-data"), 20},
		{"calendar", "libicaltest", filepath.Join(foreign, "libical-*/src/test"), 6},
		{"calendar", "icalendar", icalendar, 6},
		{"contacts", "perl", filepath.Join(foreign, "Text-vCard-*"), 10},
	} {
		found, err := filepath.Glob(c.from)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %q, %v", c.from, found, err)
		}
		where := alice.name + "/" + c.into
		out := cairn(t, alice.i.home, c.command, "import", where, found[0])
		kept := count(out, `(\d+) new`)
		t.Logf("%s: %d kept\n%s", c.from, kept, out)
		if kept < c.least {
			t.Errorf("%s: %d kept, want %d at least", c.from, kept, c.least)
		}
		if again := count(cairn(t, alice.i.home, c.command, "import", where, found[0]), `(\d+) new`); again != 0 {
			t.Errorf("%s: %d new the second time, want none", c.from, again)
		}
		file := filepath.Join(t.TempDir(), "export"+map[string]string{"calendar": ".ics", "contacts": ".vcf"}[c.command])
		cairn(t, alice.i.home, c.command, "export", where, file)
		if copied := count(cairn(t, alice.i.home, c.command, "import", where+"-copy", file), `(\d+) new`); copied != kept {
			t.Errorf("%s: %d of %d entries survive an export", c.from, copied, kept)
		}
		alice.readAll(map[string]string{"calendar": "/calendars/alice/", "contacts": "/contacts/alice/"}[c.command]+c.into+"/", kept)
	}
}

// count is the number that a pattern finds.
func count(text, pattern string) int {
	n, err := strconv.Atoi(following(text, pattern))
	if err != nil {
		return -1
	}
	return n
}

// readAll lists a collection, fetches and searches what is in it.
func (p *person) readAll(collection string, want int) {
	p.t.Helper()
	_, names, _ := p.syncToken(collection, "")
	if len(names) != want {
		p.t.Errorf("%s: got %d resources, want %d", collection, len(names), want)
	}
	for _, name := range names {
		if a := p.do(200, "GET", collection+name, ""); !strings.HasPrefix(strings.ToUpper(strings.TrimLeft(a.body, "\ufeff\r\n")), "BEGIN:VC") {
			p.t.Errorf("%s: got %.40q", name, a.body)
		}
	}
	if strings.HasPrefix(collection, "/contacts/") {
		return
	}
	for _, kind := range []string{"VEVENT", "VTODO", "VJOURNAL"} {
		a := p.do(207, "REPORT", collection, `<?xml version="1.0"?><c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><d:getetag/>`+
			`<c:calendar-data><c:expand start="19970101T000000Z" end="19990101T000000Z"/></c:calendar-data></d:prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="`+kind+`">`+
			`<c:time-range start="19970101T000000Z" end="19990101T000000Z"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`, "Depth: 1", "Content-Type: application/xml")
		p.t.Logf("%s: %d %s in two years", collection, len(regexp.MustCompile(`<d:response>`).FindAllString(a.body, -1)), kind)
	}
}
