package caldav

import (
	"net/http"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
	"cairn/store/object"
)

// putFile puts a file.
func (x *exchange) putFile() error {
	s, err := x.spot(x.at)
	if err != nil {
		return err
	}
	if len(x.at.names) == 0 || x.at.slash {
		return x.refuseMethod(folder)
	}
	data, err := x.body(x.Shelf.MaxResource(), dav.Name{})
	if err != nil {
		return err
	}
	created := false
	err = x.change("Put "+s.root, []string{s.owner}, func(of views, edits map[string]*shelf.Edit) (err error) {
		created, err = x.writeFile(s, data, of, edits[s.owner])
		return err
	})
	if err != nil {
		return x.instead(err)
	}
	return x.stored(created, hashTag(object.Object{Type: object.TypeBlob, Data: data}.Hash()))
}

// writeFile writes a file, in an edit, and reports whether it is new.
func (x *exchange) writeFile(s spot, data []byte, of views, e *shelf.Edit) (created bool, err error) {
	was, g, err := x.before(x.at, of)
	if err != nil {
		return false, err
	}
	become, before := changed, int64(0)
	switch {
	case was == nil:
		become = bound
		err = x.inFolder(x.at, of)
	case was.kind == folder:
		err = x.refuseMethod(folder)
	default:
		before, err = was.size()
	}
	if err == nil {
		err = x.room(e, int64(len(data))-before)
	}
	if err == nil {
		err = g.free(s, become)
	}
	if err != nil {
		return false, err
	}
	return was == nil, e.Tx().Put(s.file, data)
}

// inFolder makes sure that what is to be at a place would be in a folder.
func (x *exchange) inFolder(p place, of views) error {
	up, err := x.find(p.parent(), of)
	if absent(err) || err == nil && up.kind != folder {
		return dav.Errorf(http.StatusConflict, "the folder in which it is to be does not exist")
	}
	return err
}
