package sched

import (
	"testing"

	"cairn/services/caldav/ical"
)

// Whatever two calendars say, planning and delivering end, and what is to be stored
// can be read again.
func FuzzPlan(f *testing.F) {
	text := func(comps string) string {
		return "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:lunch\n" + comps + "\nEND:VEVENT\nEND:VCALENDAR\n"
	}
	f.Add(text(single+invite(bob, needsAction)), text(single+invite(bob, "ACCEPTED")))
	f.Add(text(daily+invite(bob, needsAction)), text(daily+"END:VEVENT\nBEGIN:VEVENT\nUID:lunch\n"+third+invite(carol, needsAction)))
	f.Add("", text("DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=DAILY\nEXDATE:20261202,20261203T000000Z\n"+people+invite(bob, declined)))
	f.Fuzz(func(t *testing.T, before, after string) {
		parse := func(text string) *ical.Calendar {
			c, err := ical.Parse([]byte(text))
			if err != nil || c.CheckObject() != nil {
				return nil
			}
			return c
		}
		old, new := parse(before), parse(after)
		var plans []*Plan
		if p, err := Organize(old, new, only(alice), now); err == nil {
			plans = append(plans, p)
		}
		if p, err := Attend(old, new, only(bob), true, now); err == nil {
			plans = append(plans, p)
		}
		for _, p := range plans {
			if p.Root != nil && new != nil {
				if _, err := ical.Parse(p.Root.Encode()); err != nil {
					t.Errorf("what is to be stored: %v", err)
				}
			}
			for _, m := range p.Messages {
				for _, to := range []*ical.Calendar{nil, old, new} {
					root, err := m.Deliver(to, only(m.To))
					if err != nil || root == nil {
						continue
					}
					if _, err := ical.Parse(root.Encode()); err != nil {
						t.Errorf("what %s makes: %v", m.Method, err)
					}
				}
			}
		}
		if new != nil {
			Tag(new, only(alice))
		}
	})
}
