package gitwire

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"strconv"

	"cairn/store"
	"cairn/store/object"
)

// A graph holds the commits that one request has come across: what links them
// and nothing else, about 150 bytes each. Commits are numbered in the order of
// their discovery and read when they are needed. One goroutine uses it.
type graph struct {
	objs  store.Objects
	index map[store.Hash]int32
	nodes []commitNode
}

type commitNode struct {
	hash    store.Hash
	tree    store.Hash
	date    int64 // the committer's, seconds since 1970
	parents []int32
	loaded  bool
	marks   commitMark
}

// A commitMark is a set of what the walks have found out about a commit. Each
// walk has marks of its own.
type commitMark uint16

const (
	markReached commitMark = 1 << iota // reach: reachable from the view's refs
	markTheirs                         // negotiation: the client has it
	markKnown                          // negotiation: it descends from something the client has
	markShallow                        // depth: the client will have it without its parents
	markDeep                           // depth: the client will have it with its parents
)

func newGraph(objs store.Objects) *graph {
	return &graph{objs: objs, index: make(map[store.Hash]int32)}
}

// number returns the commit's number, whether or not it has been read.
func (g *graph) number(h store.Hash) int32 {
	i, ok := g.index[h]
	if !ok {
		i = int32(len(g.nodes))
		g.nodes = append(g.nodes, commitNode{hash: h})
		g.index[h] = i
	}
	return i
}

// load makes sure that commit i has been read.
func (g *graph) load(ctx context.Context, i int32) error {
	if g.nodes[i].loaded {
		return nil
	}
	h := g.nodes[i].hash
	o, err := g.objs.Object(ctx, h)
	if err != nil {
		return fmt.Errorf("read commit %s: %w", h, err)
	}
	if o.Type != object.TypeCommit {
		return fmt.Errorf("read commit %s: it is a %s", h, o.Type)
	}
	tree, parents, date, ok := commitLinks(o.Data)
	if !ok {
		return fmt.Errorf("read commit %s: malformed", h)
	}
	var numbers []int32
	for _, p := range parents {
		numbers = append(numbers, g.number(p))
	}
	n := &g.nodes[i]
	n.tree, n.parents, n.date, n.loaded = tree, numbers, date, true
	return nil
}

// mark adds marks and reports whether any of them is new.
func (g *graph) mark(i int32, m commitMark) bool {
	if g.nodes[i].marks&m == m {
		return false
	}
	g.nodes[i].marks |= m
	return true
}

func (g *graph) markAll(commits []int32, m commitMark) {
	for _, i := range commits {
		g.nodes[i].marks |= m
	}
}

func (g *graph) has(i int32, m commitMark) bool { return g.nodes[i].marks&m != 0 }

// peel follows tags from h and returns the tags passed and the object at the
// end with its type.
func (g *graph) peel(ctx context.Context, h store.Hash) (tags []store.Hash, end store.Hash, t object.Type, err error) {
	for range maxTagChain {
		if i, ok := g.index[h]; ok && g.nodes[i].loaded {
			return tags, h, object.TypeCommit, nil
		}
		t, _, err := g.objs.Stat(ctx, h)
		if err != nil {
			return nil, h, 0, fmt.Errorf("look at object %s: %w", h, err)
		}
		if t != object.TypeTag {
			return tags, h, t, nil
		}
		o, err := g.objs.Object(ctx, h)
		if err != nil {
			return nil, h, 0, fmt.Errorf("read tag %s: %w", h, err)
		}
		target, _, ok := hexLine(o.Data, "object ")
		if !ok {
			return nil, h, 0, fmt.Errorf("read tag %s: malformed", h)
		}
		tags = append(tags, h)
		h = target
	}
	return nil, h, 0, fmt.Errorf("tag %s: more than %d tags of tags", h, maxTagChain)
}

// maxTagChain is how many tags may tag one another.
const maxTagChain = 64

// commitLinks reads what a commit is linked to from its first lines, and the
// committer's date. It allocates nothing but the parents.
func commitLinks(data []byte) (tree store.Hash, parents []store.Hash, date int64, ok bool) {
	tree, data, ok = hexLine(data, "tree ")
	if !ok {
		return tree, nil, 0, false
	}
	for {
		p, rest, more := hexLine(data, "parent ")
		if !more {
			break
		}
		parents = append(parents, p)
		data = rest
	}
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		if len(line) == 0 {
			break
		}
		if who, ok := bytes.CutPrefix(line, []byte("committer ")); ok {
			return tree, parents, signatureDate(who), true
		}
		data = rest
	}
	return tree, parents, 0, true
}

// hexLine reads one line made of a word and a hash.
func hexLine(data []byte, word string) (h store.Hash, rest []byte, ok bool) {
	after, ok := bytes.CutPrefix(data, []byte(word))
	if !ok || len(after) < 2*len(h)+1 || after[2*len(h)] != '\n' {
		return h, data, false
	}
	h, ok = parseHash(after[:2*len(h)])
	return h, after[2*len(h)+1:], ok
}

// signatureDate reads the seconds of "Name <mail> seconds zone", 0 when there
// are none: old commits with broken dates exist and have to be walked too.
func signatureDate(who []byte) int64 {
	fields := bytes.Fields(who[bytes.LastIndexByte(who, '>')+1:])
	if len(fields) == 0 {
		return 0
	}
	seconds, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return seconds
}

// parseHash reads exactly 40 hexadecimal digits.
func parseHash[T string | []byte](s T) (h store.Hash, ok bool) {
	if len(s) != 2*len(h) {
		return h, false
	}
	for i := range h {
		hi, lo := hexDigit(s[2*i]), hexDigit(s[2*i+1])
		if hi|lo > 15 {
			return store.Hash{}, false
		}
		h[i] = hi<<4 | lo
	}
	return h, true
}

// hexDigit returns a digit's value, 255 when it is none.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// A commitQueue yields commits newest first (a binary heap by date, then by
// the order of discovery).
type commitQueue struct {
	g    *graph
	heap []int32
}

func (q *commitQueue) len() int { return len(q.heap) }

// newest is the date of the commit that pop would return.
func (q *commitQueue) newest() int64 { return q.g.nodes[q.heap[0]].date }

func (q *commitQueue) before(a, b int32) bool {
	da, db := q.g.nodes[a].date, q.g.nodes[b].date
	return da > db || da == db && a < b
}

// push adds a commit that has been loaded.
func (q *commitQueue) push(i int32) {
	q.heap = append(q.heap, i)
	for at := len(q.heap) - 1; at > 0; {
		up := (at - 1) / 2
		if !q.before(q.heap[at], q.heap[up]) {
			break
		}
		q.heap[at], q.heap[up] = q.heap[up], q.heap[at]
		at = up
	}
}

func (q *commitQueue) pop() int32 {
	top, last := q.heap[0], len(q.heap)-1
	q.heap[0] = q.heap[last]
	q.heap = q.heap[:last]
	for at := 0; ; {
		next := 2*at + 1
		if next >= last {
			break
		}
		if next+1 < last && q.before(q.heap[next+1], q.heap[next]) {
			next++
		}
		if !q.before(q.heap[next], q.heap[at]) {
			break
		}
		q.heap[at], q.heap[next] = q.heap[next], q.heap[at]
		at = next
	}
	return top
}

// eachEntry calls f with each entry of a tree; name and hash are valid during
// the call. It stops at malformed bytes with an error.
func eachEntry(data []byte, f func(mode object.Mode, name []byte, h store.Hash) error) error {
	var h store.Hash
	for len(data) > 0 {
		var mode object.Mode
		i := 0
		for ; i < len(data) && i < 8 && '0' <= data[i] && data[i] <= '7'; i++ {
			mode = mode<<3 | object.Mode(data[i]-'0')
		}
		if i == 0 || i == len(data) || data[i] != ' ' {
			return errTree
		}
		data = data[i+1:]
		end := bytes.IndexByte(data, 0)
		if end < 1 || len(data) < end+1+len(h) {
			return errTree
		}
		copy(h[:], data[end+1:])
		if err := f(mode, data[:end], h); err != nil {
			return err
		}
		data = data[end+1+len(h):]
	}
	return nil
}

// errTree says that a tree's bytes are malformed.
var errTree = fmt.Errorf("malformed tree: %w", fs.ErrInvalid)

// isTree and isSubmodule look at the kind of entry only: old repositories hold
// modes with odd permission bits.
func isTree(m object.Mode) bool      { return m&0o170000 == 0o040000 }
func isSubmodule(m object.Mode) bool { return m&0o170000 == 0o160000 }
