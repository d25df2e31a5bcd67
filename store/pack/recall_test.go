package pack_test

import (
	"bytes"
	"io"
	"testing"

	"cairn/store/object"
	"cairn/store/pack"
)

// Trees and commits of a small pack that has just been received are looked at without
// reading it again, and are what they were.
func TestRecall(t *testing.T) {
	s, objs := newSite(4, 5)
	for range 20 {
		objs = append(objs, s.update()...)
	}
	data, _ := write(t, objs, pack.Fast)
	got, spool, err := receive(t, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	places := make(map[object.Hash]int64)
	for o := range got.Objects() {
		places[o.Hash] = o.Offset
	}
	file := &countedReader{r: spool}
	p, err := got.Open(file, pack.NewBaseCache(8<<20))
	if err != nil {
		t.Fatal(err)
	}
	file.reads = 0
	for _, want := range objs {
		if want.Type == object.TypeBlob {
			continue
		}
		o, err := p.Object(places[want.Hash()])
		if err != nil || o.Type != want.Type || !bytes.Equal(o.Data, want.Data) {
			t.Fatalf("object %s: got %v %q, %v, want %v %q", want.Hash(), o.Type, o.Data, err, want.Type, want.Data)
		}
	}
	if file.reads > 0 {
		t.Errorf("the pack was read %d times, want 0", file.reads)
	}
}

type countedReader struct {
	r     io.ReaderAt
	reads int
}

func (c *countedReader) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	return c.r.ReadAt(p, off)
}
