package caldav

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// How long locks last: as long as the client wants within these.
const (
	defaultLock = time.Hour
	maxLock     = 24 * time.Hour
	// maxLockOwner bounds what a client says about itself, in bytes.
	maxLockOwner = 2 << 10
)

// lock answers LOCK (RFC 4918 §9.10).
func (x *exchange) lock() error {
	depth, err := dav.ParseDepth(x.r.Header, dav.DepthInfinity)
	if err == nil && depth == dav.DepthOne {
		err = dav.Errorf(http.StatusBadRequest, "a lock has Depth 0 or infinity")
	}
	if err != nil {
		return err
	}
	info, err := dav.ReadLockinfo(x.r.Body)
	if err != nil {
		return err
	}
	if info == nil {
		return x.refreshLock()
	}
	if len(info.Owner.XML) > maxLockOwner {
		return dav.Errorf(http.StatusRequestEntityTooLarge, "the owner of a lock takes %d bytes at most", maxLockOwner)
	}
	token, err := x.newToken()
	if err != nil {
		return err
	}
	return x.newLock(shelf.Lock{
		Token:     token,
		Infinite:  depth == dav.DepthInfinity,
		Shared:    info.Shared,
		Principal: x.user.Name,
		Owner:     info.Owner.XML,
		Expires:   x.expiry(),
	})
}

// newToken makes a lock token that nobody guesses (RFC 4918 §6.5).
func (x *exchange) newToken() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(x.random(), b[:]); err != nil {
		return "", fmt.Errorf("make a lock token: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 9562 §5.4
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

// expiry is when a lock ends that is made or refreshed now.
func (x *exchange) expiry() time.Time {
	d := dav.ParseTimeout(x.r.Header)
	if d == 0 {
		d = defaultLock
	}
	return x.now().Add(min(d, maxLock))
}

// newLock locks what is there, or a name where nothing is yet.
func (x *exchange) newLock(l shelf.Lock) error {
	s, err := x.spot(x.at)
	if err != nil {
		return err
	}
	l.Root = s.root
	created := false
	err = x.change("Lock "+s.root, []string{s.owner}, func(of views, edits map[string]*shelf.Edit) error {
		n, g, err := x.before(x.at, of)
		if err != nil {
			return err
		}
		if created = n == nil; created {
			if err := x.reserve(s, g, edits[s.owner]); err != nil {
				return err
			}
		} else if err := n.require(n.access >= accessWrite, dav.D("write-content")); err != nil {
			return err
		}
		all, err := edits[s.owner].Locks()
		if err != nil {
			return err
		}
		if err := x.conflict(all, &l, s.owner, of); err != nil {
			return err
		}
		return edits[s.owner].SetLocks(append(slices.Clone(all), l))
	})
	if err != nil {
		return err
	}
	x.w.Header().Set("Lock-Token", "<"+l.Token+">")
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return x.answerLocks(status, []shelf.Lock{l}, s.owner)
}

// reserve makes a name that is to be locked: an empty file (RFC 4918 §7.3), or
// nothing where an empty object could not be.
func (x *exchange) reserve(s spot, g *guard, e *shelf.Edit) error {
	if len(x.at.names) == 0 || s.file == "" && !leaves.has(x.at.kind) {
		return errNothingHere
	}
	parent, err := x.find(x.at.parent(), g.of)
	if absent(err) || err == nil && !collections.has(parent.kind) {
		return dav.Errorf(http.StatusConflict, "the collection does not exist")
	}
	if err != nil {
		return err
	}
	if err := parent.require(parent.access >= accessWrite, dav.D("bind")); err != nil {
		return err
	}
	if err := g.free(s, bound); err != nil {
		return err
	}
	if s.file != "" {
		return e.Tx().Put(s.file, nil)
	}
	return nil
}

// conflict refuses a lock beside one that does not go with it.
func (x *exchange) conflict(all []shelf.Lock, l *shelf.Lock, owner string, of views) error {
	var hrefs []string
	for i, other := range all {
		if (!l.Shared || !other.Shared) && (covers(other, l.Root) || covers(*l, other.Root)) {
			hrefs = append(hrefs, x.lockHref(&all[i], owner, of))
		}
	}
	if hrefs == nil {
		return nil
	}
	e := dav.Violated(http.StatusLocked, dav.D("no-conflicting-lock"), "it is locked already")
	e.Hrefs = hrefs
	return e
}

// refreshLock lets locks that the If header names last longer (RFC 4918 §9.10.2).
func (x *exchange) refreshLock() error {
	s, err := x.spot(x.at)
	if err != nil {
		return err
	}
	var refreshed []shelf.Lock
	err = x.change("Refresh lock of "+s.root, []string{s.owner}, func(of views, edits map[string]*shelf.Edit) error {
		g, err := x.guard(of)
		if err != nil {
			return err
		}
		if len(g.tokens) == 0 {
			return dav.Errorf(http.StatusBadRequest, "LOCK needs a body, or an If header that names a lock")
		}
		if err := x.stillWrites(of); err != nil {
			return err
		}
		all, err := edits[s.owner].Locks()
		if err != nil {
			return err
		}
		refreshed = nil
		for i := range all {
			l := &all[i]
			if covers(*l, s.root) && l.Principal == x.user.Name && slices.Contains(g.tokens, l.Token) {
				l.Expires = x.expiry()
				refreshed = append(refreshed, *l)
			}
		}
		if refreshed == nil {
			return dav.Violated(http.StatusPreconditionFailed, dav.D("lock-token-matches-request-uri"), "no such lock is on it")
		}
		return edits[s.owner].SetLocks(all)
	})
	if err != nil {
		return err
	}
	return x.answerLocks(http.StatusOK, refreshed, s.owner)
}

// stillWrites makes sure that who has made a lock may still change what it is on: a
// collection may not be shared with them any more.
func (x *exchange) stillWrites(of views) error {
	n, err := x.find(x.at, of)
	if absent(err) && leaves.has(x.at.kind) {
		n, err = x.find(x.at.parent(), of)
	}
	if err != nil {
		return err
	}
	return n.require(n.access >= accessWrite, dav.D("write-content"))
}

// unlock answers UNLOCK (RFC 4918 §9.11).
func (x *exchange) unlock() error {
	token, err := dav.ParseLockToken(x.r.Header)
	if err != nil {
		return err
	}
	s, err := x.spot(x.at)
	if err != nil {
		return err
	}
	err = x.change("Unlock "+s.root, []string{s.owner}, func(of views, edits map[string]*shelf.Edit) error {
		if _, err := x.guard(of); err != nil {
			return err
		}
		all, err := edits[s.owner].Locks()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(l shelf.Lock) bool { return l.Token == token && covers(l, s.root) })
		if i < 0 {
			return dav.Violated(http.StatusConflict, dav.D("lock-token-matches-request-uri"), "no such lock is on it")
		}
		if all[i].Principal != x.user.Name && s.owner != x.user.Name {
			return dav.Errorf(http.StatusForbidden, "the lock is somebody else's")
		}
		return edits[s.owner].SetLocks(slices.Delete(slices.Clone(all), i, i+1))
	})
	if err != nil {
		return err
	}
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}
