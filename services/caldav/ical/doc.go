// Package ical reads iCalendar (RFC 5545) and answers what CalDAV asks about it
// (RFC 4791): is this a calendar object, when does it take place, does it match,
// what shall be shown of it, who is busy, what becomes of two changes.
package ical
