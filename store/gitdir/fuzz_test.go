package gitdir

import (
	"bytes"
	"compress/zlib"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

const someHash = "0123456789abcdef0123456789abcdef01234567"

// FuzzPackedRefs: what is parsed is written and parsed again to the same refs.
func FuzzPackedRefs(f *testing.F) {
	f.Add([]byte(packedRefsHead + someHash + " refs/heads/main\n" + someHash + " refs/tags/v1\n^" + someHash + "\n"))
	f.Add([]byte("# pack-refs with: peeled \n" + someHash + " refs/heads/b\n" + someHash + " refs/heads/a"))
	f.Add([]byte("^" + someHash + "\n"))
	f.Add([]byte(strings.Repeat("x", maxRefLine+1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePackedRefs(bytes.NewReader(data))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := p.writeTo(&out); err != nil {
			t.Fatal(err)
		}
		again, err := parsePackedRefs(&out)
		if err != nil || len(again.refs) != len(p.refs) || !again.fullyPeeled {
			t.Fatalf("got %d refs, %v, want %d", len(again.refs), err, len(p.refs))
		}
		for i := range p.refs {
			if again.refs[i] != p.refs[i] {
				t.Fatalf("got %v, want %v", again.refs[i], p.refs[i])
			}
		}
	})
}

// FuzzLooseRef: a target never leads out of the places for refs.
func FuzzLooseRef(f *testing.F) {
	f.Add([]byte(someHash + "\n"))
	f.Add([]byte("ref: refs/heads/main\n"))
	f.Add([]byte("ref: ../../secret\n"))
	f.Add([]byte("ref:"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ref, err := parseLoose("refs/heads/x", data)
		if err != nil {
			return
		}
		if (ref.Target == "") == (ref.Hash == object.Zero) || ref.Target != "" && !readable(ref.Target) {
			t.Errorf("got %+v", ref)
		}
	})
}

// FuzzLooseObject: a loose object gives what its header declares or an error, and takes
// memory only for what is there.
func FuzzLooseObject(f *testing.F) {
	deflate := func(s string) []byte {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		io.WriteString(w, s)
		w.Close()
		return b.Bytes()
	}
	f.Add(deflate("blob 5\x00hello"))
	f.Add(deflate("tree 0\x00"))
	f.Add(deflate("blob 67108864\x00short"))
	f.Add(deflate("blob 99999999999999999999\x00"))
	f.Add([]byte("no zlib"))
	root := osDisk(f.TempDir())
	var h store.Hash
	name := root.path(looseName(h))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := (&Dir{root: root}).openLoose(h)
		if err != nil {
			return
		}
		defer r.Close()
		if o, err := r.all(); err == nil && int64(len(o.Data)) != r.size {
			t.Errorf("got %d bytes, want %d", len(o.Data), r.size)
		}
	})
}

// FuzzChangedEntries: every entry yields at most one change, whatever the bytes; and
// none between a tree in git's order and itself.
func FuzzChangedEntries(f *testing.F) {
	a := object.AppendTree(nil, []object.Entry{{Name: "a", Mode: object.ModeFile}, {Name: "b", Mode: object.ModeDir}})
	f.Add(a, a[:len(a)-1])
	f.Add(a, []byte{})
	f.Fuzz(func(t *testing.T, old, tree []byte) {
		n := 0
		for range changedEntries(old, tree) {
			n++
		}
		if most := len(tree) / 21; n > most {
			t.Errorf("got %d changes, want at most %d", n, most)
		}
		if object.Check(object.TypeTree, tree) != nil || bytes.Contains(tree, []byte("40000 ")) {
			return
		}
		for h := range changedEntries(tree, tree) {
			t.Errorf("a change of %s from a tree to itself", h)
		}
	})
}
