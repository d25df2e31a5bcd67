package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

// join is a MergeFunc that shows what it was given.
func join(path string, base, ours, theirs []byte) ([]byte, error) {
	side := func(b []byte) string {
		if b == nil {
			return "nil"
		}
		return string(b)
	}
	return []byte("(" + side(base) + "|" + side(ours) + "|" + side(theirs) + ")"), nil
}

func remove(string, []byte, []byte, []byte) ([]byte, error) { return nil, nil }

func refuse(string, []byte, []byte, []byte) ([]byte, error) { return nil, store.ErrMergeConflict }

// pairs splits "a=1 b/c=2" for put; "a=-" removes.
func pairs(files string) []string {
	return strings.FieldsFunc(files, func(r rune) bool { return r == ' ' || r == '=' })
}

func TestMerge(t *testing.T) {
	for _, test := range []struct {
		name               string
		base, ours, theirs string
		f                  store.MergeFunc
		want               string // files, or "conflict:" and paths
	}{
		{"different files", "a=1 b=1", "a=2", "b=2", nil, "a=2 b=2"},
		{"different folders", "a/x=1 b/x=1", "a/x=2", "b/x=2 b/y=1", nil, "a/x=2 b/x=2 b/y=1"},
		{"same folder", "a/x=1 a/y=1", "a/x=2", "a/y=2", nil, "a/x=2 a/y=2"},
		{"alike", "a=1", "a=2 b=1", "a=2 c=1", refuse, "a=2 b=1 c=1"},
		{"both added alike", "z=1", "a=1 b=1", "a=1 c=1", refuse, "a=1 b=1 c=1 z=1"},
		{"both removed", "a=1 z=1", "a=- b=1", "a=- c=1", refuse, "b=1 c=1 z=1"},
		{"removed here", "a=1 z=1", "a=-", "z=2", nil, "z=2"},
		{"removed there", "a=1 z=1", "z=2", "a=-", nil, "z=2"},

		{"both changed, no function", "a=1", "a=2", "a=3", nil, "conflict: a"},
		{"both changed", "a=1", "a=2", "a=3", join, "a=(1|2|3)"},
		{"both added", "z=1", "a=2", "a=3", join, "a=(nil|2|3) z=1"},
		{"removed here, changed there", "a=1 z=1", "a=-", "a=3", join, "a=(1|nil|3) z=1"},
		{"changed here, removed there", "a=1 z=1", "a=2", "a=-", join, "a=(1|2|nil) z=1"},
		{"function removes", "a=1 z=1", "a=2", "a=3", remove, "z=1"},
		{"function refuses", "a=1 b=1 z=1", "a=2 b=2", "b=3 a=3", refuse, "conflict: a b"},
		{"in folders", "a/b/c=1 z=1", "a/b/c=2", "a/b/c=3", join, "a/b/c=(1|2|3) z=1"},
		{"folder removed here, changed there", "a/x=1 a/y=1 z=1", "a=-", "a/x=2", join, "a/x=(1|nil|2) z=1"},
		{"folder removed here, added to there", "a/x=1 z=1", "a=-", "a/y=2", refuse, "a/y=2 z=1"},

		{"file becomes folder there", "a=1 z=1", "z=2", "a=- a/x=1", nil, "a/x=1 z=2"},
		{"file becomes folder here", "a=1 z=1", "a=- a/x=1", "z=2", nil, "a/x=1 z=2"},
		{"folder becomes file there", "a/x=1 z=1", "z=2", "a=- a=1", nil, "a=1 z=2"},
		{"folder becomes file here", "a/x=1 z=1", "a=- a=1", "z=2", nil, "a=1 z=2"},
		{"changed here, folder there", "a=1 z=1", "a=2", "a=- a/x=1", join, "conflict: a/x"},
		{"changed here, folder there, removed", "a=1 z=1", "a=2", "a=- a/x=1", remove, "a/x=1 z=1"},
		{"folder here, changed there", "a=1 z=1", "a=- a/x=1", "a=2", join, "conflict: a"},
		{"folder here, changed there, removed", "a=1 z=1", "a=- a/x=1", "a=2", remove, "a/x=1 z=1"},
		{"file and folder added", "z=1", "a=1", "a/x=1", join, "conflict: a/x"},
		{"folder and file added", "z=1", "a/x=1", "a=1", join, "conflict: a"},
		{"file here, changed in folder there", "a/x=1 z=1", "a=- a=1", "a/x=2", join, "conflict: a/x"},
		{"file here, changed in folder there, removed", "a/x=1 z=1", "a=- a=1", "a/x=2", remove, "a=1 z=1"},
		{"changed in folder here, file there, removed", "a/x=1 z=1", "a/x=2", "a=- a=1", remove, "a=1 z=1"},
		{"changed in folder here, file there", "a/x=1 z=1", "a/x=2", "a=- a=1", join, "conflict: a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx := context.Background()
			main := newRepo().Branch("main")
			put(t, main, pairs(test.base)...)
			other, err := main.Fork(ctx, "other")
			if err != nil {
				t.Fatal(err)
			}
			ours := put(t, main, pairs(test.ours)...)
			theirs := put(t, other, pairs(test.theirs)...)
			err = main.Merge(ctx, change("merge other"), theirs, test.f)
			if c, ok := errors.AsType[*store.MergeConflictError](err); ok {
				if got := "conflict: " + strings.Join(c.Paths, " "); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
				if got := tip(t, main); got != ours {
					t.Errorf("main after a conflict: got %v, want %v", got, ours)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := show(t, tree(t, main)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			rev, _ := tree(t, main).Commit()
			if !slices.Equal(rev.Parents, []store.Hash{ours, theirs}) {
				t.Errorf("parents: got %v, want %v and %v", rev.Parents, ours, theirs)
			}
			if err := main.Merge(ctx, change("again"), theirs, nil); err != nil || tip(t, main) != rev.Hash {
				t.Errorf("merge again: got %v, moved %v", err, tip(t, main) != rev.Hash)
			}
		})
	}
}

func TestMergeModes(t *testing.T) {
	const file, exec, link = object.ModeFile, object.ModeExecutable, object.ModeSymlink
	for _, test := range []struct {
		name               string
		base, ours, theirs object.Entry // Name is the content, Mode 0 absence
		want               string
	}{
		{"mode here, content there", object.Entry{Name: "1", Mode: file}, object.Entry{Name: "1", Mode: exec}, object.Entry{Name: "2", Mode: file}, "0100755 2"},
		{"content here, mode there", object.Entry{Name: "1", Mode: file}, object.Entry{Name: "2", Mode: file}, object.Entry{Name: "1", Mode: exec}, "0100755 2"},
		{"both contents, mode there", object.Entry{Name: "1", Mode: exec}, object.Entry{Name: "2", Mode: exec}, object.Entry{Name: "3", Mode: file}, "0100644 (1|2|3)"},
		{"both added, modes differ", object.Entry{}, object.Entry{Name: "1", Mode: file}, object.Entry{Name: "1", Mode: exec}, "0100755 1"},
		{"link there", object.Entry{Name: "1", Mode: file}, object.Entry{Name: "1", Mode: file}, object.Entry{Name: "x", Mode: link}, "0120000 x"},
		{"link there, changed here", object.Entry{Name: "1", Mode: file}, object.Entry{Name: "2", Mode: file}, object.Entry{Name: "x", Mode: link}, "conflict"},
		{"links differ", object.Entry{Name: "x", Mode: link}, object.Entry{Name: "y", Mode: link}, object.Entry{Name: "z", Mode: link}, "conflict"},
		{"link removed here, changed there", object.Entry{Name: "x", Mode: link}, object.Entry{}, object.Entry{Name: "z", Mode: link}, "conflict"},
		{"mode here, removed there", object.Entry{Name: "1", Mode: file}, object.Entry{Name: "1", Mode: exec}, object.Entry{}, "0100755 (1|1|nil)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx := context.Background()
			main := newRepo().Branch("main")
			set := func(b *store.Branch, e object.Entry) {
				err := b.Update(ctx, change("set"), func(tx *store.Tx) error {
					if e.Mode == 0 {
						_ = tx.Remove("f") // may be absent already
						return tx.Put(b.Name(), nil)
					}
					return errors.Join(tx.Put(b.Name(), nil), tx.PutMode("f", e.Mode, []byte(e.Name)))
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			set(main, test.base)
			other, err := main.Fork(ctx, "other")
			if err != nil {
				t.Fatal(err)
			}
			set(other, test.theirs)
			put(t, main, "also", "here")
			set(main, test.ours)
			got := "conflict"
			err = main.Merge(ctx, change("merge"), tip(t, other), join)
			if _, ok := errors.AsType[*store.MergeConflictError](err); !ok {
				if err != nil {
					t.Fatal(err)
				}
				e, err := tree(t, main).Lookup("f")
				if err != nil {
					t.Fatal(err)
				}
				data, _, err := tree(t, main).Blob("f")
				if err != nil {
					t.Fatal(err)
				}
				got = fmt.Sprintf("%v %s", e.Mode, data)
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestMergeFastForward(t *testing.T) {
	ctx := context.Background()
	r := newRepo()
	main := r.Branch("main")
	put(t, main, "a", "1")
	draft, err := main.Fork(ctx, "draft")
	if err != nil {
		t.Fatal(err)
	}
	ahead := put(t, draft, "a", "2")
	for _, b := range []*store.Branch{main, r.Branch("absent")} {
		if err := b.Merge(ctx, change("merge"), ahead, nil); err != nil {
			t.Fatal(err)
		}
		if got := tip(t, b); got != ahead {
			t.Errorf("%s: got %v, want %v", b.Name(), got, ahead)
		}
	}
}

func TestMergeAgainstGit(t *testing.T) { often(t, testMergeAgainstGit) }

// testMergeAgainstGit merges commits of a random history as git merge-tree does. Where
// the two have several merge bases, which are merged in another way than git's,
// a conflict that git does not see is no fault; the contrary is.
func testMergeAgainstGit(t *testing.T, repetition int) {
	rnd := seeded(repetition)
	r, n := history(t, rnd, 60)
	ctx := context.Background()
	clean, careful := 0, 0
	for range 60 {
		a, b := fmt.Sprintf("c%d", rnd.IntN(n)), fmt.Sprintf("c%d", rnd.IntN(n))
		out, gitErr := r.tryGit("", "merge-tree", "--write-tree", "--allow-unrelated-histories", a, b)
		want, _, _ := strings.Cut(out, "\n")

		fork, err := r.Branch(a).Fork(ctx, "try")
		if err != nil {
			t.Fatal(err)
		}
		err = fork.Merge(ctx, change("merge "+b), tip(t, r.Branch(b)), nil)
		_, conflict := errors.AsType[*store.MergeConflictError](err)
		if err != nil && !conflict {
			t.Fatal(err)
		}
		if conflict && gitErr == nil && strings.Contains(r.git(t, "", "merge-base", "--all", a, b), "\n") {
			careful++
		} else if conflict != (gitErr != nil) {
			t.Errorf("merge %s into %s: got %v, git: %v\n%s", b, a, err, gitErr, out)
		}
		if !conflict && gitErr == nil {
			clean++
			if got := tree(t, fork).Hash().String(); got != want {
				t.Errorf("merge %s into %s: got tree %v, want %v", b, a, got, want)
			}
		}
		if err := fork.Delete(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if clean == 0 || careful > 3 {
		t.Errorf("%d merges were clean, %d of 60 conflicts were ours alone; want some, and 3 at most", clean, careful)
	}
	r.git(t, "", "fsck", "--strict", "--full")
}

func TestRevert(t *testing.T) {
	ctx := context.Background()
	main := newRepo().Branch("main")
	first := put(t, main, "a", "1", "b", "1")
	bad := put(t, main, "a", "2", "c", "1")
	put(t, main, "b", "2")
	if err := main.Revert(ctx, change("revert"), bad, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := show(t, tree(t, main)), "a=1 b=2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	before := tip(t, main)
	if err := main.Revert(ctx, change("revert again"), bad, nil); err != nil || tip(t, main) != before {
		t.Errorf("revert again: got %v, moved %v", err, tip(t, main) != before)
	}
	bad = put(t, main, "a", "3")
	put(t, main, "a", "4")
	err := main.Revert(ctx, change("revert"), bad, nil)
	if c, ok := errors.AsType[*store.MergeConflictError](err); !ok || !slices.Equal(c.Paths, []string{"a"}) {
		t.Errorf("revert of what has changed since: got %v, want a conflict on a", err)
	}
	if err := main.Revert(ctx, change("revert"), bad, join); err != nil {
		t.Fatal(err)
	}
	if got, want := show(t, tree(t, main)), "a=(3|4|1) b=2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := main.Revert(ctx, change("revert the first"), first, remove); err != nil {
		t.Fatal(err)
	}
	if got := show(t, tree(t, main)); got != "" {
		t.Errorf("after reverting the first commit: got %s, want nothing", got)
	}
}

func TestReset(t *testing.T) {
	ctx := context.Background()
	main := newRepo().Branch("main")
	put(t, main, "a", "1")
	old := tree(t, main)
	last := put(t, main, "a", "2", "b/c", "1")
	if err := main.Reset(ctx, change("roll back"), old); err != nil {
		t.Fatal(err)
	}
	now := tree(t, main)
	if rev, _ := now.Commit(); now.Hash() != old.Hash() || !slices.Equal(rev.Parents, []store.Hash{last}) {
		t.Errorf("got tree %v on %v, want %v on %v", now.Hash(), rev.Parents, old.Hash(), last)
	}
	if err := main.Reset(ctx, change("empty"), new(store.Tree)); err != nil {
		t.Fatal(err)
	}
	if got := show(t, tree(t, main)); got != "" {
		t.Errorf("got %s, want nothing", got)
	}
	elsewhere := newRepo().Branch("main")
	put(t, elsewhere, "x", "1")
	if err := main.Reset(ctx, change("from elsewhere"), tree(t, elsewhere)); err == nil {
		t.Error("reset to a tree of another repository: got no error")
	}
}
