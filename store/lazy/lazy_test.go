package lazy_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"testing"

	"cairn/store"
	"cairn/store/lazy"
	"cairn/store/object"
)

func TestSmoke(t *testing.T) {
	elsewhere := map[store.Hash]object.Object{}
	var tree []object.Entry
	var hs []store.Hash
	for i := range 100 {
		o := object.Object{Type: object.TypeBlob, Data: bytes.Repeat([]byte{byte(i), 'x'}, 1000)}
		elsewhere[o.Hash()] = o
		hs = append(hs, o.Hash())
		tree = append(tree, object.Entry{Name: string(rune('a'+i/26)) + string(rune('a'+i%26)), Mode: object.ModeFile, Hash: o.Hash()})
	}
	o := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, tree)}
	elsewhere[o.Hash()] = o
	calls := 0
	var s *lazy.Store
	s = lazy.New(lazy.Options{Fetch: func(ctx context.Context, hs []store.Hash) error {
		calls++
		for _, h := range hs {
			if o, ok := elsewhere[h]; ok {
				if err := s.Put(ctx, o); err != nil {
					return err
				}
			}
		}
		return nil
	}})
	defer s.Close()
	ctx := context.Background()
	if _, err := s.Object(ctx, o.Hash()); err != nil {
		t.Fatal(err)
	}
	for _, h := range hs {
		if o, err := s.Object(ctx, h); err != nil || o.Hash() != h {
			t.Fatal(err)
		}
	}
	if _, err := s.Object(ctx, store.Hash{1}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if calls > 6 {
		t.Error(calls)
	}
}
