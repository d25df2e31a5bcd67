package caldav

import (
	"cmp"
	"net/http"
	"strconv"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// collectionProperties are those that calendars and address books have alike.
var collectionProperties = []property{
	{name: dav.DisplayName, on: ordered, all: true, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		return some(r, name, n.displayName())
	}, set: text(func(p *shelf.Props) *string { return &p.DisplayName })},
	{name: dav.CS("getctag"), on: ordered | of(inbox), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Text(name, n.col.CTag())
		return true
	}},
	{name: dav.Cal("max-resource-size"), on: of(calendar, inbox), value: maxResource},
	{name: dav.Card("max-resource-size"), on: of(addressbook), value: maxResource},
	{name: dav.Cal("supported-collation-set"), on: of(calendar, inbox), value: inner(collationsXML(dav.Cal))},
	{name: dav.Card("supported-collation-set"), on: of(addressbook), value: inner(collationsXML(dav.Card))},
	{name: dav.CS("allowed-sharing-modes"), on: ordered, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		if !n.access.owns() {
			return false
		}
		r.Value(name, func(b *dav.Builder) { b.Empty(dav.CS("can-be-shared")) })
		return true
	}},
	{name: dav.CS("invite"), on: ordered, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Value(name, func(b *dav.Builder) { x.writeInvite(b, n) })
		return true
	}},
	{name: dav.D("share-access"), on: ordered, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Value(name, func(b *dav.Builder) { b.Empty(dav.D(n.shareAccess())) })
		return true
	}},
}

// displayName is what a collection is called: one that somebody else shares by their
// name too, unless the user calls it otherwise.
func (n *node) displayName() string {
	name := n.col.Props().DisplayName
	if n.access.owns() {
		return name
	}
	return cmp.Or(n.look.DisplayName, cmp.Or(name, n.col.Name)+" ("+called(n.person)+")")
}

// some gives a text if there is any.
func some(r *dav.Response, name dav.Name, value string) bool {
	if value == "" {
		return false
	}
	r.Text(name, value)
	return true
}

// inner gives a value that is the same everywhere.
func inner(xml string) func(*exchange, *node, *dav.Response, dav.Name) bool {
	return func(_ *exchange, _ *node, r *dav.Response, name dav.Name) bool {
		r.Inner(name, xml)
		return true
	}
}

func number(n int) func(*exchange, *node, *dav.Response, dav.Name) bool {
	return inner(strconv.Itoa(n))
}

func maxResource(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
	r.Text(name, strconv.FormatInt(x.Shelf.MaxResource(), 10))
	return true
}

// text sets a property that is text, of 1 KiB at most.
func text(field func(*shelf.Props) *string) setter {
	return func(p *shelf.Props, v *dav.Element, _ bool) *dav.Error {
		t := ""
		if v != nil {
			t = v.Text()
		}
		if len(t) > 1<<10 {
			return dav.Errorf(http.StatusInsufficientStorage, "this is too long")
		}
		*field(p) = t
		return nil
	}
}

// collationsXML lists what text can be compared by (RFC 4790).
func collationsXML(space func(string) dav.Name) string {
	return dav.Build(func(b *dav.Builder) {
		for _, c := range []string{"i;ascii-casemap", "i;octet", "i;unicode-casemap"} {
			b.Element(space("supported-collation"), c)
		}
	})
}

// quota is how much a person has and may have besides, -1 for no limit (RFC 4331).
func (x *exchange) quota(n *node) (used, free int64, err error) {
	s, err := x.Shelf.Snapshot(x.ctx(), n.owner)
	if err != nil {
		return 0, 0, err
	}
	if used, err = x.usedBytes(s); err != nil {
		return 0, 0, err
	}
	if x.Shelf.Quota() == 0 {
		return used, -1, nil
	}
	return used, max(0, x.Shelf.Quota()-used), nil
}

// contactProperties are those of RFC 6352 §6.2.
var contactProperties = []property{
	{name: dav.Card("addressbook-description"), on: of(addressbook), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		return some(r, name, n.col.Props().Description)
	}, set: text(func(p *shelf.Props) *string { return &p.Description })},
	{name: dav.Card("supported-address-data"), on: of(addressbook), value: inner(dav.Build(func(b *dav.Builder) {
		for _, v := range []string{"3.0", "4.0"} {
			b.Empty(dav.Card("address-data-type"), dav.At("content-type", "text/vcard"), dav.At("version", v))
		}
	}))},
}
