package caldav

import (
	"errors"
	"net/http"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// syncCollection answers sync-collection (RFC 6578 §3.2). A calendar and an address book have no
// collections below, so both levels are the same.
func (x *exchange) syncCollection(n *node, q *dav.SyncCollection) error {
	if err := x.syncDepth(q); err != nil {
		return err
	}
	changes, err := n.col.Sync(x.ctx(), q.Token, q.Limit)
	if errors.Is(err, shelf.ErrToken) {
		return dav.Violated(http.StatusForbidden, dav.D("valid-sync-token"), "the token is not known here; begin again without one")
	}
	if err != nil {
		return err
	}
	m, _ := x.multistatus()
	s := selected(&q.Want)
	c := n.child(objectOf[n.kind], "")
	for _, ch := range changes.Changes {
		if ch.Removed {
			m.Status(n.href+dav.EscapeName(ch.Name), http.StatusNotFound, nil)
			continue
		}
		c.setObject(n, ch.Resource)
		c.root = n.root + "/" + ch.Name
		x.respond(m, c, s)
		if m.Err() != nil {
			break
		}
	}
	if changes.More {
		truncated(m, n)
	}
	m.SyncToken(changes.Token)
	return x.closing(m, m.Err())
}

// syncDepth judges the Depth header. The report is defined for 0 (RFC 6578 §3.3); a client that
// says the level by Depth as the drafts had it, or both ways as Thunderbird does, is understood (Appendix A).
func (x *exchange) syncDepth(q *dav.SyncCollection) error {
	depth, err := dav.ParseDepth(x.r.Header, dav.DepthZero)
	if err != nil {
		return err
	}
	if depth != dav.DepthZero && q.Level != dav.DepthZero && depth != q.Level {
		return dav.Errorf(http.StatusBadRequest, "sync-collection needs Depth 0")
	}
	return nil
}

// current returns those of the submitted tokens since which nothing has changed in the collection n: sync
// tokens are state tokens too (RFC 6578 §5).
func (g *guard) current(n *node) ([]string, error) {
	if found, ok := g.synced[n.spot]; ok {
		return found, nil
	}
	col := n.col
	if n.in.edit != nil { // tokens are given out for what was committed
		var err error
		if col, err = n.in.edit.Snapshot.Collection(n.path.Kind, n.path.Collection); err != nil {
			return nil, err
		}
	}
	found := []string{}
	for _, token := range g.tokens {
		since, err := col.Sync(g.x.ctx(), token, 1)
		switch {
		case errors.Is(err, shelf.ErrToken):
		case err != nil:
			return nil, err
		case len(since.Changes) == 0 && !since.More:
			found = append(found, token)
		}
	}
	if g.synced == nil {
		g.synced = map[spot][]string{}
	}
	g.synced[n.spot] = found
	return found, nil
}
