package caldav

import (
	"errors"
	"io/fs"
	"net/http"
	"path"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// delete answers DELETE (RFC 4918 §9.6), of a collection with all that is in it.
func (x *exchange) delete() error {
	depth, err := dav.ParseDepth(x.r.Header, dav.DepthInfinity)
	if err == nil && depth != dav.DepthInfinity && collections.has(x.at.kind) && x.at.slash {
		err = dav.Errorf(http.StatusBadRequest, "a collection is deleted with all that is in it")
	}
	if err != nil {
		return err
	}
	s, err := x.spot(x.at)
	if err != nil {
		return err
	}
	if s.root == fileSpace {
		return dav.Errorf(http.StatusForbidden, "this folder stays")
	}
	err = x.meet("Delete "+s.root, []string{s.owner}, func(of views, all map[string]*shelf.Edit, m *meeting) error {
		n, g, err := x.before(x.at, of)
		if err != nil {
			return err
		}
		if n == nil {
			return errNothingHere
		}
		if ordered.has(n.kind) && !n.access.owns() {
			return leave(all[n.owner], n, x.user.Name)
		}
		if err := n.require(n.access >= accessWrite || ordered.has(n.kind), dav.D("unbind")); err != nil {
			return err
		}
		if err := g.free(n.spot, unbound); err != nil {
			return err
		}
		if err := m.remove(n); err != nil {
			return err
		}
		return remove(all[n.owner], n)
	})
	if err != nil {
		return err
	}
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}

// leave is what it means that somebody deletes a collection which another person
// shares with them: it is shared with them no longer.
func leave(e *shelf.Edit, n *node, user string) error {
	p := n.col.Props().Clone()
	delete(p.Shares, user)
	if err := withdrawn(e, n, p); err != nil {
		return err
	}
	return e.SetProps(n.path, p)
}

// remove removes a resource with the locks on it.
func remove(e *shelf.Edit, n *node) error {
	if err := unlocked(e, n.spot); err != nil {
		return err
	}
	if n.file == "" {
		return hidden(e.Remove(n.path))
	}
	return removeFile(e, n)
}

// removeFile removes a file or folder, with its properties. The folder that it was in
// stays, though it were the last thing there.
func removeFile(e *shelf.Edit, n *node) error {
	tx := e.Tx()
	if n.kind == file {
		if err := gone(tx.Remove(n.propsFile())); err != nil {
			return err
		}
	}
	if err := tx.Remove(n.file); err != nil {
		return hidden(err)
	}
	in := path.Dir(n.file)
	if _, err := tx.Lookup(in); in == fileSpace || !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return tx.Put(in+"/"+folderProps, nil)
}
