package pack_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cairn/store/object"
	"cairn/store/pack"
)

// A site is a tree of folders of files that is changed one file at a time.
type site struct {
	rnd     *rand.Rand
	folders [][]object.Entry
	root    []object.Entry
	rootObj object.Hash
	tree    []object.Hash // of each folder
	parent  object.Hash
	n       int
}

func newSite(folders, files int) (*site, []object.Object) {
	s := &site{rnd: rand.New(rand.NewPCG(5, 6))}
	var objs []object.Object
	for f := range folders {
		var entries []object.Entry
		for i := range files {
			o := s.blob(f*files + i)
			objs = append(objs, o)
			entries = append(entries, object.Entry{Name: fmt.Sprintf("file-%03d.txt", i), Mode: object.ModeFile, Hash: o.Hash()})
		}
		o := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, entries)}
		objs = append(objs, o)
		s.folders = append(s.folders, entries)
		s.tree = append(s.tree, o.Hash())
		s.root = append(s.root, object.Entry{Name: fmt.Sprintf("%04x", f), Mode: object.ModeDir, Hash: o.Hash()})
	}
	root, commit := s.seal(object.Zero)
	return s, append(objs, root, commit)
}

// blob is a message of some 300 bytes that is like the others.
func (s *site) blob(i int) object.Object {
	text := fmt.Sprintf("Subject: message %d\nDate: %d\n\n%x %x\n%s", i, s.n, s.rnd.Uint64(), s.rnd.Uint64(), strings.Repeat("The quick brown fox jumps over the lazy dog.\n", 5))
	return object.Object{Type: object.TypeBlob, Data: []byte(text)}
}

// update changes one file and returns what is new.
func (s *site) update() []object.Object {
	s.n++
	f := s.rnd.IntN(len(s.folders))
	i := s.rnd.IntN(len(s.folders[f]))
	o := s.blob(s.n)
	o.Base = s.folders[f][i].Hash
	s.folders[f][i].Hash = o.Hash()
	sub := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, s.folders[f]), Base: s.tree[f]}
	s.tree[f] = sub.Hash()
	s.root[f].Hash = s.tree[f]
	root, commit := s.seal(s.rootObj)
	return []object.Object{o, sub, root, commit}
}

func (s *site) seal(base object.Hash) (root, commit object.Object) {
	root = object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, s.root), Base: base}
	s.rootObj = root.Hash()
	who := object.Signature{Name: "A U Thor", Email: "a@example.org", When: time.Unix(1700000000+int64(s.n), 0)}
	c := object.Commit{Tree: s.rootObj, Author: who, Committer: who, Message: fmt.Sprintf("change %d\n", s.n)}
	if !s.parent.IsZero() {
		c.Parents = []object.Hash{s.parent}
	}
	commit = object.Object{Type: object.TypeCommit, Data: c.Encode(), Base: s.parent}
	s.parent = commit.Hash()
	return root, commit
}

// write makes a pack and its index.
func write(t testing.TB, objs []object.Object, level pack.Level) (data, idx []byte) {
	t.Helper()
	var b bytes.Buffer
	w := pack.NewWriter(&b, uint32(len(objs)), level)
	for _, o := range objs {
		if _, err := w.Object(o); err != nil {
			t.Fatal(err)
		}
	}
	sum, entries, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), pack.AppendIndex(nil, entries, sum)
}

// install puts packs into a new repository with main at head.
func install(t testing.TB, head object.Hash, packs ...[]byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	git(t, dir, nil, "init", "-q", "--bare", "-b", "main")
	for i := 0; i < len(packs); i += 2 {
		name := filepath.Join(dir, "objects", "pack", "pack-"+fmt.Sprintf("%040x", packs[i][len(packs[i])-20:]))
		if err := os.WriteFile(name+".pack", packs[i], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name+".idx", packs[i+1], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, nil, "update-ref", "refs/heads/main", head.String())
	return dir
}

func TestWriter(t *testing.T) {
	for _, level := range []pack.Level{pack.Stored, pack.Fast, pack.Default} {
		s, objs := newSite(16, 10)
		for range 70 {
			objs = append(objs, s.update()...)
		}
		data, idx := write(t, objs, level)
		want := make(map[object.Hash]object.Object)
		for _, o := range objs {
			want[o.Hash()] = o
		}
		compare(t, data, idx, want)
		sameIndex(t, data, idx)
		dir := install(t, s.parent, data, idx)
		git(t, dir, nil, "fsck", "--strict", "--full")
		out := string(git(t, dir, nil, "verify-pack", "-v", "objects/pack/"+filepath.Base(glob(t, dir, "*.idx")[0])))
		if !strings.Contains(out, "chain length = 50") || strings.Contains(out, "chain length = 51") {
			t.Errorf("level %d: verify-pack says\n%s", level, out[len(out)-2000:])
		}
	}
}

func glob(t testing.TB, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "objects", "pack", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return names
}

func TestWriterCount(t *testing.T) {
	w := pack.NewWriter(&bytes.Buffer{}, 2, pack.Stored)
	if _, err := w.Object(object.Object{Type: object.TypeBlob}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Close(); err == nil {
		t.Error("a pack of one object instead of two was closed")
	}
}

// TestWriterEntries sends a pack's entries on, bases first, last and not at all.
func TestWriterEntries(t *testing.T) {
	s, objs := newSite(4, 10)
	for range 20 {
		objs = append(objs, s.update()...)
	}
	data, idx := write(t, objs, pack.Fast)
	ix, err := pack.OpenIndex(idx)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pack.Open(bytes.NewReader(data), int64(len(data)), ix, pack.NewBaseCache(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	var order []object.Hash
	for h := range ix.InPackOrder() {
		order = append(order, h)
	}
	want := make(map[object.Hash]object.Object)
	for _, o := range objs {
		want[o.Hash()] = o
	}
	for _, refs := range []bool{false, true} {
		var b bytes.Buffer
		w := pack.NewWriter(&b, uint32(len(order)), pack.Fast)
		w.RefDelta = refs
		for i := range order {
			h := order[i]
			if i%3 == 0 {
				h = order[len(order)-1-i] // before its base
			}
			off, _ := ix.Find(h)
			e, err := p.Entry(off)
			if err != nil {
				t.Fatal(err)
			}
			if e.Type != want[h].Type {
				t.Errorf("type %v, want %v", e.Type, want[h].Type)
			}
			if err := w.Entry(h, e); err != nil {
				t.Fatal(err)
			}
		}
		for _, h := range order { // those that the swaps left out
			off, _ := ix.Find(h)
			e, err := p.Entry(off)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Entry(h, e); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, spool, err := receive(t, b.Bytes(), nil)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, spool.Bytes(), got.Index(), want)
	}
}

func TestWriterStream(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	o := object.Object{Type: object.TypeBlob, Data: data}
	for _, level := range []pack.Level{pack.Stored, pack.Default} {
		var b bytes.Buffer
		w := pack.NewWriter(&b, 1, level)
		if err := w.Stream(o.Hash(), o.Type, int64(len(data)), bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		sum, entries, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		compare(t, b.Bytes(), pack.AppendIndex(nil, entries, sum), map[object.Hash]object.Object{o.Hash(): o})
	}
	w := pack.NewWriter(&bytes.Buffer{}, 1, pack.Stored)
	if err := w.Stream(o.Hash(), o.Type, 5, bytes.NewReader(data)); err == nil {
		t.Error("a stream of another size was accepted")
	}
}

// BenchmarkUpdate writes packs as group commit does: 64 commits, each with a
// file, a folder and a root of 256 folders of 40 files.
func BenchmarkUpdate(b *testing.B) {
	for _, level := range []pack.Level{pack.Stored, pack.Fast} {
		b.Run(fmt.Sprint("level=", level), func(b *testing.B) {
			s, _ := newSite(256, 40)
			var packs [][]object.Object
			for range 50 {
				var objs []object.Object
				for range 64 {
					objs = append(objs, s.update()...)
				}
				packs = append(packs, objs)
			}
			size := 0
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				data, idx := write(b, packs[i%len(packs)], level)
				size += len(data) + len(idx)
				i++
			}
			b.ReportMetric(float64(64*b.N)/b.Elapsed().Seconds(), "commits/s")
			b.ReportMetric(float64(size)/float64(64*b.N), "B/commit")
		})
	}
}
