package dav

import (
	"io"
	"net/http"
)

// Want says which properties a request asks for (RFC 4918 §9.1).
type Want struct {
	AllProp  bool   // the live properties of RFC 4918 and dead ones, and Props besides (DAV:include)
	PropName bool   // names only
	Props    []Name // in the order of the request, each once

	elements []*Element // Props with what stands inside of them (calendar-data, address-data)
}

// ReadPropfind reads the body of PROPFIND. None at all asks for all properties.
func ReadPropfind(body io.Reader) (*Want, error) {
	root, err := readRoot(body, plain, D("propfind"))
	if err != nil {
		return nil, err
	}
	if root == nil {
		return &Want{AllProp: true}, nil
	}
	w, some, err := wanted(root)
	if err == nil && !some {
		err = Errorf(http.StatusBadRequest, "propfind holds none of prop, allprop and propname")
	}
	return &w, err
}

// maxProps bounds how many properties one request can ask for, for each is looked for on each resource.
const maxProps = 1000

// wanted reads prop, allprop or propname right below e, and whether there is one.
func wanted(e *Element) (w Want, some bool, err error) {
	switch {
	case e.Child(nameProp) != nil:
		return w, true, w.add(e.Child(nameProp))
	case e.Child(D("allprop")) != nil:
		w.AllProp = true
		return w, true, w.add(e.Child(D("include")))
	case e.Child(D("propname")) != nil:
		w.PropName = true
		return w, true, nil
	}
	return w, false, nil
}

func (w *Want) add(list *Element) error {
	if list == nil {
		return nil
	}
	seen := map[Name]bool{}
	for p := range list.Elements() {
		if !seen[p.Name] {
			seen[p.Name] = true
			w.Props = append(w.Props, p.Name)
			w.elements = append(w.elements, p)
		}
	}
	if len(w.Props) > maxProps {
		return Errorf(http.StatusRequestEntityTooLarge, "more than %d properties", maxProps)
	}
	return nil
}

// Edit is one instruction of PROPPATCH, or a property given to MKCOL and MKCALENDAR.
type Edit struct {
	Name   Name
	Remove bool
	Value  *Element // the property's whole element, with the xml:lang that is in force; nil if Remove
}

// ReadProppatch reads the body of PROPPATCH: the instructions in the order in which they are to be carried out (RFC 4918 §9.2).
func ReadProppatch(body io.Reader) ([]Edit, error) {
	root, err := readRoot(body, plain, D("propertyupdate"))
	if err != nil {
		return nil, err
	}
	if root == nil {
		return nil, Errorf(http.StatusBadRequest, "PROPPATCH needs a body")
	}
	edits := edits(root)
	if len(edits) == 0 {
		return nil, Errorf(http.StatusBadRequest, "propertyupdate neither sets nor removes a property")
	}
	return edits, nil
}

func edits(root *Element) []Edit {
	var list []Edit
	for op := range root.Elements() {
		remove := op.Name == D("remove")
		if !remove && op.Name != D("set") {
			continue
		}
		for props := range op.All(nameProp) {
			for p := range props.Elements() {
				if remove {
					list = append(list, Edit{Name: p.Name, Remove: true})
					continue
				}
				p.inherit(props, op, root)
				list = append(list, Edit{Name: p.Name, Value: p})
			}
		}
	}
	return list
}

// inherit gives e the xml:lang that is in force around it, which must be kept with a property (RFC 4918 §4.3).
func (e *Element) inherit(outer ...*Element) {
	if _, ok := e.lang(); ok {
		return
	}
	for _, o := range outer {
		if lang, ok := o.lang(); ok {
			e.Attrs = append(e.Attrs, Attr{nameLang, lang})
			e.pre = append(e.pre, "xml")
			return
		}
	}
}

// ReadMkcol reads the body of extended MKCOL (RFC 5689) or, if calendar, of MKCALENDAR (RFC 4791 §5.3.1). None at all
// gives no properties.
func ReadMkcol(body io.Reader, calendar bool) ([]Edit, error) {
	name := D("mkcol")
	if calendar {
		name = Cal("mkcalendar")
	}
	root, err := readRoot(body, plain, name)
	if err != nil || root == nil {
		return nil, err
	}
	list := edits(root)
	for _, e := range list {
		if e.Remove {
			return nil, Errorf(http.StatusBadRequest, "%s cannot remove a property", name.Local)
		}
	}
	return list, nil
}

// Lockinfo is the body of LOCK (RFC 4918 §14.11). Only write locks exist.
type Lockinfo struct {
	Shared bool
	Owner  Prop // DAV:owner as the client wrote it; zero if it did not
}

// ReadLockinfo reads the body of LOCK. None at all is nil: a refresh.
func ReadLockinfo(body io.Reader) (*Lockinfo, error) {
	root, err := readRoot(body, plain, D("lockinfo"))
	if err != nil || root == nil {
		return nil, err
	}
	if root.Child(D("locktype")).Child(D("write")) == nil {
		return nil, Errorf(http.StatusUnprocessableEntity, "only write locks exist")
	}
	scope := root.Child(D("lockscope"))
	info := &Lockinfo{Shared: scope.Child(D("shared")) != nil}
	if info.Shared == (scope.Child(D("exclusive")) != nil) {
		return nil, Errorf(http.StatusBadRequest, "a lock is either shared or exclusive")
	}
	if owner := root.Child(D("owner")); owner != nil {
		owner.inherit(root)
		info.Owner = owner.Prop()
	}
	return info, nil
}

// readRoot reads a body whose root has that name. A body without any bytes is nil.
func readRoot(body io.Reader, l limits, n Name) (*Element, error) {
	root, err := parse(body, l)
	if err != nil || root == nil {
		return nil, err
	}
	if root.Name != n {
		return nil, Errorf(http.StatusBadRequest, "the body is %.80q, not %s", root.Name.Local, n.Local)
	}
	return root, nil
}
