package store

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"cairn/store/object"
)

// treeLine is one entry of a hand-made tree.
func treeLine(mode, name string) string {
	return mode + " " + name + "\x00" + "01234567890123456789"
}

// FuzzNode checks that any bytes give a node that can be searched and edited,
// or an error.
func FuzzNode(f *testing.F) {
	for _, seed := range []string{
		"", treeLine("100644", "a"), treeLine("100644", "a") + treeLine("40000", "b"),
		treeLine("100644", "b") + treeLine("100644", "a"),
		treeLine("100644", "a") + treeLine("100644", "a.b") + treeLine("40000", "a"),
		treeLine("100644", "a") + treeLine("40000", "a"), treeLine("40000", "a") + treeLine("40000", "a"),
		treeLine("040000", "a") + treeLine("100664", "b") + treeLine("0", "c") + treeLine("160000", "d"),
		treeLine("100644", "..") + treeLine("100644", ".") + treeLine("100644", "a/b") + treeLine("100644", ".git"),
		treeLine("100644", "\xff\xfe") + treeLine("100644", "a\nb"),
		"100644 a", "100644 a\x00short", "0000000000644 a\x0001234567890123456789", " a\x00", "9 a\x00", "1000000000 a\x00",
	} {
		f.Add(seed, "a")
	}
	f.Fuzz(func(t *testing.T, raw, name string) {
		n, err := parseNode(raw)
		entries, objErr := object.ParseTree([]byte(raw))
		if (err == nil) != (objErr == nil) {
			t.Fatalf("got %v, object.ParseTree: %v", err, objErr)
		}
		if err != nil {
			return
		}
		if clean := object.Check(object.TypeTree, []byte(raw)) == nil; clean && !n.tidy {
			for _, e := range entries {
				if modes[kindOf(e.Mode)] != e.Mode {
					clean = false // git fsck only warns of unusual modes
				}
			}
			if clean {
				t.Fatal("a tree that git fsck accepts is not tidy")
			}
		}
		seen := map[string]bool{}
		for i := range n.len() {
			e := n.entry(i)
			if seen[e.Name] || hidden(e.Name) || e.Name == "" {
				t.Fatalf("shows %q", e.Name)
			}
			seen[e.Name] = true
			if got, ok := n.find(e.Name); !ok || got != e {
				t.Fatalf("find %q: got %v, %v, want %v", e.Name, got, ok, e)
			}
		}
		if _, ok := n.find(name); ok != seen[name] {
			t.Fatalf("find %q: got %v, want %v", name, ok, seen[name])
		}
		if name != "" && !hidden(name) && !bytes.Contains([]byte(name), []byte{0}) {
			edited, data := splice(n, []object.Entry{{Name: name, Mode: object.ModeFile, Hash: emptyTree}})
			want := len(seen) + 1
			if seen[name] {
				want--
			}
			if edited.len() != want {
				t.Fatalf("after an edit: got %d entries, want %d", edited.len(), want)
			}
			if again, err := parseNode(string(data)); err != nil || !again.tidy || !slices.Equal(again.refs, edited.refs) {
				t.Fatalf("after an edit: got %v, which is not as we write it", err)
			}
		}
	})
}

// TestSplice makes random edits to random nodes and compares with a map, and
// differing with a comparison of all entries.
func TestSplice(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "a.b", "a-b", "ab", "a0", "b", "ba", "c", "0", "long-name-that-is-there-too"}
	kinds := []object.Mode{object.ModeFile, object.ModeDir, object.ModeExecutable, object.ModeSymlink, object.ModeSubmodule}
	var n *node
	model := map[string]object.Entry{}
	for range 2000 {
		edits := map[string]object.Entry{}
		for range rnd.IntN(4) {
			e := object.Entry{Name: names[rnd.IntN(len(names))]}
			if rnd.IntN(3) > 0 {
				e.Mode = kinds[rnd.IntN(len(kinds))]
				e.Hash[rnd.IntN(20)] = byte(1 + rnd.IntN(3))
			}
			edits[e.Name] = e
		}
		before := n
		var data []byte
		n, data = splice(n, slices.Collect(maps.Values(edits)))
		for name, e := range edits {
			if delete(model, name); e.Mode != 0 {
				model[name] = e
			}
		}
		want := slices.SortedFunc(maps.Values(model), func(a, b object.Entry) int { return object.CompareNames(a.Name, a.Mode, b.Name, b.Mode) })
		if got := object.AppendTree(nil, want); !bytes.Equal(got, data) {
			t.Fatalf("got %q, want %q", data, got)
		}
		again, err := parseNode(string(data))
		if err != nil || !again.tidy || !slices.Equal(again.refs, n.refs) {
			t.Fatalf("parse what splice made: got %v, %v, want %v", again, err, n)
		}
		checkDiffering(t, before, n)
	}
}

// checkDiffering compares what lies outside of differing's bounds.
func checkDiffering(t *testing.T, a, b *node) {
	t.Helper()
	from, aEnd, bEnd := differing(a, b)
	if a.len()-aEnd != b.len()-bEnd || from > aEnd || from > bEnd {
		t.Fatalf("differing: got %d, %d of %d, %d of %d", from, aEnd, a.len(), bEnd, b.len())
	}
	for i := range from {
		if a.entry(i) != b.entry(i) {
			t.Fatalf("differing: entry %d before the bounds differs", i)
		}
	}
	for i := range a.len() - aEnd {
		if a.entry(aEnd+i) != b.entry(bEnd+i) {
			t.Fatalf("differing: entry %d after the bounds differs", i)
		}
	}
}

// TestCacheOfLarge: a tree of 100,000 entries has a place, and so has a large blob of which
// the size was kept before.
func TestCacheOfLarge(t *testing.T) {
	const most = 64 << 20
	c := newCache(most)
	tree, blob := Hash{1}, Hash{2}
	c.put(tree, &node{raw: string(make([]byte, 6<<20)), refs: make([]ref, 100_000)})
	c.put(blob, int64(5<<20))
	c.put(blob, make([]byte, 5<<20))
	if v, ok := c.get(tree); !ok || len(v.(*node).refs) != 100_000 {
		t.Errorf("large tree: got %T", v)
	}
	if v, _ := c.get(blob); len(v.([]byte)) != 5<<20 {
		t.Errorf("large blob: got %T", v)
	}
	for i := range byte(100) {
		c.put(Hash{3, i}, make([]byte, 4<<20))
	}
	if got := c.bytes(); got > most/largeShare {
		t.Errorf("large values take %d bytes", got)
	}
	c.large.init(0)
	if v, _ := c.get(blob); v != int64(5<<20) {
		t.Errorf("blob that was forgotten: got %T, want its size", v)
	}
}

func TestCacheIsBounded(t *testing.T) {
	const most = 1 << 20
	c := newCache(most)
	rnd := rand.New(rand.NewPCG(3, 4))
	hot := object.Object{Type: object.TypeBlob, Data: []byte("hot")}.Hash()
	c.put(hot, []byte("hot"))
	for i := range 20000 {
		data := make([]byte, rnd.IntN(2000))
		c.put(object.Object{Type: object.TypeBlob, Data: fmt.Append(nil, i)}.Hash(), data)
		if i%20 == 0 {
			if _, ok := c.get(hot); !ok {
				t.Fatalf("what is used often was forgotten after %d others", i)
			}
		}
	}
	if got := c.bytes(); got > most {
		t.Errorf("got %d bytes, want at most %d", got, most)
	}
	c.put(hot, make([]byte, most))
	if v, _ := c.get(hot); len(v.([]byte)) != 3 {
		t.Error("the cache took in what would fill it")
	}
}
