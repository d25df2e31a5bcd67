package pack_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"cairn/store/object"
	"cairn/store/pack"
)

// TestReceiveLargeDeltas has blobs beyond what is in memory as bases and as
// targets of deltas, several deep and on several branches, from git.
func TestReceiveLargeDeltas(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, nil, "init", "-q", "-b", "main")
	big := make([]byte, 18<<20)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(big)
	clear(big[1<<20 : 12<<20])
	var list bytes.Buffer
	add := func(data []byte) {
		name := git(t, dir, data, "-c", "core.looseCompression=0", "hash-object", "-w", "--stdin")
		fmt.Fprintf(&list, "%s file\n", bytes.TrimSpace(name))
	}
	for i := range 3 {
		copy(big[i<<20:], fmt.Sprint("version ", i))
		add(big)
	}
	add(big[:10<<20]) // a small target on a large base, or the other way round
	add(append(big[:17<<20:17<<20], big[:17<<20]...))
	want := contents(t, dir)
	data := git(t, dir, list.Bytes(), "-c", "pack.compression=1", "pack-objects", "--stdout", "-q", "--delta-base-offset", "--window=5")
	spool := tempSpool(t)
	var got *pack.Received
	peak := peakHeap(func() {
		var err error
		if got, err = pack.Receive(context.Background(), bufio.NewReader(bytes.NewReader(data)), spool, nil, pack.Limits{}); err != nil {
			t.Fatal(err)
		}
	})
	spooled, err := os.ReadFile(spool.Name())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(spooled, data) {
		t.Errorf("spool of %d bytes differs from the pack of %d", len(spooled), len(data))
	}
	sameIndex(t, spooled, got.Index())
	compare(t, spooled, got.Index(), want)
	if peak > 100<<20 {
		t.Errorf("took %d MB", peak>>20)
	}
	t.Logf("pack of %d MB, peak %d MB", len(data)>>20, peak>>20)
}

// TestReceiveLong receives 500 MB: large blobs, many small files, versions. It runs
// with CAIRN_LONG only.
func TestReceiveLong(t *testing.T) {
	if os.Getenv("CAIRN_LONG") == "" {
		t.Skip("CAIRN_LONG is not set")
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "long.pack")
	longPack(t, dir, name)
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	spool := tempSpool(t)
	var got *pack.Received
	peak := peakHeap(func() {
		if got, err = pack.Receive(context.Background(), bufio.NewReader(f), spool, nil, pack.Limits{}); err != nil {
			t.Fatal(err)
		}
	})
	if peak > 160<<20 {
		t.Errorf("took %d MB", peak>>20)
	}
	t.Logf("pack of %d MB, %d objects, peak %d MB", got.Size>>20, got.Len(), peak>>20)
	git(t, dir, nil, "index-pack", "--fsck-objects", name)
	idx, err := os.ReadFile(filepath.Join(dir, "long.idx"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(idx, got.Index()) {
		t.Error("index differs from git's")
	}
}

func longPack(t *testing.T, dir, name string) {
	git(t, dir, nil, "init", "-q", "-b", "main")
	in, out := io.Pipe()
	go func() {
		w := bufio.NewWriter(out)
		rnd := rand.NewChaCha8([32]byte{2})
		text := make([]byte, 6000)
		for i := range 60 {
			fmt.Fprintf(w, "commit refs/heads/main\ncommitter C <c@example.org> %d +0000\ndata 2\nx\n", 1700000000+i)
			if i%10 == 0 {
				fmt.Fprintf(w, "M 644 inline large%d\ndata %d\n", i, 70<<20)
				io.CopyN(w, rnd, 70<<20)
				w.WriteByte('\n')
			}
			for j := range 300 {
				rnd.Read(text[:3000])
				copy(text[3000:], text)
				fmt.Fprintf(w, "M 644 inline d%d/f%d\ndata %d\n%x\n", j%20, j, 2*len(text[:2000]), text[:2000])
			}
		}
		w.Flush()
		out.Close()
	}()
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = dir, in
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git fast-import: %v\n%s", err, b)
	}
	if err := os.Rename(glob(t, filepath.Join(dir, ".git"), "*.pack")[0], name); err != nil {
		t.Fatal(err)
	}
}

// TestReceiveBigTree has a tree that does not fit into a slab, whole and as a delta.
func TestReceiveBigTree(t *testing.T) {
	data := treeData(20000, 1)
	changed := bytes.Clone(data)
	copy(changed[len(changed)-20:], "a new hash of 20 byt")
	b := &builder{}
	b.ofs(b.entry(2, len(data), nil, data), pack.Delta(data, changed))
	got, _, err := receive(t, b.bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := object.Object{Type: object.TypeTree, Data: changed}.Hash()
	found := false
	for h := range got.All() {
		found = found || h == want
	}
	if !found {
		t.Errorf("no tree %s", want)
	}
}
