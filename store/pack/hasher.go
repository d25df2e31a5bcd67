package pack

import (
	"fmt"
	"sync"

	"github.com/pjbgf/sha1cd"

	"cairn/store/object"
)

const (
	slabBytes = 256 << 10
	slabs     = 4
)

// A hasher verifies whole objects in a goroutine of its own, so that the next ones
// can be inflated meanwhile. Objects go to it in slabs; a blob may be
// spread over several.
type hasher struct {
	rc   *receiver
	cur  *slab
	used int // slabs that are under way
	work chan *slab
	done chan *slab // each slab comes back through here, verified
	err  error
}

type slab struct {
	data   []byte
	pieces []piece
	err    error
}

// A piece is an object, or a part of a blob, in a slab.
type piece struct {
	rec         uint32
	typ         object.Type
	size        int64 // of the object
	n           int   // of the piece
	first, last bool
	hash        Hash // when last
}

// slabPool saves small packs from allocating slabs.
var slabPool = sync.Pool{New: func() any { return &slab{data: make([]byte, 0, slabBytes)} }}

func startHasher(rc *receiver) *hasher {
	hs := &hasher{rc: rc, work: make(chan *slab, slabs), done: make(chan *slab, slabs)}
	go hs.run()
	return hs
}

func (hs *hasher) run() {
	defer close(hs.done)
	d := sha1cd.New().(sha1cd.CollisionResistantHash)
	var head []byte
	for s := range hs.work {
		data := s.data
		for i := range s.pieces {
			p := &s.pieces[i]
			if p.first {
				d.Reset()
				head = object.AppendHeader(head[:0], p.typ, p.size)
				d.Write(head)
			}
			d.Write(data[:p.n])
			if p.last && s.err == nil {
				p.hash, s.err = sumOf(d)
				if s.err == nil && p.typ != object.TypeBlob {
					s.err = hs.rc.check(p.hash, p.typ, data[:p.n])
					hs.rc.recalled.add(p.rec, p.typ, data[:p.n])
				}
			}
			data = data[p.n:]
		}
		hs.done <- s
	}
}

// space returns room for an object of which left bytes are to come: all of
// them, or for a blob perhaps fewer.
func (hs *hasher) space(t object.Type, left int64) ([]byte, error) {
	room := slabBytes
	if hs.cur != nil {
		room -= len(hs.cur.data)
	}
	if hs.cur == nil || room == 0 || int64(room) < left && t != object.TypeBlob {
		hs.send()
		hs.take()
		room = slabBytes
	}
	if hs.err != nil {
		return nil, hs.err
	}
	n := len(hs.cur.data)
	hs.cur.data = hs.cur.data[:n+int(min(int64(room), left))]
	return hs.cur.data[n:], nil
}

func (hs *hasher) put(p piece) { hs.cur.pieces = append(hs.cur.pieces, p) }

func (hs *hasher) send() {
	if hs.cur != nil {
		hs.work <- hs.cur
		hs.cur = nil
	}
}

// take gets a new slab, or one that comes back and the hashes with it.
func (hs *hasher) take() {
	if hs.used < slabs {
		hs.used++
		hs.cur = slabPool.Get().(*slab)
		return
	}
	hs.cur = <-hs.done
	hs.settle(hs.cur)
}

func (hs *hasher) settle(s *slab) {
	for i := range s.pieces {
		if p := &s.pieces[i]; p.last {
			hs.rc.records[p.rec].hash = p.hash
		}
	}
	if hs.err == nil {
		hs.err = s.err
	}
	s.data, s.pieces, s.err = s.data[:0], s.pieces[:0], nil
}

// finish waits for all slabs and ends the goroutine.
func (hs *hasher) finish() error {
	hs.send()
	close(hs.work)
	for s := range hs.done {
		hs.settle(s)
		slabPool.Put(s)
	}
	return hs.err
}

// verify hashes and checks an object.
func (rc *receiver) verify(t object.Type, data []byte) (Hash, error) {
	d := sha1cd.New().(sha1cd.CollisionResistantHash)
	var head [32]byte
	d.Write(object.AppendHeader(head[:0], t, int64(len(data))))
	d.Write(data)
	h, err := sumOf(d)
	if err == nil {
		err = rc.check(h, t, data)
	}
	return h, err
}

func (rc *receiver) check(h Hash, t object.Type, data []byte) (err error) {
	if t == object.TypeTree {
		err = object.CheckTree(data, rc.noteSpecial)
	} else {
		err = object.Check(t, data)
	}
	if err != nil {
		return fmt.Errorf("object %s: %w", h, err)
	}
	return nil
}

func sumOf(d sha1cd.CollisionResistantHash) (h Hash, err error) {
	sum, collision := d.CollisionResistantSum(nil)
	copy(h[:], sum)
	if collision {
		return h, fmt.Errorf("object %s is part of a SHA-1 collision attack", h)
	}
	return h, nil
}
