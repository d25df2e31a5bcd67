package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// TestPrune follows an object from being referred to, over being garbage that
// can be read, to being gone; and one that is referred to again in time.
func TestPrune(t *testing.T) {
	ctx := context.Background()
	d := newDir(t, Options{NoMaintenance: true})
	w := &workload{d: d, refs: map[string]store.Hash{}}
	do := func(names ...string) {
		t.Helper()
		if err := w.edit(names...)(); err != nil {
			t.Fatal(err)
		}
		w.refs = w.next
	}
	do("refs/heads/main", "refs/heads/gone", "refs/heads/back")
	do("refs/heads/main", "refs/heads/gone", "refs/heads/back")
	gone, back := w.refs["refs/heads/gone"], w.refs["refs/heads/back"]
	do("-refs/heads/gone", "-refs/heads/back")
	now := time.Now()
	prune := func(days int) {
		t.Helper()
		if err := d.pruneAt(ctx, now.AddDate(0, 0, days)); err != nil {
			t.Fatal(err)
		}
		if err := readHistory(d, w.refs["refs/heads/main"]); err != nil {
			t.Errorf("day %d: %v", days, err)
		}
		fsck(t, d)
	}
	prune(0)
	prune(13)
	if cruft, _ := filepath.Glob(d.root.path(packFolder + "/*.mtimes")); len(cruft) != 1 {
		t.Errorf("cruft packs: got %v, want 1", cruft)
	}
	if err := readHistory(d, gone); err != nil {
		t.Errorf("within the grace: %v", err)
	}
	if err := d.Commit(ctx, nil, []store.RefChange{{Name: "refs/heads/again", New: back}}); err != nil {
		t.Fatal(err)
	}
	prune(15)
	if _, err := d.Object(ctx, gone); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the grace: got %v, want not exist", err)
	}
	if err := readHistory(d, back); err != nil {
		t.Errorf("referred to again: %v", err)
	}
	if cruft, _ := filepath.Glob(d.root.path(packFolder + "/*.mtimes")); len(cruft) != 0 {
		t.Errorf("cruft packs: got %v, want none", cruft)
	}
}

// TestPruneRefusesDamage: nothing is removed while something is missing.
func TestPruneRefusesDamage(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	w := &workload{d: d, refs: map[string]store.Hash{}}
	if err := w.edit("refs/heads/main", "refs/heads/x")(); err != nil {
		t.Fatal(err)
	}
	lost := strings.Repeat("ab", 20)
	if err := os.WriteFile(d.root.path("refs/heads/lost"), []byte(lost+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(d.packs.now.Load().packs)
	if err := d.pruneAt(context.Background(), time.Now()); err == nil {
		t.Error("got no error for a ref without its object")
	}
	if got := len(d.packs.now.Load().packs); got != before {
		t.Errorf("packs: got %d, want %d", got, before)
	}
}

// TestPackLoose has git write many loose objects and Maintain pack them.
func TestPackLoose(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	dir := t.TempDir()
	var names []string
	for i := range looseLimit + 1 {
		name := filepath.Join(dir, fmt.Sprint(i))
		names = append(names, name)
		if err := os.WriteFile(name, fmt.Append(nil, i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git(t, string(d.root), append([]string{"-c", "core.fsync=none", "hash-object", "-w", "--no-filters"}, names...)...)
	first := object.Object{Type: object.TypeBlob, Data: []byte("0")}.Hash()
	if _, _, err := d.Stat(context.Background(), first); err != nil {
		t.Fatal(err)
	}
	if err := d.Maintain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if loose, err := d.listLoose(); err != nil || len(loose) != 0 {
		t.Errorf("loose objects: got %d, %v, want none", len(loose), err)
	}
	if o, err := d.Object(context.Background(), first); err != nil || string(o.Data) != "0" {
		t.Errorf("got %q, %v", o.Data, err)
	}
	fsck(t, d)
}
