package caldav

import (
	"errors"
	"net/http"
	"slices"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// proppatch answers PROPPATCH (RFC 4918 §9.2): all of it is done or nothing.
func (x *exchange) proppatch() error {
	edits, err := dav.ReadProppatch(x.r.Body)
	if err != nil {
		return err
	}
	n, err := x.resolve(x.at)
	if err != nil {
		return err
	}
	if !allowed("PROPPATCH", n.kind) {
		return x.refuseMethod(n.kind)
	}
	if n.kind == principal {
		if err := n.require(n.access.owns(), dav.D("write-properties")); err != nil {
			return err
		}
	}
	if ordered.has(n.kind) && !n.access.owns() {
		return x.patchLook(n, edits)
	}
	var results []*dav.Error
	err = x.change("Set properties of "+n.name(), []string{n.owner}, func(of views, all map[string]*shelf.Edit) error {
		n, g, err := x.before(x.at, of)
		if err != nil {
			return err
		}
		if n == nil {
			return errNothingHere
		}
		if n.kind == principal {
			n.in, _ = of(n.owner)
		} else if err := n.require(n.access != accessRead, dav.D("write-properties")); err != nil {
			return err
		} else if err := g.free(n.spot, changed); err != nil {
			return err
		}
		p := n.props().Clone()
		if results = applyAll(p, edits, n.kind, false); results != nil {
			return errNothingDone
		}
		return x.objectError(n, n.setProps(p))
	})
	if err != nil && !errors.Is(err, errNothingDone) {
		return err
	}
	return x.answerProppatch(n, edits, results)
}

// errNothingDone ends an update that is not to be.
var errNothingDone = dav.Errorf(http.StatusFailedDependency, "nothing was changed")

// answerProppatch says what became of each property.
func (x *exchange) answerProppatch(n *node, edits []dav.Edit, results []*dav.Error) error {
	m, prefer := x.multistatus()
	if results == nil && prefer.Minimal {
		x.w.WriteHeader(http.StatusNoContent) // RFC 8144 §2.3
		return nil
	}
	r := m.Response(n.href)
	fillResults(r, edits, results)
	r.Done()
	return m.Close()
}

// fillResults writes what became of each property; nil results say that all were set.
func fillResults(r *dav.Response, edits []dav.Edit, results []*dav.Error) {
	seen := map[dav.Name]bool{}
	for i, e := range edits {
		if results == nil || results[i] == nil || seen[e.Name] {
			continue
		}
		seen[e.Name] = true
		r.Refuse(e.Name, results[i].Status, results[i])
	}
	for _, e := range edits {
		if seen[e.Name] {
			continue
		}
		seen[e.Name] = true
		if results == nil {
			r.Empty(e.Name)
		} else {
			r.Refuse(e.Name, http.StatusFailedDependency, nil)
		}
	}
}

// applyAll makes edits in order, or returns what is wrong with each of them, nil where
// nothing is.
func applyAll(p *shelf.Props, edits []dav.Edit, k kind, making bool) []*dav.Error {
	results := make([]*dav.Error, len(edits))
	wrong := false
	for i, e := range edits {
		results[i] = apply(p, e, k, making)
		wrong = wrong || results[i] != nil
	}
	if !wrong {
		return nil
	}
	return results
}

// apply makes one edit.
func apply(p *shelf.Props, e dav.Edit, k kind, making bool) *dav.Error {
	if l := liveOn(e.Name, k); l != nil {
		if l.set == nil {
			return errProtected
		}
		return l.set(p, e.Value, making)
	}
	if protected[e.Name] {
		return errProtected
	}
	i := slices.IndexFunc(p.Dead, func(d shelf.Dead) bool { return d.Space == e.Name.Space && d.Name == e.Name.Local })
	switch {
	case e.Remove && i >= 0:
		p.Dead = slices.Delete(p.Dead, i, i+1)
	case e.Remove:
		// RFC 4918 §14.23: to remove what is not there is no error
	case i >= 0:
		p.Dead[i].XML = e.Value.Prop().XML
	default:
		p.Dead = append(p.Dead, shelf.Dead{Space: e.Name.Space, Name: e.Name.Local, XML: e.Value.Prop().XML})
	}
	return nil
}

// errProtected is RFC 4918 §16, cannot-modify-protected-property.
var errProtected = &dav.Error{Status: http.StatusForbidden, Precondition: dav.D("cannot-modify-protected-property")}

// protected are names that no resource may have as a dead property, because a
// client that finds one would believe that the server says it.
var protected = func() map[dav.Name]bool {
	m := map[dav.Name]bool{dav.D("creationdate"): true, dav.GetModified: true}
	for _, p := range properties() {
		m[p.name] = p.set == nil && p.name != dav.DisplayName
	}
	return m
}()

// props are the properties that clients can set.
func (n *node) props() *shelf.Props {
	switch {
	case n.kind == principal:
		return n.in.Props("")
	case n.kind == calendarHome || n.kind == contactHome:
		return n.in.Props(shelf.Kind(n.space))
	case n.kind == folder || n.kind == file:
		return &shelf.Props{Dead: n.fileDead()}
	case objects.has(n.kind):
		list, _ := n.col.ResourceProps(n.res)
		return &shelf.Props{Dead: list}
	}
	return n.col.Props()
}

// setProps keeps them, in an edit.
func (n *node) setProps(p *shelf.Props) error {
	e := n.in.edit
	switch {
	case n.kind == principal:
		return e.SetProps(shelf.Path{}, p)
	case n.kind == calendarHome || n.kind == contactHome:
		return e.SetProps(shelf.Path{Kind: shelf.Kind(n.space)}, p)
	case n.kind == folder || n.kind == file:
		return n.setFileDead(p.Dead)
	case objects.has(n.kind):
		return e.SetResourceProps(n.path, p.Dead)
	}
	return e.SetProps(n.path, p)
}

// name is what commit messages call a node.
func (n *node) name() string {
	if n.kind == principal {
		return n.owner
	}
	return n.root
}
