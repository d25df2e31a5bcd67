package pack_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"cairn/store/object"
	"cairn/store/pack"
)

// TestReceivedObjects reads every object of a pack by what was learnt when it was received,
// and by its entry.
func TestReceivedObjects(t *testing.T) {
	dir := history(t, 200)
	git(t, dir, nil, "repack", "-q", "-a", "-d", "-f")
	want := contents(t, dir)
	data := git(t, dir, nil, "pack-objects", "--all", "--stdout", "-q", "--revs", "--delta-base-offset")
	got, spool, err := receive(t, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := got.Open(spool, pack.NewBaseCache(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	deltas, count := 0, 0
	for o := range got.Objects() {
		w, ok := want[o.Hash]
		if !ok || o.Type != w.Type || o.Size != int64(len(w.Data)) {
			t.Fatalf("%s at %d: got a %s of %d bytes, want a %s of %d", o.Hash, o.Offset, o.Type, o.Size, w.Type, len(w.Data))
		}
		if typ, size, err := p.Stat(o.Offset); err != nil || typ != w.Type || size != o.Size {
			t.Errorf("stat %s: got %s, %d, %v", o.Hash, typ, size, err)
		}
		e, err := p.WholeEntry(o.Offset)
		if err != nil {
			t.Fatal(err)
		}
		count++
		if !e.Base.IsZero() {
			deltas++
		}
		if err := checkEntry(e, w, want[e.Base]); err != nil {
			t.Errorf("entry %s: %v", o.Hash, err)
		}
	}
	if len(want) != count || deltas == 0 {
		t.Errorf("got %d objects of %d; %d were deltas", count, len(want), deltas)
	}
}

func checkEntry(e pack.Entry, want, base object.Object) error {
	if size, err := e.ContentSize(); err != nil || size != int64(len(want.Data)) {
		return errors.Join(errors.New("wrong size"), err)
	}
	data, err := e.Inflate(1 << 20)
	if err != nil {
		return err
	}
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if streamed, err := io.ReadAll(r); err != nil || !bytes.Equal(streamed, data) {
		return errors.Join(errors.New("streamed otherwise"), err)
	}
	if !e.Base.IsZero() {
		if data, err = pack.Apply(base.Data, data, 1<<20); err != nil {
			return err
		}
	}
	if !bytes.Equal(data, want.Data) {
		return errors.New("wrong content")
	}
	return nil
}

func TestNewEntry(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, size := range []int{0, 1, 100, 5 << 20} {
		o := object.Object{Type: object.TypeBlob, Data: make([]byte, size)}
		for i := range o.Data {
			o.Data[i] = byte(random.Uint32())
		}
		e := pack.NewEntry(o, pack.Fast)
		data, err := e.Inflate(int64(size))
		if err != nil || !bytes.Equal(data, o.Data) {
			t.Errorf("%d bytes: got %d, %v", size, len(data), err)
		}
		if _, err := e.Inflate(int64(size) - 1); !errors.Is(err, pack.ErrTooLarge) {
			t.Errorf("%d bytes with a lower limit: got %v", size, err)
		}
	}
}

// TestReceiveLeavesRest: what comes behind a pack is left to be read, however the
// stream is cut.
func TestReceiveLeavesRest(t *testing.T) {
	dir := history(t, 30)
	data := git(t, dir, nil, "pack-objects", "--all", "--stdout", "-q", "--revs")
	for _, rest := range []string{"", "x", "0000", string(bytes.Repeat([]byte("more"), 20000))} {
		for _, buffer := range []int{16, 4 << 10, 64 << 10, 1 << 20} {
			if err := receiveTwo(data, rest, buffer); err != nil {
				t.Errorf("buffer of %d, %d bytes behind: %v", buffer, len(rest), err)
			}
		}
	}
}

// receiveTwo receives the same pack twice from one stream, and reads what is behind.
func receiveTwo(data []byte, rest string, buffer int) error {
	stream := io.MultiReader(bytes.NewReader(data), bytes.NewReader(data), bytes.NewReader([]byte(rest)))
	r := bufio.NewReaderSize(stream, buffer)
	for range 2 {
		spool := &pack.Buffer{}
		got, err := pack.Receive(context.Background(), r, spool, nil, pack.Limits{})
		if err != nil {
			return err
		}
		if !bytes.Equal(spool.Bytes(), data) || got.Size != int64(len(data)) {
			return errors.New("the spool differs")
		}
	}
	left, err := io.ReadAll(r)
	if err == nil && string(left) != rest {
		err = fmt.Errorf("%d bytes are left", len(left))
	}
	return err
}
