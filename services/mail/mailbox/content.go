package mailbox

import (
	"fmt"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

// content is the messages of a mailbox.
type content struct {
	hash   store.Hash // of the mailbox's folder
	tops   []top
	groups []*group // none is empty, unless something is wrong with it
	ends   []int    // messages up to and with each group
	sums   sums
}

// A top is a folder of groups.
type top struct {
	numbered
	from, to int // in groups
}

// open reads a mailbox of a snapshot. Of what is known of an earlier or later version, only what differs is read.
func (b *Boxes) open(s *Snapshot, p *place) (*Mailbox, error) {
	m := &Mailbox{Info: s.info(p), tree: s.tree, dir: p.dir}
	key := contentKey{s.user, p.record.UIDValidity}
	known, ok := b.contents.get(key)
	if ok && known.hash == p.hash {
		m.content = *known
	} else {
		c, err := readContent(s.tree, p.dir, p.hash, known)
		if err != nil {
			return nil, fmt.Errorf("mailbox %q of %q: %w", p.name, s.user, err)
		}
		m.content = *c
		b.contents.put(key, c, c.cost())
	}
	m.Messages, m.Unseen, m.Deleted, m.Bytes = m.sums.messages, m.sums.unseen, m.sums.deleted, m.sums.bytes
	return m, nil
}

type contentKey struct {
	user     string
	validity uint32
}

func (c *content) cost() int64 {
	return int64(messageBytes*c.sums.messages + 200*len(c.groups) + 64*len(c.tops))
}

// readContent reads the messages of the mailbox in dir, whose folder's name is hash (Zero: there is none yet). What is
// the same in known need not be read; it may be nil.
func readContent(from reading, dir string, hash store.Hash, known *content) (*content, error) {
	c := &content{hash: hash}
	if hash == object.Zero {
		return c, nil
	}
	tops, err := subdirs(from, dir, parseTop)
	if err != nil {
		return nil, err
	}
	for _, t := range tops {
		if err := c.readTop(from, dir, t, known); err != nil {
			return nil, err
		}
	}
	for _, g := range c.groups {
		c.sums.join(g.sums)
		c.ends = append(c.ends, c.sums.messages)
	}
	return c, nil
}

func (c *content) readTop(from reading, dir string, t numbered, known *content) error {
	begin := len(c.groups)
	before := known.top(t.n)
	if before.hash == t.hash {
		c.groups = append(c.groups, known.groups[before.from:before.to]...)
	} else {
		topDir := dir + "/" + topName(t.n)
		list, err := subdirs(from, topDir, parseGroup)
		if err != nil {
			return err
		}
		for _, e := range list {
			if e.n/perTop != t.n {
				continue
			}
			g := known.group(before, e)
			if g == nil {
				if g, err = readGroup(from, topDir+"/"+groupName(e.n), e.n, e.hash); err != nil {
					return err
				}
			}
			c.groups = append(c.groups, g)
		}
	}
	c.tops = append(c.tops, top{t, begin, len(c.groups)})
	return nil
}

// top finds a folder of groups; one that is not known has no hash.
func (c *content) top(n uint32) top {
	if c != nil {
		if i, ok := slices.BinarySearchFunc(c.tops, n, func(t top, n uint32) int { return int(t.n) - int(n) }); ok {
			return c.tops[i]
		}
	}
	return top{}
}

// group finds a group of a top with this content, or nil.
func (c *content) group(in top, e numbered) *group {
	if c == nil {
		return nil
	}
	groups := c.groups[in.from:in.to]
	i, ok := slices.BinarySearchFunc(groups, e.n, func(g *group, n uint32) int { return int(g.n) - int(n) })
	if ok && groups[i].tree == e.hash {
		return groups[i]
	}
	return nil
}
