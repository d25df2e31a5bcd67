package gitwire

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"cairn/store"
)

// TestFilter makes the same partial clones as stock git does with itself.
func TestFilter(t *testing.T) {
	source := newHistory(t)
	setups(t, func(t *testing.T, b store.Backend, config string) {
		load(t, b, source)
		url := serveView(t, showAll(b))
		// Clones with object:type=tree or tag fail with either server.
		for i, spec := range []string{
			"blob:none", "blob:limit=4k", "blob:limit=4500", "tree:0", "tree:1", "tree:2", "tree:3",
			"object:type=commit", "combine:blob:none+tree:2",
		} {
			if !long() && !strings.HasSuffix(config, strconv.Itoa(i%3)) {
				continue
			}
			compare(t, source, url, []string{"-c", config, "clone", "-q", "--bare", "--filter=" + spec})
		}
	})
}

// TestLazyFetch checks out and reads history in clones that lack most objects.
func TestLazyFetch(t *testing.T) {
	source := newHistory(t)
	specs := []string{"blob:none", "tree:0"}
	if long() {
		specs = append(specs, "blob:limit=1k", "tree:1")
	}
	setups(t, func(t *testing.T, b store.Backend, config string) {
		load(t, b, source)
		url := serveView(t, showAll(b))
		for _, spec := range specs {
			clone := newGitRepo(t)
			clone.git(t, "-c", config, "clone", "-q", "-c", config, "--filter="+spec, url, clone.dir)
			if got, want := clone.git(t, "log", "-p"), source.git(t, "log", "-p"); got != want {
				t.Errorf("%s: log -p differs: got %d bytes, want %d", spec, len(got), len(want))
			}
			clone.git(t, "checkout", "-q", "topic")
			if got := clone.git(t, "status", "--porcelain"); got != "" {
				t.Errorf("%s: status: %s", spec, got)
			}
		}
	})
}

// TestFilterRefused expects a word about filters that are not there.
func TestFilterRefused(t *testing.T) {
	source := newHistory(t)
	setups(t, func(t *testing.T, b store.Backend, config string) {
		load(t, b, source)
		url := serveView(t, showAll(b))
		for _, spec := range []string{"sparse:oid=main:top", "combine:blob:none+sparse:oid=main:top"} {
			clone := newGitRepo(t)
			out, err := clone.try(t, "-c", config, "clone", "--filter="+spec, url, clone.dir)
			if err == nil || !strings.Contains(out, "is not supported") {
				t.Errorf("%s: got %v\n%s", spec, err, out)
			}
		}
	})
}

func TestParseFilter(t *testing.T) {
	for spec, want := range map[string]filter{
		"blob:none":                        {hasLimit: true},
		"blob:limit=10":                    {hasLimit: true, blobLimit: 10},
		"blob:limit=2K":                    {hasLimit: true, blobLimit: 2048},
		"blob:limit=3g":                    {hasLimit: true, blobLimit: 3 << 30},
		"tree:7":                           {hasDepth: true, treeDepth: 7},
		"combine:tree:7+tree:3":            {hasDepth: true, treeDepth: 3},
		"combine:blob%3Anone+blob:limit=5": {hasLimit: true},
	} {
		got, err := parseFilter(spec)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", spec, got, err, want)
		}
	}
	for _, spec := range []string{
		"", "blob", "blob:limit=", "blob:limit=-1", "blob:limit=9999999999999g", "tree:", "tree:-1", "tree:4294967296",
		"object:type=commitment", "sparse:oid=x", "combine:", "combine:%zz", "combine:" + strings.Repeat("tree:1+", 40) + "tree:1",
		strings.Repeat("combine:", 1000) + "tree:1",
	} {
		if f, err := parseFilter(spec); err == nil {
			t.Errorf("%.40q: got %+v, want an error", spec, f)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, spec := range []string{"blob:none", "blob:limit=1k", "tree:3", "object:type=tag", "combine:blob:none+combine%3Atree%3A2"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		got, err := parseFilter(spec)
		if err == nil && (got.blobLimit < 0 || got.treeDepth < 0) {
			t.Errorf("%q: got %+v", spec, got)
		}
		if both := got.and(got); err == nil && both != got && slices.Contains([]string{"blob", "tree"}, spec[:4]) {
			t.Errorf("%q twice: got %+v, want %+v", spec, both, got)
		}
	})
}
