package ical

import (
	"time"

	"cairn/services/caldav/line"
)

// MatchIndex says what Match would of a calendar that is only known by its Index:
// Maybe where the Calendar must be asked. Time ranges, kinds, UIDs and the lack of
// alarms need no asking.
func (f *Filter) MatchIndex(x *Index, floating *time.Location) Answer {
	switch {
	case x.broken || len(f.Comp.Props) > 0:
		return Maybe
	case f.Comp.Name != "VCALENDAR":
		return answer(f.Comp.NotDefined)
	case f.Comp.NotDefined || f.Comp.Range != nil:
		return No
	}
	a := Yes
	for i := range f.Comp.Comps {
		if a = both(a, f.Comp.Comps[i].index(x, floating)); a == No {
			break
		}
	}
	return a
}

// both is what holds if a and b must.
func both(a, b Answer) Answer {
	if a == No || b == No {
		return No
	}
	return max(a, b)
}

// index says whether the components of an object meet the filter.
func (f *CompFilter) index(x *Index, floating *time.Location) Answer {
	switch {
	case !isKind(f.Name):
		return Maybe
	case f.NotDefined:
		return answer(f.Name != x.Kind)
	case f.Name != x.Kind:
		return No
	}
	a := Yes
	if f.Range != nil {
		a = x.Overlaps(*f.Range, floating)
	}
	for i := range f.Props {
		a = both(a, f.Props[i].index(x))
	}
	for i := range f.Comps {
		a = both(a, f.Comps[i].indexAlarm(x))
	}
	return a
}

// index says whether a property meets the filter: only the UID is known.
func (f *PropFilter) index(x *Index) Answer {
	if f.Name != "UID" || f.NotDefined || f.Range != nil || len(f.Params) > 0 {
		return Maybe
	}
	return answer(f.Text == nil || f.Text.Match(line.Unescape(x.UID)))
}

// indexAlarm says whether a component within the object's meets the filter: only
// whether there is any is known.
func (f *CompFilter) indexAlarm(x *Index) Answer {
	if f.Name != "VALARM" || x.Alarms {
		return Maybe
	}
	return answer(f.NotDefined)
}
