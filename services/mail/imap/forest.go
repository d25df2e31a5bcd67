package imap

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"cairn/services/mail/message"
	"cairn/services/mail/search"
)

// A forest is the threads of what was found. Node 0 is above all others. A dummy is a message
// that is only referred to, or stands for a subject.
type forest struct {
	nodes []treeNode
	ids   map[string]int32 // message identifier → node
}

type treeNode struct {
	hit     int32 // index of the message in what was found; -1 for a dummy
	parent  int32
	below   []int32
	date    int64
	subject string // base subject
	reply   bool   // the subject is that of a reply or forward
}

// Bounds of threads: what lies deeper begins a thread of its own, and only the last references of a message
// count.
const (
	maxThreadDepth = 500
	maxThreadRefs  = 30
)

func newForest(n int) *forest {
	return &forest{nodes: make([]treeNode, 1, n+1), ids: make(map[string]int32, n)}
}

func (f *forest) newNode() int32 {
	f.nodes = append(f.nodes, treeNode{hit: -1})
	return int32(len(f.nodes) - 1)
}

// named returns the node of a message identifier.
func (f *forest) named(id string) int32 {
	i, ok := f.ids[id]
	if !ok {
		i = f.newNode()
		f.ids[id] = i
	}
	return i
}

// A letter is what threads are made by.
type letter struct {
	id, subject string // base subject
	reply       bool   // the subject is that of a reply or forward
	date        int64
	references  []string // the last ones
}

func newLetter(m hit, h message.Header) letter {
	base, reply := message.BaseSubject(h.Text("Subject"))
	l := letter{id: strings.Clone(h.MessageID()), subject: short(search.Fold(base)), reply: reply, date: sent(m, h).Unix()}
	refs := h.References()
	for _, id := range refs[max(0, len(refs)-maxThreadRefs):] {
		l.references = append(l.references, strings.Clone(id))
	}
	return l
}

// add puts in the k-th message that was found.
func (f *forest) add(k int, l *letter) int32 {
	var i int32
	if l.id != "" {
		i = f.named(l.id)
	}
	if i == 0 || f.nodes[i].hit >= 0 { // nobody else's identifier
		i = f.newNode()
	}
	n := &f.nodes[i]
	n.hit, n.date, n.subject, n.reply = int32(k), l.date, l.subject, l.reply
	return i
}

// refer puts a message below those that it refers to (REFERENCES, step 1).
func (f *forest) refer(i int32, refs []string) {
	parent := int32(0)
	for _, id := range refs {
		ref := f.named(id)
		if f.nodes[ref].parent == 0 {
			f.link(ref, parent)
		}
		parent = ref
	}
	f.nodes[i].parent = 0
	f.link(i, parent)
}

// link makes a node the child of another, unless that is below it.
func (f *forest) link(child, parent int32) {
	depth := 0
	for p := parent; p != 0; p = f.nodes[p].parent {
		if depth++; p == child || depth > maxThreadDepth {
			return
		}
	}
	f.nodes[child].parent = parent
}

// byReferences makes threads of what was linked (REFERENCES, steps 2 to 6).
func (f *forest) byReferences() {
	for i := 1; i < len(f.nodes); i++ {
		p := &f.nodes[f.nodes[i].parent]
		p.below = append(p.below, int32(i))
	}
	order := f.order()
	for _, i := range slices.Backward(order) {
		f.prune(i)
	}
	f.sortAll()
	f.mergeSubjects()
	f.sortAll()
}

// order lists all nodes, each before those below it.
func (f *forest) order() []int32 {
	order := []int32{0}
	for k := 0; k < len(order); k++ {
		order = append(order, f.nodes[order[k]].below...)
	}
	return order
}

// prune takes the dummies out that are right below a node, but at the top those with several messages.
func (f *forest) prune(i int32) {
	var kept []int32
	for _, k := range f.nodes[i].below {
		below := f.nodes[k].below
		if f.nodes[k].hit < 0 && (len(below) < 2 || i != 0) {
			kept = append(kept, below...)
		} else {
			kept = append(kept, k)
		}
	}
	f.nodes[i].below = kept
}

// sortAll sorts what is below each node by date; a dummy has that of the first below it.
func (f *forest) sortAll() {
	for _, i := range slices.Backward(f.order()) {
		n := &f.nodes[i]
		slices.SortStableFunc(n.below, func(a, b int32) int {
			x, y := &f.nodes[a], &f.nodes[b]
			return cmp.Or(cmp.Compare(x.date, y.date), cmp.Compare(f.first(a), f.first(b)))
		})
		if n.hit < 0 && len(n.below) > 0 {
			n.date = f.nodes[n.below[0]].date
		}
	}
}

// first is the message of a node or, of a dummy, the first below it.
func (f *forest) first(i int32) int32 {
	for f.nodes[i].hit < 0 && len(f.nodes[i].below) > 0 {
		i = f.nodes[i].below[0]
	}
	return f.nodes[i].hit
}

// titled is the node whose subject a thread has.
func (f *forest) titled(i int32) *treeNode {
	if n := &f.nodes[i]; n.hit >= 0 || len(n.below) == 0 {
		return n
	}
	return &f.nodes[f.nodes[i].below[0]]
}

// mergeSubjects makes one of threads with one subject (REFERENCES, step 5).
func (f *forest) mergeSubjects() {
	table := map[string]int32{}
	for _, i := range f.nodes[0].below {
		title := f.titled(i)
		old, ok := table[title.subject]
		if !ok || f.nodes[i].hit < 0 && f.nodes[old].hit >= 0 || f.titled(old).reply && !title.reply {
			table[title.subject] = i
		}
	}
	var top []int32
	place := map[int32]int{} // of a thread in top
	keep := func(i int32) {
		place[i] = len(top)
		top = append(top, i)
	}
	all := f.nodes[0].below
	for _, i := range all {
		if subject := f.titled(i).subject; subject == "" || table[subject] == i {
			keep(i)
		}
	}
	for _, i := range all {
		subject, reply := f.titled(i).subject, f.titled(i).reply
		into := table[subject]
		if subject == "" || into == i || f.nodes[into].hit < 0 && slices.Contains(f.nodes[into].below, i) {
			continue
		}
		switch n := &f.nodes[into]; {
		case n.hit < 0 && f.nodes[i].hit < 0:
			n.below = append(n.below, f.nodes[i].below...)
		case n.hit < 0, reply && !f.titled(into).reply:
			n.below = append(n.below, i)
		default:
			both := f.newNode()
			f.nodes[both].below = []int32{into, i}
			at := place[into]
			top[at], place[both], table[subject] = both, at, both
		}
	}
	f.nodes[0].below = top
}

// bySubject makes threads of messages with one subject: the first, and the others below it.
func (f *forest) bySubject() {
	all := make([]int32, 0, len(f.nodes)-1)
	for i := 1; i < len(f.nodes); i++ {
		all = append(all, int32(i))
	}
	f.nodes[0].below = all
	f.sortAll()
	table, top := map[string]int32{}, []int32(nil)
	for _, i := range f.nodes[0].below {
		if first, ok := table[f.nodes[i].subject]; ok {
			f.nodes[first].below = append(f.nodes[first].below, i)
			continue
		}
		table[f.nodes[i].subject] = i
		top = append(top, i)
	}
	f.nodes[0].below = top
}

// write writes the threads (RFC 5256 §4): those below each other with a space between them, those
// beside each other in parentheses.
func (f *forest) write(b []byte, number func(hit int32) uint32) []byte {
	for _, i := range f.nodes[0].below {
		b = append(f.writeThread(append(b, '('), i, number), ')')
	}
	return b
}

func (f *forest) writeThread(b []byte, i int32, number func(hit int32) uint32) []byte {
	for {
		n := &f.nodes[i]
		if n.hit >= 0 {
			b = strconv.AppendUint(b, uint64(number(n.hit)), 10)
		}
		if len(n.below) == 0 {
			return b
		}
		if n.hit >= 0 {
			b = append(b, ' ')
		}
		if len(n.below) == 1 {
			i = n.below[0]
			continue
		}
		for _, k := range n.below {
			b = append(f.writeThread(append(b, '('), k, number), ')')
		}
		return b
	}
}
