package mailbox

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// A Mailbox is one mailbox of a Snapshot: immutable, safe for concurrent use, and cheap to hold: what has not
// changed is shared with its other versions.
type Mailbox struct {
	Info // with sums that are counted

	tree *store.Tree
	dir  string
	content
}

// Len is how many messages there are.
func (m *Mailbox) Len() int { return m.sums.messages }

// At returns the i-th message by UID, from 0: that of the sequence number i+1.
func (m *Mailbox) At(i int) Message {
	k, _ := slices.BinarySearch(m.ends, i+1)
	g := m.groups[k]
	return m.served(g.msgs[i-(m.ends[k]-len(g.msgs))])
}

// served is a message as others see it: one that has no modseq yet has the highest.
func (m *Mailbox) served(msg Message) Message {
	if msg.ModSeq == 0 {
		msg.ModSeq = m.HighestModSeq
	}
	return msg
}

// Find returns the index of the message of this UID, or of the first one after it and false.
func (m *Mailbox) Find(uid UID) (i int, ok bool) {
	n := groupOf(uid)
	k := sort.Search(len(m.groups), func(i int) bool { return m.groups[i].n >= n })
	if k == len(m.groups) {
		return m.Len(), false
	}
	g := m.groups[k]
	first := m.ends[k] - len(g.msgs)
	i, ok = slices.BinarySearchFunc(g.msgs, uid, func(m Message, uid UID) int { return int(int64(m.UID) - int64(uid)) })
	return first + i, ok
}

// All yields index and message, by UID.
func (m *Mailbox) All() iter.Seq2[int, Message] { return m.From(0) }

// From yields the messages from the i-th on.
func (m *Mailbox) From(i int) iter.Seq2[int, Message] {
	return func(yield func(int, Message) bool) {
		k, _ := slices.BinarySearch(m.ends, i+1)
		at := i
		for ; k < len(m.groups); k++ {
			g := m.groups[k]
			for _, msg := range g.msgs[at-(m.ends[k]-len(g.msgs)):] {
				if !yield(at, m.served(msg)) {
					return
				}
				at++
			}
		}
	}
}

// FirstUnseen is the index of the first message without \Seen, or -1.
func (m *Mailbox) FirstUnseen() int {
	for k, g := range m.groups {
		if g.unseen > 0 {
			i := slices.IndexFunc(g.msgs, func(msg Message) bool { return !msg.Flags.Has(Seen) })
			return m.ends[k] - len(g.msgs) + i
		}
	}
	return -1
}

// Keywords lists the keywords that messages have, sorted.
func (m *Mailbox) Keywords() []Flag {
	seen := map[Flags]bool{}
	var list []Flag
	for _, g := range m.groups {
		for i := range g.msgs {
			f := g.msgs[i].Flags
			if seen[f] {
				continue
			}
			seen[f] = true
			for flag := range f.All() {
				if !strings.HasPrefix(string(flag), `\`) {
					list = append(list, flag)
				}
			}
		}
	}
	slices.SortFunc(list, compareFlags)
	return slices.CompactFunc(list, func(a, b Flag) bool { return compareFlags(a, b) == 0 })
}

// Content reads a message of the mailbox.
func (m *Mailbox) Content(ctx context.Context, msg Message) (Content, error) {
	if err := ctx.Err(); err != nil {
		return Content{}, err
	}
	c, err := readMessage(m.tree, m.dir, msg)
	if err != nil {
		return Content{}, fmt.Errorf("message %d of mailbox %q: %w", msg.UID, m.Name, err)
	}
	return c, nil
}

func readMessage(from reading, dir string, msg Message) (Content, error) {
	raw, _, err := from.Blob(rawPath(dir, msg.UID))
	if err != nil {
		return Content{}, err
	}
	var trace []byte
	if msg.Trace != object.Zero {
		if trace, _, err = from.Blob(tracePath(dir, msg.UID)); err != nil {
			return Content{}, err
		}
	}
	return newContent(trace, raw, msg.hide)
}
