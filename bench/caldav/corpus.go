package caldav

import (
	"fmt"
	"strings"
	"time"
)

// fresh is the number of the first event that is made while measuring.
const fresh = 500_000

// Events lie in the five years from here.
var first = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

const days = 5 * 365

// event returns one as programs write it: most take place once, every eighth each
// week for half a year, with a time zone.
func event(i int) string {
	day := first.AddDate(0, 0, i*7%days)
	begin := day.Add(time.Duration(8+i%10) * time.Hour)
	rule := ""
	if i%8 == 0 {
		rule = "RRULE:FREQ=WEEKLY;COUNT=26\r\n"
	}
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Cairn//Benchmark//EN\r\n" + zone +
		"BEGIN:VEVENT\r\n" +
		fmt.Sprintf("UID:event-%06d@example.org\r\n", i) +
		"DTSTAMP:20240101T000000Z\r\nCREATED:20240101T000000Z\r\nSEQUENCE:0\r\n" +
		"DTSTART;TZID=Europe/Vienna:" + begin.Format("20060102T150405") + "\r\n" +
		"DTEND;TZID=Europe/Vienna:" + begin.Add(time.Hour).Format("20060102T150405") + "\r\n" + rule +
		fmt.Sprintf("SUMMARY:Meeting number %d\r\nLOCATION:Room %d\r\n", i, i%40) +
		"DESCRIPTION:What is to be talked about\\, by whom\\, and until when.\r\n" +
		"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:Soon\r\nEND:VALARM\r\n" +
		"END:VEVENT\r\nEND:VCALENDAR\r\n"
}

const zone = "BEGIN:VTIMEZONE\r\nTZID:Europe/Vienna\r\n" +
	"BEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\n" +
	"BEGIN:STANDARD\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n" +
	"END:VTIMEZONE\r\n"

const propfindETags = `<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/><resourcetype/></prop></propfind>`

// multiget asks for 100 events, others each time.
func (s *server) multiget(round, size int) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><C:calendar-multiget xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/><C:calendar-data/></prop>`)
	for i := range 100 {
		b.WriteString("<href>" + s.event((round*100+i)*97%size) + "</href>")
	}
	return b.String() + "</C:calendar-multiget>"
}

// monthQuery asks for the events of a month, another each time.
func monthQuery(round int) string {
	from := first.AddDate(0, 1+round*5%55, 0)
	const layout = "20060102T150405Z"
	return `<?xml version="1.0"?><C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/><C:calendar-data/></prop>` +
		`<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="` + from.Format(layout) + `" end="` +
		from.AddDate(0, 1, 0).Format(layout) + `"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`
}
