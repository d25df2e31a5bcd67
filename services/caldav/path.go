package caldav

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"cairn/services/caldav/dav"
)

// A kind says what a URL names.
type kind uint8

// The kinds of resources. Which properties a resource has, and which methods it
// answers, depends on its kind alone.
const (
	nowhere      kind = iota // what nothing can ever be at
	root                     // /
	principals               // /principals/
	principal                // /principals/<user>/
	homes                    // /calendars/, /contacts/, /files/
	calendarHome             // /calendars/<user>/
	contactHome              // /contacts/<user>/
	calendar                 // /calendars/<user>/<name>/
	inbox                    // /calendars/<user>/inbox/
	outbox                   // /calendars/<user>/outbox/
	addressbook              // /contacts/<user>/<name>/
	event                    // /calendars/<user>/<name>/<object>
	message                  // /calendars/<user>/inbox/<object>
	card                     // /contacts/<user>/<name>/<object>
	folder                   // /files/<user>/ and folders below
	file                     // a file below /files/<user>/
)

// kinds is a set of kinds.
type kinds uint32

func of(list ...kind) (s kinds) {
	for _, k := range list {
		s |= 1 << k
	}
	return s
}

func (s kinds) has(k kind) bool { return s&(1<<k) != 0 }

// Sets that property and method tables name.
var (
	everywhere  = ^of(nowhere)
	objects     = of(event, message, card)
	leaves      = objects | of(file)
	collections = everywhere &^ leaves
	scheduling  = of(inbox, outbox)
	ordered     = of(calendar, addressbook) // collections that a person makes
)

// The spaces are the first names of paths.
const (
	calendarSpace  = "calendars"
	contactSpace   = "contacts"
	fileSpace      = "files"
	principalSpace = "principals"
)

// Names within a calendar home that are not calendars.
const (
	inboxName  = "inbox"
	outboxName = "outbox"
)

// A place is what a URL says, before anybody has looked whether it is there.
type place struct {
	kind  kind
	space string   // calendars, contacts, files or principals; "" for /
	user  string   // user name or e-mail address as the client wrote it
	names []string // what follows the user, decoded
	slash bool     // it ended in a slash
}

// maxName bounds one name of a path, in bytes; file systems take 255 and escapes
// need room.
const maxName = 200

// maxNames bounds how many names a path has. What a push has put deeper is not
// shown.
const maxNames = 64

// parsePath splits the escaped path of a URL. Each name is decoded once; one that
// a decoder behind us could take for something else (a slash, "..", NUL) is refused,
// as are empty ones.
func parsePath(escaped string) (place, error) {
	rest, ok := strings.CutPrefix(escaped, "/")
	if !ok {
		return place{}, dav.Errorf(http.StatusBadRequest, "the path does not begin with a slash")
	}
	var p place
	rest, p.slash = strings.CutSuffix(rest, "/")
	if rest == "" && p.slash || escaped == "/" {
		if escaped != "/" {
			return place{}, errNothingHere
		}
		return place{kind: root, slash: true}, nil
	}
	var names []string
	for part := range strings.SplitSeq(rest, "/") {
		name, err := url.PathUnescape(part)
		if err != nil {
			return place{}, dav.Errorf(http.StatusBadRequest, "the path has a percent sign that is no escape")
		}
		if !validName(name) {
			return place{}, errNothingHere
		}
		if names = append(names, name); len(names) > maxNames {
			return place{}, errNothingHere
		}
	}
	p.space, names = names[0], names[1:]
	if len(names) > 0 {
		p.user, p.names = names[0], names[1:]
	}
	p.kind = p.guess(len(names))
	return p, nil
}

// validName reports whether a name in a path can name anything.
func validName(name string) bool {
	if name == "" || name == "." || name == ".." || len(name) > maxName || !utf8.ValidString(name) {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r < ' ' || r == 0x7f })
}

// guess returns what kind of thing could be at a place with n names after the
// space. A folder and a file look alike: it says folder.
func (p *place) guess(n int) kind {
	switch p.space {
	case principalSpace:
		return [...]kind{principals, principal, nowhere}[min(n, 2)]
	case calendarSpace:
		k := [...]kind{homes, calendarHome, calendar, event, nowhere}[min(n, 4)]
		if n >= 2 && p.names[0] == inboxName {
			return [...]kind{calendar: inbox, event: message, nowhere: nowhere}[k]
		}
		if n >= 2 && p.names[0] == outboxName {
			return [...]kind{calendar: outbox, event: nowhere, nowhere: nowhere}[k]
		}
		return k
	case contactSpace:
		return [...]kind{homes, contactHome, addressbook, card, nowhere}[min(n, 4)]
	case fileSpace:
		return [...]kind{homes, folder}[min(n, 1)]
	}
	return nowhere
}

// href is the place's URL path, escaped, as the client spelled the user.
func (p *place) href() string {
	if p.kind == root {
		return "/"
	}
	var b strings.Builder
	b.WriteString("/" + dav.EscapeName(p.space))
	if p.user != "" {
		b.WriteString("/" + dav.EscapeName(p.user))
	}
	for _, name := range p.names {
		b.WriteString("/" + dav.EscapeName(name))
	}
	if collections.has(p.kind) {
		b.WriteString("/")
	}
	return b.String()
}

// parent is the place one up; only for places with names.
func (p *place) parent() place {
	up := *p
	up.names = p.names[:len(p.names)-1]
	up.slash = true
	up.kind = up.guess(1 + len(up.names))
	return up
}

// errNothingHere answers for what is not there and for what is somebody else's,
// in the same words.
var errNothingHere = &dav.Error{Status: http.StatusNotFound}
