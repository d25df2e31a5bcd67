package caldav

import (
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"slices"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// mkcol answers MKCOL (RFC 4918 §9.3), with properties too (RFC 5689), and MKCALENDAR
// (RFC 4791 §5.3.1). What is made in a home is what the home holds.
func (x *exchange) mkcol() error {
	isCalendar := x.r.Method == "MKCALENDAR"
	edits, err := x.mkcolBody(isCalendar)
	if err != nil {
		return err
	}
	s, err := x.spot(x.at)
	if err != nil {
		return err
	}
	var results []*dav.Error
	err = x.change("Make "+s.root, []string{s.owner}, func(of views, all map[string]*shelf.Edit) error {
		if err := x.vacant(s, of, isCalendar); err != nil {
			return err
		}
		p := &shelf.Props{}
		if results = x.initial(p, edits); results != nil {
			return errNothingDone
		}
		return x.make(s, p, all[s.owner])
	})
	if errors.Is(err, errNothingDone) {
		dav.RefuseMkcol(x.w, isCalendar, func(r *dav.Response) { fillResults(r, edits, results) })
		return nil
	}
	if err != nil {
		return err
	}
	x.w.Header().Set("Cache-Control", "no-cache")
	x.w.WriteHeader(http.StatusCreated)
	return nil
}

// mkcolBody reads the properties that a collection is to have at first. A body that
// is not XML is 415, as RFC 4918 §9.3 has it.
func (x *exchange) mkcolBody(isCalendar bool) ([]dav.Edit, error) {
	t, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if x.r.Header.Get("Content-Type") != "" && (err != nil || t != "application/xml" && t != "text/xml") {
		if n, _ := io.ReadFull(x.r.Body, make([]byte, 1)); n > 0 {
			return nil, dav.Errorf(http.StatusUnsupportedMediaType, "properties come as XML")
		}
		return nil, nil
	}
	return dav.ReadMkcol(x.r.Body, isCalendar)
}

// vacant makes sure that a collection can be made where the URL says.
func (x *exchange) vacant(s spot, of views, isCalendar bool) error {
	n, g, err := x.before(x.at, of)
	if err != nil {
		return err
	}
	if n != nil {
		if isCalendar {
			return dav.Violated(http.StatusForbidden, dav.D("resource-must-be-null"), "it exists already")
		}
		x.w.Header().Set("Allow", allow(n.kind))
		return dav.Errorf(http.StatusMethodNotAllowed, "it exists already")
	}
	if len(x.at.names) == 0 {
		return errNothingHere
	}
	up, err := x.find(x.at.parent(), of)
	if absent(err) || err == nil && !collections.has(up.kind) {
		return dav.Errorf(http.StatusConflict, "the collection in which it is to be does not exist")
	}
	if err != nil {
		return err
	}
	if s.owner != x.user.Name {
		return up.require(false, dav.D("bind"))
	}
	return g.free(s, bound)
}

// initial applies the properties of the body. The type has to be what the home
// holds.
func (x *exchange) initial(p *shelf.Props, edits []dav.Edit) []*dav.Error {
	results := make([]*dav.Error, len(edits))
	wrong := false
	for i, e := range edits {
		if e.Name == dav.ResourceType {
			if !x.rightType(e.Value) {
				results[i] = dav.Violated(http.StatusForbidden, dav.D("valid-resourcetype"), "such a collection cannot be here")
				wrong = true
			}
			continue
		}
		if results[i] = apply(p, e, x.at.kind, true); results[i] != nil {
			wrong = true
		}
	}
	if wrong {
		return results
	}
	return nil
}

// rightType reports whether a resourcetype is that of what can be made here.
func (x *exchange) rightType(v *dav.Element) bool {
	want := map[kind][]dav.Name{
		folder:      {dav.Collection},
		calendar:    {dav.Collection, dav.Cal("calendar")},
		addressbook: {dav.Collection, dav.Card("addressbook")},
	}[x.at.kind]
	got := v.Names()
	if !slices.Contains(got, dav.Collection) {
		return false
	}
	for _, name := range got {
		if !slices.Contains(want, name) {
			return false
		}
	}
	return true
}

// make makes the collection.
func (x *exchange) make(s spot, p *shelf.Props, e *shelf.Edit) error {
	if s.file != "" {
		in, err := x.editing(map[string]*shelf.Edit{s.owner: e})(s.owner)
		if err != nil {
			return err
		}
		n := &node{place: x.at, spot: s, in: in}
		n.kind = folder
		return x.objectError(n, n.setFileDead(p.Dead))
	}
	err := e.Make(s.path, p)
	var name *shelf.NameError
	switch {
	case errors.As(err, &name):
		return dav.Errorf(http.StatusForbidden, "%s", name)
	case errors.Is(err, fs.ErrExist):
		return dav.Errorf(http.StatusMethodNotAllowed, "it exists already")
	}
	return x.objectError(&node{place: x.at, spot: s}, err)
}
