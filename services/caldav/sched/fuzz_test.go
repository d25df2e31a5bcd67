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

// Whatever comes by mail, it is judged, and what becomes of a calendar by it can be read again.
func FuzzIncoming(f *testing.F) {
	text := func(head, comps string) string {
		return "BEGIN:VCALENDAR\nVERSION:2.0\n" + head + "BEGIN:VEVENT\nUID:lunch\n" + comps + "\nEND:VEVENT\nEND:VCALENDAR\n"
	}
	f.Add(text("METHOD:REQUEST\n", single+invite(bob, needsAction)), "")
	f.Add(text("METHOD:CANCEL\n", daily+invite(bob, needsAction)), text("", daily+invite(bob, "ACCEPTED")))
	f.Add(text("METHOD:REPLY\n", single+"ATTENDEE;PARTSTAT=DECLINED:mailto:alice@example.org"), text("", single+invite(bob, needsAction)))
	f.Fuzz(func(t *testing.T, message, before string) {
		c, err := ical.Parse([]byte(message))
		if err != nil {
			return
		}
		old, err := ical.Parse([]byte(before))
		if err != nil || old.CheckObject() != nil {
			old = nil
		}
		for _, own := range []Own{only(alice), only(bob)} {
			m, err := Incoming(c, "alice@example.org", own)
			if err != nil {
				continue
			}
			for _, to := range []*ical.Calendar{nil, old} {
				root, err := m.Deliver(to, own)
				if err != nil || root == nil {
					continue
				}
				if _, err := ical.Parse(root.Encode()); err != nil {
					t.Errorf("what %s makes: %v", m.Method, err)
				}
			}
		}
	})
}
