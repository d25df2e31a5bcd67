// Package sched says what follows when somebody changes a meeting: what is sent to
// whom (iTIP, RFC 5546), and what becomes of the receivers' copies (implicit
// scheduling, RFC 6638). It does nothing itself: it reads no calendar but the ones it is
// given, and sends nothing.
//
//	plan, err := sched.Organize(old, new, own, now)  // or Attend, by sched.RoleOf
//	for _, m := range plan.Messages {
//		// m.To has an account here: what becomes of his or her copy?
//		copy, err := m.Deliver(theirs, ownOf(m.To))
//		sched.SetStatus(plan.Root, m.To, sched.Delivered)
//	}
//	// plan.Root is what is stored for who made the change
//
// Calendars that are passed in are not changed; what is returned shares nothing
// with them.
package sched
