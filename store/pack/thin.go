package pack

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
)

// completeThin resolves the deltas whose bases are not in the pack, and appends those.
func (rc *receiver) completeThin() error {
	bases := make([]Hash, 0, len(rc.byHash))
	for h := range rc.byHash {
		bases = append(bases, h)
	}
	slices.SortFunc(bases, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	before := len(rc.records)
	for _, h := range bases {
		if rc.byHash[h] == 0 {
			continue // made by another delta in the meantime
		}
		// One that nobody has may still come out of a delta on another base.
		if err := rc.completeBase(h); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("delta base %s: %w", h, err)
		}
	}
	if rc.unsolved.Load() > 0 {
		return rc.unresolved(bases)
	}
	if len(rc.records) == before {
		return nil
	}
	return rc.reseal()
}

// unresolved names a base that is nowhere.
func (rc *receiver) unresolved(bases []Hash) error {
	for _, h := range bases {
		if rc.byHash[h] != 0 {
			return formatError("%d deltas without a base, such as %s", rc.unsolved.Load(), h)
		}
	}
	return formatError("%d deltas without a base", rc.unsolved.Load())
}

func (rc *receiver) completeBase(h Hash) error {
	if rc.base == nil {
		return fs.ErrNotExist
	}
	o, err := rc.base(rc.ctx, h)
	if err != nil {
		return err
	}
	if o.Hash() != h {
		return errors.New("the repository's copy is damaged")
	}
	head := entryHeader{typ: o.Type, size: int64(len(o.Data))}
	entry := deflate(head.append(nil), o.Data, Fast)
	if _, err := rc.spool.WriteAt(entry, rc.end); err != nil {
		return fmt.Errorf("spool pack: %w", err)
	}
	rc.records = append(rc.records, record{hash: h, typ: o.Type, size: head.size, off: rc.end, crc: crc32.ChecksumIEEE(entry)})
	rc.end += int64(len(entry))
	me := uint32(len(rc.records) - 1)
	rc.adopt(me)
	r := &resolver{receiver: rc, ctx: rc.ctx}
	return r.tree(me, content{data: append([]byte{}, o.Data...)})
}

// reseal writes the number of objects and the checksum anew.
func (rc *receiver) reseal() error {
	head := appendPackHeader(nil, uint32(len(rc.records)))
	if _, err := rc.spool.WriteAt(head, 0); err != nil {
		return fmt.Errorf("spool pack: %w", err)
	}
	sum := sha1.New()
	if _, err := io.Copy(sum, io.NewSectionReader(rc.spool, 0, rc.end)); err != nil {
		return fmt.Errorf("read spooled pack: %w", err)
	}
	sum.Sum(rc.sum[:0])
	if _, err := rc.spool.WriteAt(rc.sum[:], rc.end); err != nil {
		return fmt.Errorf("spool pack: %w", err)
	}
	return nil
}
