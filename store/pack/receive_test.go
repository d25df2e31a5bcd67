package pack_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"cairn/store/object"
	"cairn/store/pack"
)

// history makes a repository of n commits to some text files.
func history(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, nil, "init", "-q", "-b", "main")
	rnd := rand.New(rand.NewPCG(1, 2))
	var in bytes.Buffer
	files := make([][]byte, 20)
	for i := range n {
		f := rnd.IntN(len(files))
		for range 5 {
			at := 0
			if len(files[f]) > 0 {
				at = rnd.IntN(len(files[f]))
			}
			line := fmt.Appendf(nil, "line %d of %d\n", rnd.Int64(), i)
			files[f] = append(files[f][:at:at], append(line, files[f][at:]...)...)
		}
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter C <c@example.org> %d +0100\ndata 2\nx\nM 644 inline d%d/f%d\ndata %d\n%s\n", 1700000000+i, f%4, f, len(files[f]), files[f])
	}
	git(t, dir, in.Bytes(), "fast-import", "--quiet")
	return dir
}

// contents returns what git cat-file says of every object.
func contents(t testing.TB, dir string) map[object.Hash]object.Object {
	t.Helper()
	out := git(t, dir, nil, "cat-file", "--batch", "--batch-all-objects", "--unordered")
	objs := make(map[object.Hash]object.Object)
	for len(out) > 0 {
		var name, typ string
		var size int
		line, rest, _ := bytes.Cut(out, []byte("\n"))
		if _, err := fmt.Sscan(string(line), &name, &typ, &size); err != nil {
			t.Fatal(err)
		}
		o := object.Object{Data: rest[:size]}
		o.Type, _ = object.ParseType(typ)
		objs[o.Hash()] = o
		out = rest[size+1:]
	}
	return objs
}

func receive(t testing.TB, data []byte, base pack.BaseFunc) (*pack.Received, *pack.Buffer, error) {
	t.Helper()
	spool := &pack.Buffer{}
	r := bufio.NewReader(bytes.NewReader(append(bytes.Clone(data), "after"...)))
	got, err := pack.Receive(context.Background(), r, spool, base, pack.Limits{})
	if err == nil {
		var rest bytes.Buffer
		rest.ReadFrom(r)
		if rest.String() != "after" {
			t.Errorf("left %q in the stream, want %q", rest.String(), "after")
		}
	}
	return got, spool, err
}

func TestReceiveFromGit(t *testing.T) {
	dir := history(t, 300)
	want := contents(t, dir)
	for _, args := range [][]string{{}, {"--delta-base-offset"}, {"--depth=250", "--delta-base-offset"}} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			data := git(t, dir, nil, append([]string{"pack-objects", "--all", "--stdout", "-q", "--no-reuse-delta"}, args...)...)
			got, spool, err := receive(t, data, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(spool.Bytes(), data) {
				t.Error("spool differs from the pack")
			}
			compare(t, spool.Bytes(), got.Index(), want)
			sameIndex(t, spool.Bytes(), got.Index())
		})
	}
}

// compare reads every object of a pack in every way.
func compare(t testing.TB, data, idx []byte, want map[object.Hash]object.Object) {
	t.Helper()
	ix, err := pack.OpenIndex(idx)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pack.Open(bytes.NewReader(data), int64(len(data)), ix, pack.NewBaseCache(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if ix.Len() != len(want) {
		t.Errorf("%d objects, want %d", ix.Len(), len(want))
	}
	for h, o := range want {
		off, ok := ix.Find(h)
		if !ok {
			t.Errorf("no object %s", h)
			continue
		}
		got, err := p.Object(off)
		if err != nil {
			t.Fatal(err)
		}
		if got.Type != o.Type || !bytes.Equal(got.Data, o.Data) {
			t.Errorf("object %s differs", h)
		}
		typ, size, err := p.Stat(off)
		if typ != o.Type || size != int64(len(o.Data)) || err != nil {
			t.Errorf("Stat(%s) = %v, %d, %v, want %v, %d", h, typ, size, err, o.Type, len(o.Data))
		}
		r, err := p.Open(off)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(r); err != nil || !bytes.Equal(b.Bytes(), o.Data) {
			t.Errorf("Open(%s) differs: %v", h, err)
		}
		r.Close()
	}
}

// sameIndex compares an index with the one that git makes.
func sameIndex(t testing.TB, data, idx []byte) {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, nil, "init", "-q", "--bare")
	name := filepath.Join(dir, "x.pack")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	git(t, dir, nil, "index-pack", "--fsck-objects", name)
	want, err := os.ReadFile(filepath.Join(dir, "x.idx"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(idx, want) {
		t.Error("index differs from git's")
	}
}

func TestReceiveThin(t *testing.T) {
	dir := history(t, 200)
	all := contents(t, dir)
	data := git(t, dir, []byte("main\n^main~40\n"), "pack-objects", "--revs", "--stdout", "-q", "--thin", "--delta-base-offset")
	asked := 0
	got, spool, err := receive(t, data, func(_ context.Context, h object.Hash) (object.Object, error) {
		asked++
		o, ok := all[h]
		if !ok {
			t.Fatalf("base %s", h)
		}
		return o, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if asked == 0 {
		t.Error("the pack was not thin")
	}
	want := make(map[object.Hash]object.Object)
	for h := range got.All() {
		want[h] = all[h]
	}
	compare(t, spool.Bytes(), got.Index(), want)
	sameIndex(t, spool.Bytes(), got.Index())
}
