package caldav

import (
	"net/http"
	"slices"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// copyMove answers COPY and MOVE (RFC 4918 §9.8, §9.9). No content is written: what
// is there is named again.
func (x *exchange) copyMove() error {
	t, err := x.transfer()
	if err != nil {
		return err
	}
	owners := []string{t.from.owner}
	if t.to.owner != t.from.owner {
		owners = append(owners, t.to.owner)
	}
	verb := "Copy "
	if t.move {
		verb = "Move "
	}
	err = x.change(verb+t.from.root+" to "+t.to.root, owners, func(of views, edits map[string]*shelf.Edit) error {
		return x.carry(t, of, edits)
	})
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if t.overwrote {
		status = http.StatusNoContent
	}
	x.w.WriteHeader(status)
	return nil
}

// carry does it, in an edit.
func (x *exchange) carry(t *transfer, of views, edits map[string]*shelf.Edit) error {
	src, g, err := x.before(x.at, of)
	if err != nil {
		return err
	}
	if src == nil {
		return errNothingHere
	}
	if err := t.maySource(src, g); err != nil {
		return err
	}
	dst, err := x.mayReach(t, src, of, g)
	if err != nil {
		return err
	}
	t.overwrote = dst != nil
	if dst != nil {
		if err := replace(edits[t.to.owner], dst); err != nil {
			return err
		}
	}
	if t.move {
		if err := unlocked(edits[t.from.owner], t.from); err != nil {
			return err
		}
	}
	if t.to.file != "" {
		return x.carryFile(t, src, edits[t.from.owner])
	}
	if err := x.meetingOnce(t, src, edits[t.to.owner]); err != nil {
		return err
	}
	return x.objectError(&node{place: t.at, spot: t.to}, t.carryObject(src, edits))
}

// maySource makes sure that the user may take what is at the source.
func (t *transfer) maySource(src *node, g *guard) error {
	if !t.move {
		return nil
	}
	if t.shallow && collections.has(src.kind) {
		return errWrongDepth
	}
	ok := src.access >= accessWrite
	if ordered.has(src.kind) {
		ok = src.access.owns()
	}
	if err := src.require(ok, dav.D("unbind")); err != nil {
		return err
	}
	return g.free(t.from, unbound)
}

// mayReach makes sure that something may come to the destination, and returns what is
// there, nil for nothing.
func (x *exchange) mayReach(t *transfer, src *node, of views, g *guard) (*node, error) {
	up, err := x.find(t.at.parent(), of)
	if absent(err) || err == nil && !collections.has(up.kind) {
		return nil, dav.Errorf(http.StatusConflict, "the collection in which it is to be does not exist")
	}
	if err != nil {
		return nil, err
	}
	ok := up.access >= accessWrite
	if ordered.has(t.at.kind) {
		ok = t.to.owner == x.user.Name
	}
	if err := up.require(ok, dav.D("bind")); err != nil {
		return nil, err
	}
	if err := accepts(up, src); err != nil {
		return nil, err
	}
	dst, err := x.find(t.at, of)
	if absent(err) {
		return nil, g.free(t.to, bound)
	}
	if err != nil {
		return nil, err
	}
	if !t.overwrite {
		return nil, dav.Errorf(http.StatusPreconditionFailed, "there is something at the destination")
	}
	return dst, g.free(t.to, unbound)
}

// accepts makes sure that a calendar takes a component of that kind.
func accepts(col, object *node) error {
	if object.kind != event {
		return nil
	}
	x, err := object.col.Event(object.res)
	if err != nil {
		return err
	}
	return takes(col, x.Kind)
}

// replace removes what is at the destination. A lock on the destination itself is on
// its URL and stays (RFC 4918 §6.1); those on what was in it go.
func replace(e *shelf.Edit, dst *node) error {
	all, err := e.Locks()
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(all), func(l shelf.Lock) bool { return isBelow(l.Root, dst.root) })
	if len(left) != len(all) {
		if err := e.SetLocks(left); err != nil {
			return err
		}
	}
	if dst.file == "" {
		return e.Remove(dst.path)
	}
	return removeFile(e, dst)
}

// carryObject copies or moves what the shelf keeps.
func (t *transfer) carryObject(src *node, edits map[string]*shelf.Edit) error {
	from, to := edits[t.from.owner], edits[t.to.owner]
	switch {
	case t.move:
		return to.Move(from, t.from.path, t.to.path)
	case t.shallow && ordered.has(src.kind):
		p := src.col.Props().Clone()
		return to.Make(t.to.path, &shelf.Props{
			DisplayName: p.DisplayName, Description: p.Description, Color: p.Color, Order: p.Order,
			Timezone: p.Timezone, TimezoneID: p.TimezoneID, Components: p.Components, Transparent: p.Transparent, Dead: p.Dead,
		})
	}
	return to.Copy(from, t.from.path, t.to.path)
}

// carryFile copies or moves a file or folder with its properties.
func (x *exchange) carryFile(t *transfer, src *node, e *shelf.Edit) error {
	tx := e.Tx()
	props := src.fileDead()
	dst := *src
	dst.spot = t.to
	if t.shallow && src.kind == folder {
		return dst.setFileDead(props)
	}
	entry, err := tx.Lookup(src.file)
	if err != nil {
		return err
	}
	if !t.move && x.Shelf.Quota() > 0 {
		more, err := x.bytesBelow(e.Tree(), src.file, entry)
		if err == nil {
			err = x.room(e, more)
		}
		if err != nil {
			return err
		}
	}
	if err := tx.Link(t.to.file, entry); err != nil {
		return err
	}
	if src.kind == file && len(props) > 0 {
		if err := dst.setFileDead(props); err != nil {
			return err
		}
	}
	if t.move {
		return removeFile(e, src)
	}
	return nil
}
