package dav

import (
	"io"
	"net/http"
)

// Principal says whom an access control element is about (RFC 3744 §5.5.1): exactly one field is set.
type Principal struct {
	Href            string
	All             bool
	Authenticated   bool
	Unauthenticated bool
	Self            bool
	Property        Name // the principal that this property of the resource names
}

// ACE is an access control element of the ACL method (RFC 3744 §8.1).
type ACE struct {
	Principal Principal
	Invert    bool
	Deny      bool
	Protected bool // or inherited: such cannot be set, and is refused by name
	Inherited bool
	Privilege []Name
}

// ReadACL reads the body of the ACL method.
func ReadACL(body io.Reader) ([]ACE, error) {
	root, err := readRoot(body, plain, D("acl"))
	if err != nil {
		return nil, err
	}
	if root == nil {
		return nil, Errorf(http.StatusBadRequest, "ACL needs a body")
	}
	var list []ACE
	for e := range root.All(D("ace")) {
		a, err := readACE(e)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

func readACE(e *Element) (ACE, error) {
	var a ACE
	who := e.Child(D("principal"))
	if inv := e.Child(D("invert")); inv != nil {
		a.Invert = true
		who = inv.Child(D("principal"))
	}
	var ok bool
	if a.Principal, ok = readPrincipal(who); !ok {
		return a, Errorf(http.StatusBadRequest, "an ace names no principal")
	}
	grant, deny := e.Child(D("grant")), e.Child(D("deny"))
	if (grant == nil) == (deny == nil) {
		return a, Errorf(http.StatusBadRequest, "an ace either grants or denies")
	}
	a.Deny = deny != nil
	if a.Deny {
		grant = deny
	}
	for p := range grant.All(D("privilege")) {
		a.Privilege = append(a.Privilege, p.Names()...)
	}
	if len(a.Privilege) == 0 {
		return a, Errorf(http.StatusBadRequest, "an ace names no privilege")
	}
	a.Protected = e.Child(D("protected")) != nil
	a.Inherited = e.Child(D("inherited")) != nil
	return a, nil
}

func readPrincipal(e *Element) (Principal, bool) {
	if e == nil {
		return Principal{}, false
	}
	for c := range e.Elements() {
		switch c.Name {
		case nameHref:
			return Principal{Href: c.Word()}, c.Word() != ""
		case D("all"):
			return Principal{All: true}, true
		case D("authenticated"):
			return Principal{Authenticated: true}, true
		case D("unauthenticated"):
			return Principal{Unauthenticated: true}, true
		case D("self"):
			return Principal{Self: true}, true
		case D("property"):
			for p := range c.Elements() {
				return Principal{Property: p.Name}, true
			}
		}
	}
	return Principal{}, false
}
