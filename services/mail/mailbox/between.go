package mailbox

// Changes are what makes one version of a mailbox of another.
type Changes struct {
	Other    bool  // it is another mailbox (UIDVALIDITY): nothing of the older one holds
	Vanished []UID // ascending, as are the others
	Added    []UID
	Changed  []UID // flags
}

// Empty says that nothing has changed.
func (c Changes) Empty() bool {
	return !c.Other && len(c.Vanished) == 0 && len(c.Added) == 0 && len(c.Changed) == 0
}

// Between says what has changed from one version of a mailbox to another. It costs what has changed.
func Between(old, new *Mailbox) Changes {
	var c Changes
	if old.UIDValidity != new.UIDValidity {
		c.Other = true
		return c
	}
	a, b := old.groups, new.groups
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].n < b[0].n:
			c.compare(a[0].msgs, nil)
			a = a[1:]
		case len(a) == 0 || b[0].n < a[0].n:
			c.compare(nil, b[0].msgs)
			b = b[1:]
		default:
			if a[0].tree != b[0].tree {
				c.compare(a[0].msgs, b[0].msgs)
			}
			a, b = a[1:], b[1:]
		}
	}
	return c
}

// compare adds what differs in one group.
func (c *Changes) compare(a, b []Message) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].UID < b[0].UID:
			c.Vanished = append(c.Vanished, a[0].UID)
			a = a[1:]
		case len(a) == 0 || b[0].UID < a[0].UID:
			c.Added = append(c.Added, b[0].UID)
			b = b[1:]
		default:
			if a[0].Flags != b[0].Flags || a[0].ModSeq != b[0].ModSeq {
				c.Changed = append(c.Changed, a[0].UID)
			}
			a, b = a[1:], b[1:]
		}
	}
}
