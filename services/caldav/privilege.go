package caldav

import "cairn/services/caldav/dav"

// access is what somebody may do with a resource.
type access uint8

const (
	accessNone  access = iota
	accessRead         // see it and what is in it
	accessKeep         // and its owner: a calendar that is filled from elsewhere
	accessWrite        // and change what is in it
	accessOwn          // and share it, remove it
)

// A privilege is one of RFC 3744 §3, with those that it is made of (aggregate
// privileges).
type privilege struct {
	name     dav.Name
	text     string
	abstract bool // cannot be granted by itself
	on       kinds
	parts    []privilege
}

// supported is the tree of all privileges (RFC 3744 §5.3). Only read and write can be
// granted, each with all its parts.
var supported = privilege{dav.D("all"), "Everything", true, everywhere, []privilege{
	{dav.D("read"), "See what is there", false, everywhere, []privilege{
		{dav.D("read-current-user-privilege-set"), "See what one may do", true, everywhere, nil},
		{dav.Cal("read-free-busy"), "See when somebody is busy", true, of(calendarHome, calendar, event), nil},
	}},
	{dav.D("write"), "Change what is in it", false, everywhere &^ of(root, principals, homes), []privilege{
		{dav.D("write-properties"), "Change properties", true, everywhere &^ of(root, principals, homes), nil},
		{dav.D("write-content"), "Change content", true, everywhere &^ of(root, principals, principal, homes, outbox), nil},
		{dav.D("bind"), "Add members", true, collections &^ of(root, principals, principal, homes, outbox), nil},
		{dav.D("unbind"), "Remove members", true, collections &^ of(root, principals, principal, homes, outbox), nil},
	}},
	{dav.Cal("schedule-deliver"), "Have messages about meetings come in", true, of(inbox), []privilege{
		{dav.Cal("schedule-deliver-invite"), "Be invited", true, of(inbox), nil},
		{dav.Cal("schedule-deliver-reply"), "Be answered", true, of(inbox), nil},
		{dav.Cal("schedule-query-freebusy"), "Be asked when one is busy", true, of(inbox), nil},
	}},
	{dav.Cal("schedule-send"), "Send messages about meetings", true, of(outbox), []privilege{
		{dav.Cal("schedule-send-invite"), "Invite", true, of(outbox), nil},
		{dav.Cal("schedule-send-reply"), "Answer", true, of(outbox), nil},
		{dav.Cal("schedule-send-freebusy"), "Ask when somebody is busy", true, of(outbox), nil},
	}},
	{dav.D("unlock"), "Remove somebody else's lock", true, everywhere &^ of(root, principals, principal, homes), nil},
	{dav.D("read-acl"), "See who may do what", true, everywhere, nil},
	{dav.D("write-acl"), "Share it", true, of(calendar, addressbook), nil},
}}

// held is what each access amounts to: RFC 3744 §5.5 wants parts listed beside the whole.
func held(a access, k kind) []dav.Name {
	var names []dav.Name
	for _, p := range supported.parts {
		if a == accessKeep && p.name.Local == "write" {
			names = append(names, dav.D("write-properties"))
		}
		if !a.includes(p.name) || !p.on.has(k) {
			continue
		}
		names = append(names, p.name)
		for _, part := range p.parts {
			if part.on.has(k) {
				names = append(names, part.name)
			}
		}
	}
	if a == accessOwn {
		names = append([]dav.Name{supported.name}, names...)
	}
	return names
}

// includes reports whether an access comes with one of the privileges right below all.
func (a access) includes(p dav.Name) bool {
	switch p.Local {
	case "read":
		return a >= accessRead
	case "write":
		return a >= accessWrite
	}
	return a.owns()
}

// owns reports whether it is the owner's.
func (a access) owns() bool { return a == accessOwn || a == accessKeep }

// build writes the tree as supported-privilege-set has it.
func (p *privilege) build(b *dav.Builder, k kind) {
	b.Start(dav.D("supported-privilege"))
	writePrivilege(b, p.name)
	if p.abstract {
		b.Empty(dav.D("abstract"))
	}
	b.Element(dav.D("description"), p.text, dav.Lang("en"))
	for i := range p.parts {
		if p.parts[i].on.has(k) {
			p.parts[i].build(b, k)
		}
	}
	b.End(dav.D("supported-privilege"))
}

func writePrivilege(b *dav.Builder, names ...dav.Name) {
	for _, n := range names {
		b.Start(dav.D("privilege"))
		b.Empty(n)
		b.End(dav.D("privilege"))
	}
}
