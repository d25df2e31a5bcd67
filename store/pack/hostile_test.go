package pack_test

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"cairn/store/object"
	"cairn/store/pack"
)

// A builder makes packs that no honest writer would.
type builder struct {
	b     []byte
	count uint32
}

func (b *builder) offset() int { return 12 + len(b.b) }

// entry adds an entry of a type and declared size; ref goes between header and stream.
func (b *builder) entry(typ byte, size int, ref, data []byte) (offset int) {
	offset = b.offset()
	c := typ<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		b.b = append(b.b, c|0x80)
		c = byte(size & 0x7f)
	}
	b.b = append(append(b.b, c), ref...)
	var z bytes.Buffer
	w, _ := zlib.NewWriterLevel(&z, 9)
	w.Write(data)
	w.Close()
	b.b = append(b.b, z.Bytes()...)
	b.count++
	return offset
}

func (b *builder) blob(data string) int { return b.entry(3, len(data), nil, []byte(data)) }

func (b *builder) ofs(base int, delta []byte) int {
	return b.entry(6, len(delta), distance(b.offset()-base), delta)
}

func (b *builder) ref(base object.Hash, delta []byte) int {
	return b.entry(7, len(delta), base[:], delta)
}

func distance(d int) []byte {
	out := []byte{byte(d & 0x7f)}
	for d >>= 7; d > 0; d >>= 7 {
		d--
		out = append([]byte{byte(d&0x7f) | 0x80}, out...)
	}
	return out
}

func (b *builder) bytes() []byte { return seal(b.count, b.b) }

func seal(count uint32, entries []byte) []byte {
	out := binary.BigEndian.AppendUint32(append([]byte("PACK"), 0, 0, 0, 2), count)
	out = append(out, entries...)
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}

func varint(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// copies is a delta that copies the whole base n times.
func copies(base, n int) []byte {
	delta := append(varint(base), varint(base*n)...)
	for range n {
		for left, off := base, 0; left > 0; {
			size := min(left, 0xffffff)
			delta = append(delta, 0xff, byte(off), byte(off>>8), byte(off>>16), byte(off>>24), byte(size), byte(size>>8), byte(size>>16))
			off, left = off+size, left-size
		}
	}
	return delta
}

func blobHash(data string) object.Hash {
	return object.Object{Type: object.TypeBlob, Data: []byte(data)}.Hash()
}

// longChain is a blob and n deltas, each on the one before.
func longChain(b *builder, n int) {
	at := b.blob("hello")
	for range n {
		at = b.ofs(at, append(varint(5), append(varint(5), 0x90, 5)...))
	}
}

func TestReceiveRefuses(t *testing.T) {
	id := append(varint(5), append(varint(5), 0x90, 5)...) // copies "hello" as it is
	grow := append(varint(5), append(varint(6), 0x90, 5, 1, '!')...)
	shrink := append(varint(6), append(varint(5), 0x90, 5)...)
	evil := object.AppendTree(nil, []object.Entry{{Name: ".git", Mode: object.ModeDir, Hash: blobHash("")}})
	make := func(f func(b *builder)) []byte {
		b := &builder{}
		f(b)
		return b.bytes()
	}
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"empty input":       {nil, nil},
		"not a pack":        {[]byte("PAKC\x00\x00\x00\x02\x00\x00\x00\x00aaaaaaaaaaaaaaaaaaaa"), pack.ErrFormat},
		"version 3":         {[]byte("PACK\x00\x00\x00\x03\x00\x00\x00\x00aaaaaaaaaaaaaaaaaaaa"), pack.ErrFormat},
		"too many objects":  {seal(1<<31, nil), pack.ErrTooLarge},
		"fewer objects":     {seal(2, []byte("\x35\x78\x9c\xcbH\xcd\xc9\xc9\x07\x00\x06,\x02\x15")), nil},
		"checksum":          {append(seal(0, nil)[:31], 'x'), pack.ErrFormat},
		"type 0":            {make(func(b *builder) { b.entry(0, 5, nil, []byte("hello")) }), pack.ErrFormat},
		"type 5":            {make(func(b *builder) { b.entry(5, 5, nil, []byte("hello")) }), pack.ErrFormat},
		"shorter than said": {make(func(b *builder) { b.entry(3, 6, nil, []byte("hello")) }), pack.ErrFormat},
		"longer than said":  {make(func(b *builder) { b.entry(3, 4, nil, []byte("hello")) }), pack.ErrFormat},
		"huge size":         {make(func(b *builder) { b.entry(3, 1<<50, nil, []byte("hello")) }), pack.ErrTooLarge},
		"size overflow":     {seal(1, bytes.Repeat([]byte{0xbf}, 30)), pack.ErrFormat},
		"huge tree":         {make(func(b *builder) { b.entry(2, 1<<29, nil, []byte("hello")) }), pack.ErrTooLarge},
		"not zlib":          {seal(1, []byte("\x35hellohello")), pack.ErrFormat},
		"zlib checksum":     {seal(1, []byte("\x35\x78\x9c\xcbH\xcd\xc9\xc9\x07\x00\x06,\x02\x16")), pack.ErrFormat},
		"corrupt deflate":   {seal(1, []byte("\x35\x78\x9c\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")), pack.ErrFormat},
		"chain too long":    {make(func(b *builder) { longChain(b, 6000) }), pack.ErrFormat},
		"zlib dictionary":   {seal(1, []byte("\x35\x78\xbb\xcbH\xcd\xc9\xc9\x07\x00\x06,\x02\x16aaaaaaaaaa")), pack.ErrFormat},
		"evil tree":         {make(func(b *builder) { b.entry(2, len(evil), nil, evil) }), new(object.CheckError)},
		"evil tree by delta": {make(func(b *builder) {
			b.ofs(b.entry(2, 0, nil, nil), append(append(varint(0), varint(len(evil))...), append([]byte{byte(len(evil))}, evil...)...))
		}), new(object.CheckError)},
		"base before pack":   {make(func(b *builder) { b.entry(6, len(id), distance(13), id) }), pack.ErrFormat},
		"base is itself":     {make(func(b *builder) { b.blob("hello"); b.entry(6, len(id), []byte{0}, id) }), pack.ErrFormat},
		"base inside header": {make(func(b *builder) { b.blob("hello"); b.entry(6, len(id), distance(b.offset()-4), id) }), pack.ErrFormat},
		"base inside object": {make(func(b *builder) { b.blob("hello"); b.entry(6, len(id), distance(b.offset()-13), id) }), pack.ErrFormat},
		"distance overflow":  {make(func(b *builder) { b.blob("hello"); b.entry(6, len(id), bytes.Repeat([]byte{0xff}, 20), id) }), pack.ErrFormat},
		"no base":            {make(func(b *builder) { b.ref(blobHash("x"), id) }), nil},
		"base of itself":     {make(func(b *builder) { b.ref(blobHash("hello"), id) }), nil},
		"circle":             {make(func(b *builder) { b.ref(blobHash("hello!"), shrink); b.ref(blobHash("hello"), grow) }), nil},
		"wrong base size":    {make(func(b *builder) { b.ofs(b.blob("hello!"), id) }), pack.ErrFormat},
		"copy beyond base":   {make(func(b *builder) { b.ofs(b.blob("hello"), append(varint(5), append(varint(5), 0x91, 1, 5)...)) }), pack.ErrFormat},
		"copy too much":      {make(func(b *builder) { b.ofs(b.blob("hello"), append(varint(5), append(varint(4), 0x90, 5)...)) }), pack.ErrFormat},
		"copy too little":    {make(func(b *builder) { b.ofs(b.blob("hello"), append(varint(5), append(varint(6), 0x90, 5)...)) }), pack.ErrFormat},
		"delta cut off":      {make(func(b *builder) { b.ofs(b.blob("hello"), append(varint(5), append(varint(5), 0x9f, 5)...)) }), pack.ErrFormat},
		"reserved":           {make(func(b *builder) { b.ofs(b.blob("hello"), append(varint(5), append(varint(5), 0)...)) }), pack.ErrFormat},
		"empty delta":        {make(func(b *builder) { b.ofs(b.blob("hello"), nil) }), pack.ErrFormat},
		"huge target":        {make(func(b *builder) { b.ofs(b.blob("hello"), append(varint(5), append(varint(1<<40), 0x90, 5)...)) }), pack.ErrTooLarge},
		"large target":       {make(func(b *builder) { b.ofs(b.blob("hello"), append(varint(5), append(varint(1<<27), 0x90, 5)...)) }), pack.ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := receive(t, c.data, nil)
			if name == "empty input" && err == nil || err == nil {
				t.Fatal("accepted")
			}
			var ce *object.CheckError
			if _, check := c.want.(*object.CheckError); check {
				if !errors.As(err, &ce) {
					t.Errorf("got %v, want a CheckError", err)
				}
			} else if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestReceiveTruncated cuts a pack off at each byte.
func TestReceiveTruncated(t *testing.T) {
	b := &builder{}
	at := b.blob("hello")
	b.ofs(at, append(varint(5), append(varint(6), 0x90, 5, 1, '!')...))
	data := b.bytes()
	for n := range data {
		_, err := pack.Receive(context.Background(), bufio.NewReader(bytes.NewReader(data[:n])), &pack.Buffer{}, nil, pack.Limits{})
		if err == nil {
			t.Errorf("%d of %d bytes were accepted", n, len(data))
		}
	}
}

func TestReceiveDuplicates(t *testing.T) {
	b := &builder{}
	at := b.blob("hello")
	b.blob("hello")
	b.ofs(at, append(varint(5), append(varint(5), 0x90, 5)...))
	got, spool, err := receive(t, b.bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Len() != 3 {
		t.Errorf("%d objects, want 3", got.Len())
	}
	ix, err := pack.OpenIndex(got.Index())
	if err != nil {
		t.Fatal(err)
	}
	p, err := pack.Open(bytes.NewReader(spool.Bytes()), got.Size, ix, pack.NewBaseCache(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	off, _ := ix.Find(blobHash("hello"))
	if o, err := p.Object(off); err != nil || string(o.Data) != "hello" {
		t.Errorf("got %q, %v", o.Data, err)
	}
}

// TestReceiveRefBeforeBase has REF_DELTAs whose bases come later, as deltas themselves.
func TestReceiveRefBeforeBase(t *testing.T) {
	b := &builder{}
	more := func(base string) []byte {
		return append(varint(len(base)), append(varint(len(base)+1), 0x90, byte(len(base)), 1, '!')...)
	}
	b.ref(blobHash("hello!!"), more("hello!!"))
	b.ref(blobHash("hello!"), more("hello!"))
	b.ref(blobHash("hello"), more("hello"))
	b.blob("hello")
	got, _, err := receive(t, b.bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"hello!!!", "hello!!", "hello!", "hello"}
	i := 0
	for h, typ := range got.All() {
		if h != blobHash(want[i]) || typ != object.TypeBlob {
			t.Errorf("object %d is %s %s, want %q", i, typ, h, want[i])
		}
		i++
	}
}

// TestReceiveThinInTurn has a base that nobody has, but that is made of a delta
// on another base that somebody has.
func TestReceiveThinInTurn(t *testing.T) {
	base := "hello"
	more := func(base string) []byte {
		return append(varint(len(base)), append(varint(len(base)+1), 0x90, byte(len(base)), 1, '!')...)
	}
	b := &builder{}
	made := base
	for range 8 { // some hash will come before that of its base
		b.ref(blobHash(made), more(made))
		made += "!"
	}
	got, _, err := receive(t, b.bytes(), func(_ context.Context, h object.Hash) (object.Object, error) {
		if h != blobHash(base) {
			return object.Object{}, fs.ErrNotExist
		}
		return object.Object{Type: object.TypeBlob, Data: []byte(base)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Len() != 9 {
		t.Errorf("%d objects, want 9", got.Len())
	}
}

// bomb is a chain of deltas that each double their base, from a base of zeros.
func bomb(base, doublings int) []byte {
	b := &builder{}
	at := b.blob(strings.Repeat("\x00", base))
	for range doublings {
		at = b.ofs(at, copies(base, 2))
		base *= 2
	}
	return b.bytes()
}

// peakHeap runs f and returns how much the heap has grown at most meanwhile.
func peakHeap(f func()) uint64 {
	runtime.GC()
	before := heap()
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for peak := before; ; {
			peak = max(peak, heap())
			select {
			case <-stop:
				done <- peak
				return
			case <-tick.C:
			}
		}
	}()
	f()
	close(stop)
	return <-done - before
}

func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func TestReceiveBombs(t *testing.T) {
	big := strings.Repeat("\x00", 1<<20)
	flat := &builder{}
	at := flat.blob(big)
	for range 200 {
		flat.ofs(at, copies(1<<20, 60))
	}
	tree := &builder{}
	tree.entry(2, 30<<20, nil, bytes.Repeat([]byte{0}, 30<<20))
	for name, data := range map[string][]byte{
		"doubling": bomb(1<<16, 20),
		"flat":     flat.bytes(),
		"tree":     tree.bytes(),
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			peak := peakHeap(func() {
				lim := pack.Limits{TotalBytes: 256 << 20, ObjectBytes: 128 << 20}
				_, err = pack.Receive(context.Background(), bufio.NewReader(bytes.NewReader(data)), tempSpool(t), nil, lim)
			})
			if err == nil {
				t.Error("accepted")
			}
			if name != "tree" && !errors.Is(err, pack.ErrTooLarge) {
				t.Errorf("got %v, want %v", err, pack.ErrTooLarge)
			}
			if peak > 160<<20 {
				t.Errorf("a pack of %d bytes took %d MB", len(data), peak>>20)
			}
			t.Log(fmt.Sprintf("%d bytes, %d MB", len(data), peak>>20), err)
		})
	}
}
