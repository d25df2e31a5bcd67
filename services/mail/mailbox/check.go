package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// maxPushed is how many files and folders of a push are looked at: a hostile tree names one folder many times.
const maxPushed = 1 << 20

// How high numbers may be that come by a push: some must be left to be given out.
const (
	maxPushedUID      = 1 << 31
	maxPushedModSeq   = 1 << 62
	maxPushedValidity = 1<<32 - 1<<20
)

// Check says what is wrong with a push to a user's branch that makes new of old (nil: the branch is made), in words for the
// pusher: a file that cannot be read, a message that was changed, a UID or a UIDVALIDITY that was used before, a
// number that goes back. To remove mail is always allowed, and to leave the numbers of that to Settle, which has to
// be called when the push has been accepted. Check costs what has changed.
func Check(ctx context.Context, old, new *store.Tree) error {
	c := checker{ctx: ctx, old: old, new: new}
	known := newCache[store.Hash, *folder](4 << 20)
	was, err := readListing(old, known)
	if err != nil {
		return err
	}
	is, err := readListing(new, known)
	if err != nil {
		return err
	}
	if err := c.root(was, is); err != nil {
		return err
	}
	for _, dir := range is.odd {
		if !slices.Contains(was.odd, dir) {
			return wrongFolder(dir)
		}
	}
	return c.places(was, is)
}

func wrongFolder(dir string) error {
	name := path.Base(dir)
	switch better := folderName(name); {
	case strings.Count(dir, "/") > maxDepth:
		return fmt.Errorf("%s lies too deep: there are %d levels at most", dir, maxDepth)
	case better != name:
		return fmt.Errorf("%s: a mailbox's folder cannot be called that: rename it to %q", dir, better)
	}
	return fmt.Errorf("%s: a mailbox's folder cannot be called that: rename it", dir)
}

type checker struct {
	ctx      context.Context // of the one Check that the checker lives for
	old, new *store.Tree
	seen     int
	written  uint32 // UIDVALIDITY in mail.toml of new
}

// look counts what is looked at.
func (c *checker) look() error {
	if c.seen++; c.seen > maxPushed {
		return fmt.Errorf("%d files at once are too many: push in several steps", maxPushed)
	}
	return c.ctx.Err()
}

// root judges mail.toml, and what has to be there.
func (c *checker) root(was, is listing) error {
	if was.there && !is.there {
		return fmt.Errorf("%s is missing: put it back", rootFile)
	}
	written, _, err := readRoot(c.new, true)
	if err != nil {
		return err
	}
	c.written = written.UIDValidity
	if e, err := c.new.Lookup(boxesDir); err == nil && e.Mode != object.ModeDir {
		return fmt.Errorf("%s has to be a folder", boxesDir)
	}
	if c.written > maxPushedValidity {
		return fmt.Errorf("%s: uid_validity %d is too high: %d at most", rootFile, c.written, uint32(maxPushedValidity))
	}
	if is.there && was.there && c.written < was.root.UIDValidity {
		return fmt.Errorf("%s: uid_validity goes back from %d to %d: it may only grow", rootFile, was.root.UIDValidity, c.written)
	}
	if was.there && !is.all[0].loose && is.all[0].imagined && !was.all[0].imagined {
		return fmt.Errorf("%s is missing: INBOX cannot be removed, only the messages in it", dirOf(Inbox))
	}
	return nil
}

// places judges the mailboxes.
func (c *checker) places(was, is listing) error {
	before := map[uint32]*place{} // by UIDVALIDITY
	for i := range was.all {
		if p := &was.all[i]; p.record != nil && !p.imagined {
			before[p.record.UIDValidity] = p
		}
	}
	limit := uint32(0)
	if was.there {
		limit = was.root.UIDValidity
	}
	now := map[uint32]*place{}
	for i := range is.all {
		p := &is.all[i]
		var from *place
		if p.hash == object.Zero {
			continue
		}
		if r := p.record; r != nil && !p.imagined {
			from = before[r.UIDValidity]
			at := p.dir + "/" + recordFile
			if twin := now[r.UIDValidity]; twin != nil {
				return fmt.Errorf("%s: %s has the same uid_validity: leave the file out of a copied mailbox, and it is made anew", at, twin.dir)
			}
			now[r.UIDValidity] = p
			if from == nil && r.UIDValidity <= limit {
				return fmt.Errorf("%s: a mailbox had the uid_validity %d before: leave the file out, and it is made anew", at, r.UIDValidity)
			}
			switch {
			case !is.there:
				return fmt.Errorf("%s is missing: put it back, or leave out %s", rootFile, at)
			case r.UIDValidity > c.written:
				return fmt.Errorf("%s: uid_validity is %d, less than the %d of %s", rootFile, c.written, r.UIDValidity, at)
			}
		}
		if from != nil && from.hash == p.hash {
			continue
		}
		if err := c.mailbox(p, from); err != nil {
			return err
		}
	}
	return nil
}

// mailbox judges a mailbox that was from (nil: it is new).
func (c *checker) mailbox(p, from *place) error {
	at := p.dir + "/" + recordFile
	var rec, was *record
	if p.record != nil && !p.imagined {
		rec = p.record
	}
	if from != nil {
		was = from.record
	}
	for e, err := range c.new.Entries(p.dir) {
		if err == nil {
			err = c.entry(p.dir, e)
		}
		if err != nil {
			return err
		}
	}
	if rec != nil {
		if err := numbers(rec, was); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	b := boxCheck{checker: c, dir: p.dir, rec: rec, was: was}
	if from != nil {
		b.oldDir = from.dir
	}
	return b.tops()
}

// numbers judges a record that was another (nil: none).
func numbers(rec, was *record) error {
	if was == nil {
		was = &record{}
	}
	switch {
	case rec.UIDNext < was.UIDNext:
		return fmt.Errorf("uid_next goes back from %d to %d: it may only grow", was.UIDNext, rec.UIDNext)
	case rec.ModSeq < was.ModSeq:
		return fmt.Errorf("modseq goes back from %d to %d: it may only grow", was.ModSeq, rec.ModSeq)
	case rec.UIDNext > max(maxPushedUID, was.UIDNext):
		return fmt.Errorf("uid_next %d is too high: %d at most", rec.UIDNext, maxPushedUID)
	case rec.ModSeq > max(maxPushedModSeq, was.ModSeq):
		return fmt.Errorf("modseq %d is too high: %d at most", rec.ModSeq, uint64(maxPushedModSeq))
	}
	return nil
}

// entry judges what lies in a mailbox's folder.
func (c *checker) entry(dir string, e object.Entry) error {
	if err := c.look(); err != nil {
		return err
	}
	at := dir + "/" + e.Name
	_, top := parseTop(e.Name)
	switch {
	case e.Name == recordFile:
		data, _, err := c.new.Blob(at)
		if err == nil {
			_, err = parseRecord(data, true)
		}
		if err != nil || !isFile(e) {
			return fmt.Errorf("%s cannot be read: put it back, or leave it out: %w", at, errors.Join(err, notFile(e)))
		}
	case top && e.Mode != object.ModeDir:
		return fmt.Errorf("%s has to be a folder", at)
	case strings.HasSuffix(strings.ToLower(e.Name), rawExt) && e.Mode != object.ModeDir:
		return c.size(at, e)
	}
	return nil
}

func notFile(e object.Entry) error {
	if isFile(e) {
		return nil
	}
	return fs.ErrInvalid
}

// size refuses a message that cannot be served.
func (c *checker) size(at string, e object.Entry) error {
	if !isFile(e) {
		return fmt.Errorf("%s has to be a file", at)
	}
	n, err := c.new.BlobSize(e.Hash)
	if err == nil && n > store.MaxObject {
		err = fmt.Errorf("%d bytes, %d at most: %w", n, store.MaxObject, store.ErrTooLarge)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}
