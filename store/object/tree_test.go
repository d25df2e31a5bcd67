package object_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"slices"
	"testing"

	"cairn/store/object"
)

func zlibTo(w io.Writer, data []byte) {
	z := zlib.NewWriter(w)
	z.Write(data)
	z.Close()
}

func TestTreeRoundTrip(t *testing.T) {
	data := []byte(treeOf("100644 a.c", "40000 a", "100755 x", "120000 y", "160000 z"))
	entries, err := object.ParseTree(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 5 || entries[1].Name != "a" || entries[1].Mode != object.ModeDir || string(entries[1].Hash[:]) != hash1 {
		t.Errorf("got %v", entries)
	}
	if got := object.AppendTree(nil, entries); !bytes.Equal(got, data) {
		t.Errorf("got %q, want %q", got, data)
	}
}

func TestParseTreeAllocs(t *testing.T) {
	data := []byte(bigTree(256))
	got := testing.AllocsPerRun(100, func() { object.ParseTree(data) })
	if got > 2 {
		t.Errorf("%v allocations, want 2: the names and the entries", got)
	}
}

// TestCompareNamesAsGit sorts as git mktree does.
func TestCompareNamesAsGit(t *testing.T) {
	dir := newRepo(t)
	entries := []object.Entry{}
	var in bytes.Buffer
	for i, name := range []string{"a", "a.c", "a-b", "a0", "ab", "b", "a/"[:1] + "\x01", "ä", "z", "Z", "a b", "\xff"} {
		mode := object.ModeFile
		kind := "blob"
		if i%2 == 0 {
			mode, kind = object.ModeDir, "tree"
		}
		e := object.Entry{Name: name, Mode: mode}
		copy(e.Hash[:], hash1)
		entries = append(entries, e)
		in.WriteString(map[string]string{"blob": "100644", "tree": "040000"}[kind] + " " + kind + " " + hex1 + "\t" + name + "\x00")
	}
	want := string(bytes.TrimSpace(mustGit(t, dir, in.Bytes(), "mktree", "-z", "--missing")))
	slices.SortFunc(entries, func(a, b object.Entry) int {
		return object.CompareNames(a.Name, a.Mode, b.Name, b.Mode)
	})
	got := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, entries)}.Hash().String()
	if got != want {
		t.Errorf("got tree %s, want git's %s", got, want)
	}
}

func bigTree(n int) []byte {
	var entries []object.Entry
	for i := range n {
		e := object.Entry{Name: string([]byte{'a' + byte(i>>4&15), 'a' + byte(i&15)}) + ".txt", Mode: object.ModeFile}
		copy(e.Hash[:], hash1)
		entries = append(entries, e)
	}
	return object.AppendTree(nil, entries)
}

func BenchmarkParseTree(b *testing.B) {
	data := bigTree(256)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := object.ParseTree(data); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParseTree(f *testing.F) {
	for _, h := range hostileTrees() {
		f.Add([]byte(h.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := object.ParseTree(data)
		if err != nil || object.Check(object.TypeTree, data) != nil {
			return
		}
		if got := object.AppendTree(nil, entries); !bytes.Equal(got, data) {
			t.Errorf("got %q, want %q", got, data)
		}
	})
}

func BenchmarkCheckTree(b *testing.B) {
	data := bigTree(256)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := object.Check(object.TypeTree, data); err != nil {
			b.Fatal(err)
		}
	}
}
