package page

import "slices"

// A dayList is the events of one day, for a list.
type dayList struct {
	day
	Today   bool
	Entries []*entry
}

// dayLists puts each event under its first day within the days from to until, which
// has to be the order of entries. Today comes also without any.
func dayLists(entries []*entry, from, until, today day) []dayList {
	var lists []dayList
	for _, e := range entries {
		if e.first >= until || e.last < from {
			continue // in the whole weeks of a month only
		}
		d := max(e.first, from)
		if n := len(lists); n == 0 || lists[n-1].day != d {
			lists = append(lists, dayList{day: d, Today: d == today})
		}
		list := &lists[len(lists)-1]
		list.Entries = append(list.Entries, e)
	}
	has := func(l dayList) bool { return l.day >= today }
	if i := slices.IndexFunc(lists, has); today >= from && today < until && (i < 0 || lists[i].day != today) {
		if i < 0 {
			i = len(lists)
		}
		lists = slices.Insert(lists, i, dayList{day: today, Today: true})
	}
	return lists
}

// A week is a row of a month.
type week struct {
	Days [7]cell
	Bars []bar
}

// A cell is a day in a week.
type cell struct {
	day
	Other bool // of another month
	Today bool
	Count int // of the events on it
	More  int // of those for which there is no room
	Link  string
}

// Dots is how many dots stand for the events where there is no room for more.
func (c cell) Dots() []struct{} { return make([]struct{}, min(c.Count, 3)) }

// Column is 1 for Monday.
func (c cell) Column() int { return c.weekday() + 1 }

// A bar is an event, or its part within a week.
type bar struct {
	*entry
	Column, Length int // 1 to 7
	Row            int // 1 to maxRows
	Before, After  bool
	Link           string
}

// maxRows is how many events a day of a month has room for.
const maxRows = 4

// Filled says whether the bar has a ground of its own: it takes more than a time of
// a day.
func (b bar) Filled() bool { return b.AllDay || b.first != b.last }

// weeks arranges the events of a month. entries are in the order of compare.
func (v *view) weeks(entries []*entry) []week {
	var all []week
	for monday := v.from.add(-v.from.weekday()); monday < v.until; monday = monday.add(7) {
		w := week{}
		for i := range w.Days {
			d := monday.add(i)
			w.Days[i] = cell{day: d, Other: d < v.from || d >= v.until, Today: d == v.today}
		}
		w.place(v, entries, monday)
		all = append(all, w)
	}
	return all
}

// place finds room for the events in a week: each in the first row that is free on
// all of its days.
func (w *week) place(v *view, entries []*entry, monday day) {
	var taken [7][maxRows + 1]bool
	for _, e := range entries {
		if e.first > monday.add(6) || e.last < monday {
			continue
		}
		a, b := int(max(e.first, monday)-monday), int(min(e.last, monday.add(6))-monday)
		row := freeRow(&taken, a, b)
		for i := a; i <= b; i++ {
			c := &w.Days[i]
			if c.Count++; c.Link == "" || e.first == c.day {
				c.Link = v.linkTo(e, c.day)
			}
			taken[i][row] = true
			if row == maxRows {
				c.More++
			}
		}
		if row < maxRows {
			w.Bars = append(w.Bars, bar{entry: e, Column: a + 1, Length: b - a + 1, Row: row + 1,
				Before: e.first < monday, After: e.last > monday.add(6), Link: v.linkTo(e, 0)})
		}
	}
}

// linkTo leads to where an event is listed; on the day that it begins, if that is
// d, to the day.
func (v *view) linkTo(e *entry, d day) string {
	switch {
	case e.first >= v.until || e.last < v.from:
		return v.link(e.first.time().Format("?month=2006-01#d2006-01-02"))
	case e.first == d:
		return "#d" + d.ISO()
	}
	return "#" + e.ID
}

// freeRow returns the first row that is free on the days a to b, or maxRows.
func freeRow(taken *[7][maxRows + 1]bool, a, b int) int {
	for row := range maxRows {
		free := true
		for i := a; i <= b; i++ {
			free = free && !taken[i][row]
		}
		if free {
			return row
		}
	}
	return maxRows
}
