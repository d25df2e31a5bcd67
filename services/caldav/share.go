package caldav

import (
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cairn/services/accounts"
	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// Sharing: a calendar or address book that its owner shares with somebody is in
// that person's home from then on, under a name that says whose it is. There are no
// invitations to accept; to delete it there is to decline. Two ways lead to it, the ACL
// method (RFC 3744 §8.1) and a POST as calendar programs send it.

// acl answers ACL: the list says with whom the collection is shared from now on.
// What it cannot say (deny, invert, groups) is refused by the name of the
// precondition.
func (x *exchange) acl() error {
	list, err := dav.ReadACL(x.r.Body)
	if err != nil {
		return err
	}
	shares := map[string]shelf.Access{}
	for _, a := range list {
		user, access, err := x.grant(a)
		if err != nil {
			return err
		}
		if user != x.user.Name && access != shelf.NoAccess && shares[user] != shelf.ReadWrite {
			shares[user] = access
		}
	}
	err = x.share("Share", func(p *shelf.Props) { p.Shares = shares })
	if err != nil {
		return err
	}
	x.w.WriteHeader(http.StatusOK)
	return nil
}

// grant reads one access control element.
func (x *exchange) grant(a dav.ACE) (user string, access shelf.Access, err error) {
	violated := func(precondition, text string) error {
		return dav.Violated(http.StatusForbidden, dav.D(precondition), "%s", text)
	}
	switch {
	case a.Protected || a.Inherited:
		return "", "", violated("no-protected-ace-conflict", "this element cannot be set")
	case a.Deny:
		return "", "", violated("grant-only", "rights are given, not denied")
	case a.Invert:
		return "", "", violated("no-invert", "rights are given to those who are named")
	case a.Principal.Property == dav.D("owner"):
		return x.user.Name, shelf.NoAccess, nil
	case a.Principal.Href == "":
		return "", "", violated("allowed-principal", "a collection is shared with people who have an account")
	}
	u, err := x.person(a.Principal.Href)
	if err != nil {
		return "", "", err
	}
	for _, p := range a.Privilege {
		switch {
		case p == dav.D("write") || p == dav.D("all"):
			access = shelf.ReadWrite
		case p == dav.D("read"):
			if access == shelf.NoAccess {
				access = shelf.Read
			}
		case known(p):
			return "", "", violated("no-abstract", "what can be given is read and write")
		default:
			return "", "", violated("not-supported-privilege", "what can be given is read and write")
		}
	}
	return u.Name, access, nil
}

// known reports whether a privilege is one of those announced.
func known(name dav.Name) bool {
	var in func(p *privilege) bool
	in = func(p *privilege) bool {
		if p.name == name {
			return true
		}
		for i := range p.parts {
			if in(&p.parts[i]) {
				return true
			}
		}
		return false
	}
	return in(&supported)
}

// person finds whom a mailto: URL or the URL of a principal names.
func (x *exchange) person(href string) (*accounts.User, error) {
	unknown := dav.Violated(http.StatusForbidden, dav.D("recognized-principal"), "nobody here is %.200q", href)
	who := ""
	if scheme, address, ok := strings.Cut(href, ":"); ok && strings.EqualFold(scheme, "mailto") {
		if unescaped, err := url.PathUnescape(address); err == nil {
			who = unescaped
		}
	} else if u, err := dav.Href(x.r, href); err == nil {
		if p, err := parsePath(u.EscapedPath()); err == nil && p.kind == principal {
			who = p.user
		}
	}
	u, err := x.Accounts.Find(x.ctx(), who)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unknown
	}
	return u, err
}

// post answers POST: a collection is shared with some people besides, or no longer.
func (x *exchange) post() error {
	if x.at.kind == outbox {
		return x.askBusy()
	}
	t, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil || t != "application/xml" && t != "text/xml" && t != "application/davsharing+xml" {
		return dav.Errorf(http.StatusUnsupportedMediaType, "what can be posted here is XML about sharing")
	}
	s, err := dav.ReadPost(x.r.Body)
	if err != nil {
		return err
	}
	if s.Push != nil {
		return x.register(s.Push)
	}
	if !ordered.has(x.at.kind) {
		return x.refuseMethod(x.at.kind)
	}
	if s.Reply != nil {
		return dav.Errorf(http.StatusForbidden, "there are no invitations to answer: delete what you do not want to have")
	}
	accesses := map[string]shelf.Access{}
	for _, sharee := range s.Sharees {
		u, err := x.person(sharee.Href)
		if err != nil {
			return err
		}
		if u.Name == x.user.Name {
			return dav.Errorf(http.StatusForbidden, "it is yours already")
		}
		accesses[u.Name] = [...]shelf.Access{dav.AccessNone: shelf.NoAccess, dav.AccessRead: shelf.Read, dav.AccessWrite: shelf.ReadWrite}[sharee.Access]
	}
	err = x.share("Share", func(p *shelf.Props) {
		if p.Shares == nil {
			p.Shares = map[string]shelf.Access{}
		}
		for user, access := range accesses {
			p.Shares[user] = access
			if access == shelf.NoAccess {
				delete(p.Shares, user)
			}
		}
	})
	if err != nil {
		return err
	}
	x.w.WriteHeader(http.StatusOK)
	return nil
}

// share changes with whom the collection is shared. Only its owner can.
func (x *exchange) share(verb string, f func(*shelf.Props)) error {
	s, err := x.spot(x.at)
	if err != nil {
		return err
	}
	return x.change(verb+" "+s.root, []string{s.owner}, func(of views, edits map[string]*shelf.Edit) error {
		n, g, err := x.before(x.at, of)
		if err != nil {
			return err
		}
		if n == nil {
			return errNothingHere
		}
		if err := n.require(n.access.owns(), dav.D("write-acl")); err != nil {
			return err
		}
		if err := g.free(n.spot, changed); err != nil {
			return err
		}
		p := n.col.Props().Clone()
		f(p)
		if err := withdrawn(edits[n.owner], n, p); err != nil {
			return err
		}
		return x.objectError(n, n.setProps(p))
	})
}

// withdrawn takes away the locks of those who may not write any more: they could not
// do so themselves.
func withdrawn(e *shelf.Edit, n *node, p *shelf.Props) error {
	all, err := e.Locks()
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(all), func(l shelf.Lock) bool {
		return (l.Root == n.root || isBelow(l.Root, n.root)) && l.Principal != n.owner && p.Shares[l.Principal] != shelf.ReadWrite
	})
	if len(left) == len(all) {
		return nil
	}
	return e.SetLocks(left)
}
