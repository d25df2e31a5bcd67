package caldav

import (
	"strings"

	"cairn/services/caldav/shelf"
)

// lockHref is the URL of what a lock is on, as the user sees it.
func (x *exchange) lockHref(l *shelf.Lock, owner string, of views) string {
	p := x.lockPlace(l.Root, owner)
	if n, err := x.find(p, of); err == nil {
		return n.href
	}
	return p.href()
}

func (x *exchange) lockPlace(root, owner string) place {
	names := strings.Split(root, "/")
	p := place{space: names[0], user: x.spelled(), names: names[1:]}
	switch {
	case p.space == string(shelf.Inbox):
		p.space, p.names = calendarSpace, append([]string{inboxName}, p.names...)
	case owner != x.user.Name && len(p.names) > 0:
		p.names = append([]string{sharedAs(owner, p.names[0])}, p.names[1:]...)
	}
	p.kind = p.guess(1 + len(p.names))
	return p
}

// spelled is the user as the client spells them in paths of what is theirs.
func (x *exchange) spelled() string {
	if x.at.user == "" || x.at.space == principalSpace {
		return x.user.Name
	}
	return x.at.user
}
