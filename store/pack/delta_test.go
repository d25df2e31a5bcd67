package pack_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"cairn/store/object"
	"cairn/store/pack"
)

func treeData(n int, seed uint64) []byte {
	rnd := rand.New(rand.NewPCG(seed, 1))
	var entries []object.Entry
	for i := range n {
		e := object.Entry{Name: fmt.Sprintf("file-%05d", i), Mode: object.ModeFile}
		for j := range e.Hash {
			e.Hash[j] = byte(rnd.Uint32())
		}
		entries = append(entries, e)
	}
	return object.AppendTree(nil, entries)
}

func TestDelta(t *testing.T) {
	tree := treeData(300, 1)
	entry := len(tree) / 300
	changed := bytes.Clone(tree)
	copy(changed[1000:], "a new hash of 20 byt")
	two := bytes.Clone(changed)
	copy(two[8000:], "another hash of 20 b")
	random := treeData(300, 2)
	for _, c := range []struct {
		name         string
		base, target []byte
		max          int
	}{
		{"equal", tree, tree, 12},
		{"one hash", tree, changed, 45},
		{"two hashes", tree, two, 80},
		{"two hashes of two versions", changed, bytes.Replace(two, []byte("a new"), []byte("A NEW"), 1), 70},
		{"one entry less", tree, append(bytes.Clone(tree[:50*entry]), tree[51*entry:]...), 20},
		{"one entry more", append(bytes.Clone(tree[:50*entry]), tree[51*entry:]...), tree, 60},
		{"halves swapped", tree, append(bytes.Clone(tree[150*entry:]), tree[:150*entry]...), 40},
		{"empty base", nil, tree, len(tree) + len(tree)/100 + 20},
		{"empty target", tree, nil, 5},
		{"both empty", nil, nil, 2},
		{"nothing in common but names", tree, random, len(tree) + len(tree)/50},
		{"repetitive", bytes.Repeat([]byte("ab"), 50000), bytes.Repeat([]byte("ab"), 70000), 40},
		{"large", bytes.Repeat(tree, 40), bytes.Repeat(changed, 40), 40 * 80},
	} {
		delta := pack.Delta(c.base, c.target)
		if len(delta) > c.max {
			t.Errorf("%s: %d bytes, want at most %d", c.name, len(delta), c.max)
		}
		got, err := pack.Apply(c.base, delta, int64(len(c.target)))
		if err != nil || !bytes.Equal(got, c.target) {
			t.Errorf("%s: does not come back: %v", c.name, err)
		}
	}
}

func TestApplyLimit(t *testing.T) {
	delta := pack.Delta([]byte("hello"), []byte("hello, world"))
	if _, err := pack.Apply([]byte("hello"), delta, 11); !errors.Is(err, pack.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, pack.ErrTooLarge)
	}
}

func BenchmarkDelta(b *testing.B) {
	base := treeData(256, 1)
	target := bytes.Clone(base)
	copy(target[1000:], "a new hash of 20 byt")
	copy(target[4000:], "a new hash of 20 byt")
	b.SetBytes(int64(len(target)))
	for b.Loop() {
		pack.Delta(base, target)
	}
}

// FuzzDelta makes target of base and wants it back.
func FuzzDelta(f *testing.F) {
	tree := treeData(8, 1)
	f.Add(tree, tree)
	f.Add(tree[:100], tree)
	f.Add(tree, append(bytes.Clone(tree[150:]), tree[:150]...))
	f.Fuzz(func(t *testing.T, base, target []byte) {
		got, err := pack.Apply(base, pack.Delta(base, target), int64(len(target)))
		if err != nil || !bytes.Equal(got, target) {
			t.Errorf("Delta(%q, %q): %v", base, target, err)
		}
	})
}

func FuzzApply(f *testing.F) {
	f.Add([]byte("hello"), pack.Delta([]byte("hello"), []byte("hello, world")))
	f.Add([]byte("hello"), []byte{5, 5, 0x90, 5})
	f.Add([]byte("hello"), []byte{5, 0xff, 0xff, 0xff, 0x7f, 0xff, 1, 2, 3, 4, 5, 6, 7})
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		const limit = 1 << 16
		got, err := pack.Apply(base, delta, limit)
		if err == nil && len(got) > limit {
			t.Errorf("%d bytes, limit %d", len(got), limit)
		}
		same, sameErr := pack.ApplyStream(base, delta, limit)
		if (err == nil) != (sameErr == nil) || !bytes.Equal(got, same) {
			t.Errorf("streamed: %q, %v; got %q, %v", same, sameErr, got, err)
		}
	})
}
