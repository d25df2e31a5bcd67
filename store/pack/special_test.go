package pack_test

import (
	"errors"
	"testing"

	"cairn/store/object"
	"cairn/store/pack"
)

// TestReceiveSpecials has a hostile .gitmodules before its tree, after it and
// as a delta, and a folder of that name.
func TestReceiveSpecials(t *testing.T) {
	good := "[submodule \"a\"]\n\tpath = a\n\turl = https://example.org/a\n"
	evil := "[submodule \"a\"]\n\tpath = a\n\turl = --upload-pack=touch\n"
	tree := func(hash object.Hash, mode object.Mode) []byte {
		return object.AppendTree(nil, []object.Entry{{Name: ".GITMODULES", Mode: mode, Hash: hash}})
	}
	for name, c := range map[string]struct {
		build func(b *builder)
		want  string
	}{
		"good":   {func(b *builder) { b.blob(good); b.entry(2, 39, nil, tree(blobHash(good), object.ModeFile)) }, ""},
		"before": {func(b *builder) { b.blob(evil); b.entry(2, 39, nil, tree(blobHash(evil), object.ModeFile)) }, "gitmodulesUrl"},
		"after":  {func(b *builder) { b.entry(2, 39, nil, tree(blobHash(evil), object.ModeFile)); b.blob(evil) }, "gitmodulesUrl"},
		"delta": {func(b *builder) {
			b.entry(2, 39, nil, tree(blobHash(evil), object.ModeFile))
			b.ofs(b.blob(good), pack.Delta([]byte(good), []byte(evil)))
		}, "gitmodulesUrl"},
		"folder": {func(b *builder) {
			empty := object.Object{Type: object.TypeTree}.Hash()
			b.entry(2, 0, nil, nil)
			b.entry(2, 38, nil, tree(empty, object.ModeDir))
		}, "gitmodulesBlob"},
		"elsewhere": {func(b *builder) { b.entry(2, 39, nil, tree(blobHash(evil), object.ModeFile)) }, ""},
	} {
		b := &builder{}
		c.build(b)
		_, _, err := receive(t, b.bytes(), nil)
		var ce *object.CheckError
		got := ""
		if errors.As(err, &ce) {
			got = ce.ID
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
