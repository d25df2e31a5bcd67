package lazy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"cairn/bench/stock"
	"cairn/store"
	"cairn/store/lazy"
	"cairn/store/object"

	"github.com/go-git/go-git/v5/plumbing"
)

// TestStockGit keeps a repository as stock git sends it: first without files, then
// commits in thin packs whose deltas lean on files that are not here.
func TestStockGit(t *testing.T) {
	ctx := t.Context()
	corpus := stock.Corpus{Files: 600, Size: 3000}
	var history stock.Stream
	history.Tree(corpus)
	for i := range uint64(5) {
		history.Commit(corpus.Edits(20, i)...)
	}
	repo, err := stock.New(ctx, filepath.Join(t.TempDir(), "elsewhere.git"), history.Data)
	if err != nil {
		t.Fatal(err)
	}
	packed := func(in string, how ...string) []byte {
		t.Helper()
		cmd := repo.Command(ctx, append([]string{"pack-objects", "-q", "--stdout"}, how...)...)
		cmd.Stdin = strings.NewReader(in)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	var s *lazy.Store
	requests := 0
	s = lazy.New(lazy.Options{Bytes: 4 << 20, Fetch: func(ctx context.Context, hashes []store.Hash) error {
		requests++
		var in strings.Builder
		for _, h := range hashes {
			fmt.Fprintln(&in, h)
		}
		return receiveAll(ctx, s.Fetched(), packed(in.String()), nil)
	}})
	defer s.Close()
	first := "main~5\n"
	if err := receiveAll(ctx, s.Fetched(), packed(first, "--revs", "--filter=blob:none"), nil); err != nil {
		t.Fatal(err)
	}
	for i := 4; i >= 0; i-- {
		thin := packed(fmt.Sprintf("main~%d\n^main~%d\n", i, i+1), "--revs", "--thin", "--delta-base-offset", "--no-use-bitmap-index")
		if err := receiveAll(ctx, s.Fetched(), thin, s.Object); err != nil {
			t.Fatalf("commit %d: %v", i, err)
		}
	}
	if requests == 0 {
		t.Error("no base was asked for")
	}
	list, err := repo.Run(ctx, nil, "rev-list", "--objects", "--no-object-names", "main")
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(list) {
		h := plumbing.NewHash(name)
		if o, err := s.Object(ctx, h); err != nil || o.Hash() != h {
			t.Fatalf("object %v: %v", h, err)
		}
	}
	s.Close()
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

func receiveAll(ctx context.Context, to store.Receiver, data []byte, base func(context.Context, store.Hash) (object.Object, error)) error {
	q, err := to.Receive(ctx, bytes.NewReader(data), base, store.Limits{})
	if err != nil {
		return err
	}
	defer q.Discard()
	return q.Keep(ctx)
}

// FuzzTrees notes trees of any content and misses what they name: whatever they hold, what is
// read is what was asked for or an error.
func FuzzTrees(f *testing.F) {
	o := blob([]byte("content"))
	h := o.Hash()
	for _, entries := range [][]object.Entry{
		nil,
		{{Name: "file", Mode: object.ModeFile, Hash: h}},
		{{Name: "a", Mode: object.ModeFile, Hash: store.Hash{1}}, {Name: "b", Mode: object.ModeDir, Hash: h}, {Name: "c", Mode: object.ModeSubmodule, Hash: h}},
	} {
		f.Add(object.AppendTree(nil, entries))
	}
	f.Add([]byte("100644 \x00"))
	f.Add(append([]byte("100644"), h[:]...))
	f.Add(append([]byte("\x00\x00"), h[:]...))
	f.Add(h[:])
	f.Fuzz(func(t *testing.T, tree []byte) {
		root := object.Object{Type: object.TypeTree, Data: tree}
		var s *lazy.Store
		s = lazy.New(lazy.Options{Bytes: 1, Fetch: func(ctx context.Context, hashes []store.Hash) error {
			for _, asked := range hashes {
				if asked == h {
					return s.Put(ctx, o)
				}
			}
			return fs.ErrNotExist
		}})
		defer s.Close()
		if err := s.Put(t.Context(), root); err != nil {
			t.Fatal(err)
		}
		for _, want := range []object.Object{root, o} {
			got, err := s.Object(t.Context(), want.Hash())
			if err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Equal(got.Data, want.Data) {
				t.Errorf("object %v: got %d bytes, %v", want.Hash(), len(got.Data), err)
			}
		}
	})
}
