# A person at python3-caldav: finds what there is by discovery, and writes, searches,
# expands, synchronizes and deletes. Called with URL, user and password; fails by an
# exception.
import datetime
import sys

import caldav

url, user, password = sys.argv[1:]
utc = datetime.timezone.utc


def day(n, hour=0):
    return datetime.datetime(2026, 12, n, hour, tzinfo=utc)


def check(what, got, want):
    if got != want:
        raise SystemExit("%s: got %r, want %r" % (what, got, want))
    print("ok", what)


def summaries(found):
    return sorted(str(e.instance.vevent.summary.value) for e in found)


def event(uid, summary, start, extra=""):
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Test//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\n"
        "DTSTAMP:20261121T120000Z\r\nDTSTART:%s\r\nDURATION:PT1H\r\nSUMMARY:%s\r\n%sEND:VEVENT\r\nEND:VCALENDAR\r\n"
        % (uid, start, summary, extra)
    )


with caldav.DAVClient(url=url, username=user, password=password) as client:
    me = client.principal()
    homes = [str(c.name) for c in me.calendars()]
    check("the calendars at first", homes, ["Calendar"])

    work = me.make_calendar(name="Work", cal_id="work")
    check("a new calendar", sorted(str(c.name) for c in me.calendars()), ["Calendar", "Work"])
    check("its name", str(work.get_properties([caldav.elements.dav.DisplayName()])["{DAV:}displayname"]), "Work")

    work.save_event(event("lunch", "Lunch", "20261202T120000Z"))
    work.save_event(event("choir", "Choir", "20261203T180000Z", "RRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE:20261210T180000Z\r\n"))
    check("all events", summaries(work.events()), ["Choir", "Lunch"])
    check("a week", summaries(work.date_search(start=day(1), end=day(8), expand=False)), ["Choir", "Lunch"])
    check("a week without the second rehearsal", summaries(work.date_search(start=day(9), end=day(12), expand=False)), [])
    expanded = work.date_search(start=day(1), end=day(31), expand=True)
    check("expanded", sum(len(list(e.instance.vevent_list)) for e in expanded), 3)

    found = work.event_by_uid("lunch")
    check("an event by its UID", str(found.instance.vevent.summary.value), "Lunch")
    found.instance.vevent.summary.value = "Late lunch"
    found.save()
    check("changed", str(work.event_by_uid("lunch").instance.vevent.summary.value), "Late lunch")

    work.save_todo(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Test//EN\r\nBEGIN:VTODO\r\nUID:milk\r\n"
        "DTSTAMP:20261121T120000Z\r\nDUE;VALUE=DATE:20261205\r\nSUMMARY:Milk\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
    )
    check("tasks", [str(t.instance.vtodo.summary.value) for t in work.todos()], ["Milk"])
    work.todos()[0].complete()
    check("open tasks", len(work.todos()), 0)
    check("all tasks", len(work.todos(include_completed=True)), 1)

    state = work.objects(load_objects=True)
    check("synchronized", len(list(state)), 3)
    work.save_event(event("dinner", "Dinner", "20261204T190000Z"))
    work.event_by_uid("choir").delete()
    updated, deleted = state.sync()
    check("new since", len(list(updated)), 1)
    check("gone since", len(list(deleted)), 1)

    busy = work.freebusy_request(start=day(1), end=day(31))
    check("busy", str(busy.instance.vfreebusy.freebusy.value[0][0]) if busy.instance.vfreebusy.contents.get("freebusy") else None,
          "2026-12-02 12:00:00+00:00")

    try:
        work.event_by_uid("choir")
        raise SystemExit("a deleted event is found")
    except caldav.lib.error.NotFoundError:
        print("ok deleted")
    work.delete()
    check("the calendars at the end", [str(c.name) for c in me.calendars()], ["Calendar"])

try:
    caldav.DAVClient(url=url, username=user, password="wrong").principal().calendars()
    raise SystemExit("a wrong password is right")
except caldav.lib.error.AuthorizationError:
    print("ok a wrong password")
