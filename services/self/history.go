package self

import "time"

// history is the section in which changes are taken back.
var history = &section{
	path: "history", title: "Undo", template: "history.html", tab: "Undo", collections: true,
	show: func(x *visit) (any, error) {
		changes, err := x.Collections.Changes(x.ctx(), x.user, maxChanges)
		if err != nil {
			return nil, err
		}
		return byDay(changes, x.Now()), nil
	},
	actions: map[string]action{"history/undo": func(x *visit) (string, string, error) {
		return "undone", "history", x.Collections.Undo(x.ctx(), x.user, x.field("change"))
	}},
}

// maxChanges is how many changes are shown.
const maxChanges = 100

// A dayOfChanges is what was changed on one day, by the clock of the server.
type dayOfChanges struct {
	Day     string
	Changes []Change
}

func byDay(changes []Change, now time.Time) []dayOfChanges {
	var days []dayOfChanges
	for _, c := range changes {
		c.When = c.When.In(now.Location())
		name := c.When.Format("Monday, 2 January 2006")
		switch {
		case sameDay(c.When, now):
			name = "Today"
		case sameDay(c.When, now.AddDate(0, 0, -1)):
			name = "Yesterday"
		}
		if n := len(days); n == 0 || days[n-1].Day != name {
			days = append(days, dayOfChanges{Day: name})
		}
		last := &days[len(days)-1]
		last.Changes = append(last.Changes, c)
	}
	return days
}

func sameDay(a, b time.Time) bool { return a.Format(time.DateOnly) == b.Format(time.DateOnly) }
