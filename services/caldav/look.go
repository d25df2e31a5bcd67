package caldav

import (
	"errors"
	"net/http"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// lookKey is what a person's own branch calls somebody else's collection.
func (n *node) lookKey() string { return n.owner + "/" + n.path.Collection }

// looks are the properties that somebody may set of what another person shares with
// them: nobody else sees it.
var looks = map[dav.Name]bool{dav.DisplayName: true, dav.Apple("calendar-color"): true, dav.Apple("calendar-order"): true}

// patchLook answers PROPPATCH of a collection that somebody else shares.
func (x *exchange) patchLook(n *node, edits []dav.Edit) error {
	var results []*dav.Error
	err := x.change("Set properties of "+n.lookKey(), []string{x.user.Name}, func(of views, all map[string]*shelf.Edit) error {
		n, _, err := x.before(x.at, of)
		if err != nil {
			return err
		}
		if n == nil {
			return errNothingHere
		}
		look := &shelf.Props{DisplayName: n.look.DisplayName, Color: n.look.Color, Order: n.look.Order}
		if results = applyLook(look, edits, n); results != nil {
			return errNothingDone
		}
		e := all[x.user.Name]
		p := e.Props(n.path.Kind).Clone()
		if p.Looks == nil {
			p.Looks = map[string]shelf.Look{}
		}
		p.Looks[n.lookKey()] = shelf.Look{DisplayName: look.DisplayName, Color: look.Color, Order: look.Order}
		return e.SetProps(shelf.Path{Kind: n.path.Kind}, p)
	})
	if err != nil && !errors.Is(err, errNothingDone) {
		return err
	}
	return x.answerProppatch(n, edits, results)
}

// applyLook is applyAll for those properties.
func applyLook(p *shelf.Props, edits []dav.Edit, n *node) []*dav.Error {
	results := applyAll(p, edits, n.kind, false)
	for i, e := range edits {
		if !looks[e.Name] {
			if results == nil {
				results = make([]*dav.Error, len(edits))
			}
			results[i] = &dav.Error{Status: http.StatusForbidden, Precondition: dav.D("need-privileges"), Hrefs: []string{n.href}, Privileges: []dav.Name{dav.D("write-properties")}}
		}
	}
	return results
}
