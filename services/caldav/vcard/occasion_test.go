package vcard

import (
	"fmt"
	"testing"
	"time"

	"cairn/services/caldav/line"

	"github.com/teambition/rrule-go"
)

func TestDates(t *testing.T) {
	for _, c := range []struct {
		value string
		want  Date
	}{
		{"19850412", Date{1985, 4, 12}}, {"1985-04-12", Date{1985, 4, 12}}, {" 1985-04-12 ", Date{1985, 4, 12}},
		{"--0412", Date{0, 4, 12}}, {"--04-12", Date{0, 4, 12}}, {"--0229", Date{0, 2, 29}},
		{"1985-04-12T23:10:00Z", Date{1985, 4, 12}}, {"19850412T10", Date{1985, 4, 12}}, {"19850412T102200.123+0530", Date{1985, 4, 12}},
		{"20000229", Date{2000, 2, 29}},
		{"19010229", Date{}}, {"19850431", Date{}}, {"19851301", Date{}}, {"19850400", Date{}}, {"--0230", Date{}}, {"00000412", Date{}},
		{"1985", Date{}}, {"1985-04", Date{}}, {"---12", Date{}}, {"T102200", Date{}}, {"", Date{}}, {"may", Date{}},
		{"1985-0412x", Date{}}, {"+985-04-12", Date{}}, {"19850412T", Date{}}, {"19850412Tx", Date{}}, {"19850412T10220", Date{}},
	} {
		m, ok := parseMoment(&line.Line{Name: "BDAY", Value: c.value})
		if ok != !c.want.IsZero() || ok && m.Date != c.want {
			t.Errorf("%q: got %v, %v, want %v", c.value, m.Date, ok, c.want)
		}
	}
}

func TestOccasions(t *testing.T) {
	for _, c := range []struct {
		version string
		lines   []string
		want    string
	}{
		{V3, []string{"BDAY:1985-04-12"}, "birthday 1985-04-12"},
		{V3, []string{"BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12"}, "birthday 0000-04-12"},
		{V4, []string{"BDAY:--0412", "ANNIVERSARY:20090808", "DEATHDATE:20200102"}, "birthday 0000-04-12 anniversary 2009-08-08 death 2020-01-02"},
		{V3, []string{"item1.X-ABDATE:2009-08-08", "item1.X-ABLABEL:_$!<Anniversary>!$_", "item2.X-ABDATE:2010-01-01", "item2.X-ABLABEL:school"}, "anniversary 2009-08-08"},
		{V3, []string{"X-EVOLUTION-ANNIVERSARY:2009-08-08"}, "anniversary 2009-08-08"},
		{V4, []string{"BDAY:1985", "ANNIVERSARY;VALUE=text:long ago"}, ""},
	} {
		got := ""
		for _, o := range parse(t, card(append([]string{"VERSION:" + c.version, "FN:Alice", "UID:1"}, c.lines...)...)).Occasions() {
			if got != "" {
				got += " "
			}
			got += fmt.Sprintf("%s %04d-%02d-%02d", o.Kind, o.Date.Year, o.Date.Month, o.Date.Day)
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.lines, got, c.want)
		}
	}
}

func TestEvents(t *testing.T) {
	c := parse(t, card("VERSION:3.0", `FN:Alice\, L`, "UID:1", "BDAY:2000-02-29", "REV:2020-05-06T07:08:09Z"))
	o := c.Occasions()[0]
	got := (&line.Component{Name: "VCALENDAR", Children: o.Events(2023, 2024)}).Encode()
	uid := "UID:" + o.UID
	want := "BEGIN:VCALENDAR\r\n" +
		"BEGIN:VEVENT\r\n" + uid + "\r\nDTSTAMP:20200506T070809Z\r\nDTSTART;VALUE=DATE:20000229\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1\r\nSUMMARY:🎂 Alice\\, L\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\n" +
		"BEGIN:VEVENT\r\n" + uid + "\r\nDTSTAMP:20200506T070809Z\r\nDTSTART;VALUE=DATE:20230228\r\nRECURRENCE-ID;VALUE=DATE:20230228\r\nSUMMARY:🎂 Alice\\, L (23)\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\n" +
		"BEGIN:VEVENT\r\n" + uid + "\r\nDTSTAMP:20200506T070809Z\r\nDTSTART;VALUE=DATE:20240229\r\nRECURRENCE-ID;VALUE=DATE:20240229\r\nSUMMARY:🎂 Alice\\, L (24)\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\n" +
		"END:VCALENDAR\r\n"
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again := parse(t, c.Convert(V4).Encode()).Occasions()[0]; again.UID != o.UID {
		t.Errorf("UID of the same card in 4.0: got %s, want %s", again.UID, o.UID)
	}
}

// Without a year there is no age. Before its first year there is no occasion.
func TestEventsAge(t *testing.T) {
	for _, c := range []struct {
		bday     string
		from, to int
		want     int
	}{
		{"--0412", 2020, 2030, 1}, {"20250101", 2020, 2026, 2}, {"20250101", 2020, 2025, 1}, {"20250101", 2030, 2029, 1},
	} {
		o := parse(t, card("VERSION:4.0", "FN:A", "UID:1", "BDAY:"+c.bday)).Occasions()[0]
		if got := len(o.Events(c.from, c.to)); got != c.want {
			t.Errorf("%s in %d to %d: got %d events, want %d", c.bday, c.from, c.to, got, c.want)
		}
	}
}

// The rule and the overrides agree on the day, by somebody else's reading of the rule.
func TestEventsRule(t *testing.T) {
	for _, bday := range []string{"20000229", "19850412", "19991231", "18600228"} {
		o := parse(t, card("VERSION:4.0", "FN:A", "UID:1", "BDAY:"+bday)).Occasions()[0]
		events := o.Events(2001, 2040)
		master := events[0]
		opt, err := rrule.StrToROption(master.Value("RRULE"))
		if err != nil {
			t.Fatal(err)
		}
		if opt.Dtstart, err = time.Parse("20060102", master.Value("DTSTART")); err != nil {
			t.Fatal(err)
		}
		rule, err := rrule.NewRRule(*opt)
		if err != nil {
			t.Fatal(err)
		}
		days := rule.Between(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2041, 1, 1, 0, 0, 0, 0, time.UTC), true)
		if len(days) != len(events)-1 {
			t.Fatalf("%s: the rule has %d days, there are %d overrides", bday, len(days), len(events)-1)
		}
		for i, day := range days {
			if got, want := events[i+1].Value("RECURRENCE-ID"), day.Format("20060102"); got != want {
				t.Errorf("%s: got an override of %s, want %s", bday, got, want)
			}
		}
	}
}
