package gitwire

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"

	"cairn/store"
)

// A packSender writes a selection as a pack. Objects are copied as they are
// stored, whole or as deltas; nothing is unpacked unless a delta's base is not
// at hand on the other side.
type packSender struct {
	objs   store.Objects
	packed store.Packed // nil when objs has no packs
	sel    *selection

	afar     bool // objects may be on the far side of a wire
	thin     bool // bases may be objects that only the client has
	ofsDelta bool // the client reads deltas that name their base by its place

	out     *packStream
	offsets []int64 // of each object in the pack, or one of the values below
	zlib    *zlib.Writer

	deltas, reused int
}

// Values of packSender.offsets that are no offsets; the first object stands at 12.
const (
	notWritten   = 0
	beingWritten = 1
)

// maxChain is how many bases are fetched in a row before a delta is unpacked.
const maxChain = 4096

// Types of pack entries that are no types of objects (gitformat-pack).
const (
	entryOfsDelta = 6
	entryRefDelta = 7
)

func newPackSender(objs store.Objects, sel *selection, w io.Writer, size int) *packSender {
	packed, _ := objs.(store.Packed)
	replicated, _ := objs.(store.Replicated)
	return &packSender{
		objs: objs, packed: packed, sel: sel,
		afar:    replicated != nil && replicated.Replica() != "",
		out:     &packStream{w: w, sum: sha1.New(), buf: make([]byte, 0, size)},
		offsets: make([]int64, len(sel.list)),
	}
}

// send writes the whole pack: commits newest first, then the rest in the reverse
// of the order in which it was found, which puts new things first.
func (p *packSender) send(ctx context.Context) error {
	n := len(p.sel.list)
	header := []byte{'P', 'A', 'C', 'K', 0, 0, 0, 2}
	p.out.write(binary.BigEndian.AppendUint32(header, uint32(n)))
	for k := range n {
		if k%window == 0 && p.afar {
			p.bring(ctx, k, min(k+window, n))
		}
		i := p.at(k)
		if err := p.object(ctx, int32(i), 0); err != nil {
			return fmt.Errorf("send %s: %w", p.sel.list[i], err)
		}
	}
	return p.out.close()
}

// at is where in the list the object is that has a turn.
func (p *packSender) at(turn int) int {
	if turn < p.sel.commits {
		return turn
	}
	return len(p.sel.list) - 1 - (turn - p.sel.commits)
}

// window is how many objects are brought at a time from the far side of a wire.
const window = 64

// bring looks at the objects of some turns, all at once, so that those which are not on this
// side come together. What goes wrong is told when they are read.
func (p *packSender) bring(ctx context.Context, from, to int) {
	var wg sync.WaitGroup
	for turn := from; turn < to; turn++ {
		wg.Go(func() { _, _, _ = p.objs.Stat(ctx, p.sel.list[p.at(turn)]) })
	}
	wg.Wait()
}

// object writes one object unless it has been written; before it the base that
// its delta needs.
func (p *packSender) object(ctx context.Context, i int32, chain int) error {
	if p.offsets[i] != notWritten {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p.offsets[i] = beingWritten
	h := p.sel.list[i]
	if p.packed == nil {
		return p.whole(ctx, i)
	}
	e, long, err := p.entry(ctx, h)
	if err != nil {
		return err
	}
	if long != nil {
		defer long.Close()
	}
	if e.Type == 0 {
		return p.whole(ctx, i)
	}
	if e.Base.IsZero() {
		p.offsets[i] = p.out.size
		p.header(byte(e.Type), e.Size)
		p.reused++
		return p.copy(e.Data, long)
	}
	at, sent := p.sel.position(e.Base)
	if sent && chain < maxChain {
		if err := p.object(ctx, at, chain+1); err != nil {
			return err
		}
	}
	switch {
	case sent && p.offsets[at] > beingWritten && p.ofsDelta:
		p.offsets[i] = p.out.size
		p.header(entryOfsDelta, e.Size)
		p.distance(p.offsets[i] - p.offsets[at])
	case sent && p.offsets[at] > beingWritten,
		p.thin && p.sel.index[e.Base] == clientHas:
		p.offsets[i] = p.out.size
		p.header(entryRefDelta, e.Size)
		p.out.write(e.Base[:])
	default:
		return p.whole(ctx, i)
	}
	p.reused++
	p.deltas++
	return p.copy(e.Data, long)
}

// maxReopen is how often an entry is asked for again when its pack has gone
// before it could be opened.
const maxReopen = 3

// entry returns an object as it is stored, and the reader of a long one. The
// type is 0 when it is not stored in a form that a pack could hold.
func (p *packSender) entry(ctx context.Context, h store.Hash) (e store.Entry, long io.ReadCloser, err error) {
	for range maxReopen {
		var ok bool
		e, ok, err = p.packed.Entry(ctx, h)
		if err != nil || !ok {
			return store.Entry{}, nil, err
		}
		if e.Data != nil || e.Reader == nil {
			return e, nil, nil
		}
		long, err = e.Reader()
		if !errors.Is(err, store.ErrTemporary) {
			break
		}
	}
	return e, long, err
}

// copy writes an entry's zlib stream as it is.
func (p *packSender) copy(data []byte, long io.Reader) error {
	p.out.write(data)
	if long == nil {
		return p.out.err
	}
	_, err := io.Copy(p.out, long)
	return err
}

// streamed is the size in bytes from which objects are compressed as a stream.
const streamed = 1 << 20

// whole unpacks an object and compresses it anew.
func (p *packSender) whole(ctx context.Context, i int32) error {
	h := p.sel.list[i]
	t, size, err := p.objs.Stat(ctx, h)
	if err != nil {
		return err
	}
	p.offsets[i] = p.out.size
	p.header(byte(t), size)
	if p.zlib == nil {
		if p.zlib, err = zlib.NewWriterLevel(p.out, zlib.BestSpeed); err != nil {
			return err
		}
	} else {
		p.zlib.Reset(p.out)
	}
	n, err := p.content(ctx, h, size)
	if err == nil && n != size {
		err = fmt.Errorf("%d bytes where %d were announced", n, size)
	}
	if err != nil {
		return err
	}
	return p.zlib.Close()
}

func (p *packSender) content(ctx context.Context, h store.Hash, size int64) (int64, error) {
	if size < streamed {
		o, err := p.objs.Object(ctx, h)
		if err != nil {
			return 0, err
		}
		n, err := p.zlib.Write(o.Data)
		return int64(n), err
	}
	r, err := p.objs.Open(ctx, h)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(p.zlib, r)
}

// header writes an entry's type and size: four bits of the size, then seven a
// byte.
func (p *packSender) header(t byte, size int64) {
	var b [10]byte
	c, n := t<<4|byte(size&15), 0
	for size >>= 4; size > 0; size >>= 7 {
		b[n] = c | 0x80
		c = byte(size & 0x7f)
		n++
	}
	b[n] = c
	p.out.write(b[:n+1])
}

// distance writes how far back a delta's base stands.
func (p *packSender) distance(d int64) {
	var b [10]byte
	n := len(b) - 1
	b[n] = byte(d & 0x7f)
	for d >>= 7; d > 0; d >>= 7 {
		d--
		n--
		b[n] = 0x80 | byte(d&0x7f)
	}
	p.out.write(b[n:])
}
