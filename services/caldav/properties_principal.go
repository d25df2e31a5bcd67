package caldav

import (
	"cairn/services/accounts"
	"cairn/services/caldav/dav"
)

// principalProperties say who people are (RFC 3744 §4, 4791 §6.2.1, 6352 §7.1.1,
// 6638 §2.4) and where what they have begins. Those that lead home are also on the homes
// themselves and on /, where some clients ask first.
var principalProperties = []property{
	{name: dav.D("principal-URL"), on: of(principal), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Hrefs(name, principalHref(n.person.Name))
		return true
	}},
	{name: dav.D("alternate-URI-set"), on: of(principal), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Hrefs(name, mailHrefs(n.person)...)
		return true
	}},
	{name: dav.D("group-member-set"), on: of(principal), value: nobody},
	{name: dav.D("group-membership"), on: of(principal), value: nobody},
	{name: dav.Cal("calendar-home-set"), on: of(root, principal, calendarHome, contactHome), value: homeSet(calendarSpace)},
	{name: dav.Card("addressbook-home-set"), on: of(root, principal, calendarHome, contactHome), value: homeSet(contactSpace)},
	{name: dav.Cal("calendar-user-address-set"), on: of(principal), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Hrefs(name, append(mailHrefs(n.person), principalHref(n.person.Name))...)
		return true
	}},
	{name: dav.Cal("calendar-user-type"), on: of(principal), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Text(name, "INDIVIDUAL")
		return true
	}},
	{name: dav.CS("email-address-set"), on: of(principal), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		if len(n.person.Addresses) == 0 {
			return false
		}
		r.Value(name, func(b *dav.Builder) {
			for _, a := range n.person.Addresses {
				b.Element(dav.CS("email-address"), a)
			}
		})
		return true
	}},
	{name: dav.CS("record-type"), on: of(principal), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Text(name, "users")
		return true
	}},
}

// nobody is the value of group properties: there are no groups.
func nobody(_ *exchange, _ *node, r *dav.Response, name dav.Name) bool {
	r.Empty(name)
	return true
}

// homeSet leads home. Other people's homes are theirs to know.
func homeSet(space string) func(*exchange, *node, *dav.Response, dav.Name) bool {
	return func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		if n.kind == principal && n.person.Name != x.user.Name {
			return false
		}
		r.Hrefs(name, homeHref(space, x.user.Name))
		return true
	}
}

// principalHref is the URL of a person.
func principalHref(user string) string { return homeHref(principalSpace, user) }

// homeHref is the URL of a person's home in a space.
func homeHref(space, user string) string { return "/" + space + "/" + dav.EscapeName(user) + "/" }

// mailHrefs are a person's e-mail addresses as URLs.
func mailHrefs(u *accounts.User) []string {
	var list []string
	for _, a := range u.Addresses {
		list = append(list, "mailto:"+a)
	}
	return list
}

// called is the name that others see.
func called(u *accounts.User) string {
	if u.DisplayName != "" {
		return u.DisplayName
	}
	return u.Name
}
