package gitwire

import (
	"slices"
	"strconv"
	"testing"

	"cairn/store"
)

// TestShallow makes the same shallow clones and changes their depth in the same
// ways as stock git does with itself on the other side.
func TestShallow(t *testing.T) {
	source := newHistory(t)
	const c3 = 1700000000 + 3*24*60*60
	since := strconv.Itoa(c3)
	for i, test := range []struct {
		name  string
		clone []string
		then  [][]string
	}{
		{"deepen", []string{"--depth=1"}, [][]string{
			{"fetch", "-q", "--depth=2"},
			{"fetch", "-q", "--depth=4"},
			{"fetch", "-q", "--depth=2"},
			{"fetch", "-q", "--unshallow"},
		}},
		{"deepen by", []string{"--depth=2"}, [][]string{
			{"fetch", "-q", "--deepen=1"},
			{"fetch", "-q", "--deepen=2"},
			{"fetch", "-q", "--deepen=100"},
		}},
		{"all branches", []string{"--depth=2", "--no-single-branch"}, [][]string{
			{"fetch", "-q", "--deepen=1"},
			{"fetch", "-q", "--unshallow"},
		}},
		{"since", []string{"--shallow-since=" + since}, [][]string{
			{"fetch", "-q", "--shallow-since=" + strconv.Itoa(c3-2*24*60*60)},
			{"fetch", "-q", "--depth=1"},
		}},
		{"exclude", []string{"--shallow-exclude=v1"}, [][]string{
			{"fetch", "-q", "--shallow-exclude=light"},
			{"fetch", "-q", "--unshallow"},
		}},
		{"exclude a branch", []string{"--shallow-exclude=side", "--no-single-branch"}, nil},
		{"other branch later", []string{"--depth=1"}, [][]string{
			{"fetch", "-q", "origin", "topic:topic"},
			{"fetch", "-q", "--depth=1", "origin", "alien:alien"},
			{"fetch", "-q", "--deepen=1", "origin", "main:main"},
			{"fetch", "-q", "--unshallow", "origin", "main:main"},
		}},
		{"shallow from whole", nil, [][]string{
			{"fetch", "-q", "--depth=1"},
			{"fetch", "-q", "--deepen=2"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newDisk(t)
			load(t, b, source)
			url := serveView(t, showAll(b))
			for version := range 3 {
				if version != (i+2)%3 && !long() {
					continue
				}
				config := "protocol.version=" + strconv.Itoa(version)
				clone := slices.Concat([]string{"-c", config, "clone", "-q", "--bare", "-c", config}, test.clone)
				compare(t, source, url, clone, test.then...)
			}
		})
	}
}

// TestShallowThenNew fetches new commits into a shallow clone.
func TestShallowThenNew(t *testing.T) {
	setups(t, func(t *testing.T, b store.Backend, config string) {
		source := newHistory(t)
		load(t, b, source)
		url := serveView(t, showAll(b))
		clone := newGitRepo(t)
		clone.git(t, "-c", config, "clone", "-q", "--depth=2", "-c", config, url, clone.dir)
		before := clone.shallow(t)
		source.at(800000).commit(t, "new", "top", "new")
		load(t, b, source)
		clone.git(t, "pull", "-q", "--ff-only")
		if got, want := clone.rev(t, "HEAD"), source.rev(t, "main"); got != want {
			t.Errorf("HEAD: got %s, want %s", got, want)
		}
		if got := clone.shallow(t); !slices.Equal(got, before) {
			t.Errorf("shallow: got %q, want %q", got, before)
		}
		clone.git(t, "fsck", "--strict")
	})
}
