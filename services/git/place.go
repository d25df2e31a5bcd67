package git

import (
	"strings"

	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/store/object"
)

// Kinds of place: the first element of the branches' names. A Check is looked
// up by them.
const (
	Site     = "site"     // site/<name>/<branch>
	Config   = "config"   // the branch config
	Accounts = "accounts" // the branch accounts
	Secrets  = "secrets"  // the branch secrets
	Queue    = "queue"    // the branch queue
	Dav      = "dav"      // dav/<user>
	Mail     = "mail"     // mail/<user>
	Lists    = "lists"    // lists/<name>
	Archive  = "archive"  // archive/<name>
	all      = "all"      // no branch: everything there is
)

// A place is what one URL shows: a site with its branches and tags, one other
// branch as main, or everything.
type place struct {
	kind string
	name string // of the site, user or list; empty for the kinds that are one branch
}

const (
	heads = "refs/heads/"
	tags  = "refs/tags/"
	main  = heads + config.Main
)

// parsePlace reads the path of a URL, such as /www or /dav/alice, with or
// without .git and a slash at the end.
func parsePlace(path string) (place, bool) {
	path = strings.TrimPrefix(path, "/")
	path = strings.TrimSuffix(path, "/")
	path = strings.TrimSuffix(path, ".git")
	kind, name, two := strings.Cut(path, "/")
	switch {
	case two:
		return parsePair(kind, name)
	case isSingle(kind) || kind == all:
		return place{kind: kind}, true
	default:
		return place{Site, kind}, config.ValidName(kind)
	}
}

// parsePair reads the places whose URL has two elements.
func parsePair(kind, name string) (place, bool) {
	switch kind {
	case Dav, Mail, Lists, Archive:
		return place{kind, name}, accounts.ValidName(name) // lists are called like users
	default:
		return place{}, false
	}
}

func isSingle(kind string) bool {
	switch kind {
	case Config, Accounts, Secrets, Queue:
		return true
	default:
		return false
	}
}

// branch is the name of the one branch of a place that is not a site.
func (p place) branch() string {
	if p.name == "" {
		return p.kind
	}
	return p.kind + "/" + p.name
}

// prefixes of the names in the repository that a place shows as heads and tags.
func (p place) prefixes() (branches, tagged string) {
	return heads + Site + "/" + p.name + "/", tags + Site + "/" + p.name + "/"
}

// real maps a shown ref to its name in the repository.
func (p place) real(shown string) (string, bool) {
	switch p.kind {
	case all:
		_, _, ok := locate(shown)
		return shown, ok
	case Site:
		branches, tagged := p.prefixes()
		real, ok := replacePrefix(shown, heads, branches)
		if !ok {
			real, ok = replacePrefix(shown, tags, tagged)
		}
		return real, ok && object.ValidRefName(shown) && object.ValidRefName(real) && shown != heads+"HEAD"
	default:
		return heads + p.branch(), shown == main
	}
}

// shown is the other way round.
func (p place) shown(real string) (string, bool) {
	switch p.kind {
	case all:
		return real, true
	case Site:
		branches, tagged := p.prefixes()
		shown, ok := replacePrefix(real, branches, heads)
		if !ok {
			shown, ok = replacePrefix(real, tagged, tags)
		}
		return shown, ok
	default:
		return main, real == heads+p.branch()
	}
}

// locate finds the place that a ref of the repository belongs to, and its shown
// name there.
func locate(real string) (p place, shown string, ok bool) {
	rest, isBranch := strings.CutPrefix(real, heads)
	if !isBranch {
		rest, ok = strings.CutPrefix(real, tags+Site+"/")
		rest = Site + "/" + rest
		if !ok {
			return place{}, "", false
		}
	}
	kind, name, two := strings.Cut(rest, "/")
	switch {
	case kind == Site:
		name, _, _ = strings.Cut(name, "/")
		p, ok = place{Site, name}, config.ValidName(name)
	case two:
		p, ok = parsePair(kind, name)
	default:
		p, ok = place{kind: kind}, isSingle(kind)
	}
	if !ok {
		return place{}, "", false
	}
	if shown, ok = p.shown(real); !ok {
		return place{}, "", false
	}
	again, ok := p.real(shown)
	return p, shown, ok && again == real
}

func replacePrefix(s, old, new string) (string, bool) {
	rest, ok := strings.CutPrefix(s, old)
	return new + rest, ok && rest != ""
}
