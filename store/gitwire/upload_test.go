package gitwire

import (
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cairn/store"
)

// protocols runs a test with each protocol version as git's configuration.
func protocols(t *testing.T, f func(t *testing.T, config string)) {
	for version := range 3 {
		t.Run("v"+strconv.Itoa(version), func(t *testing.T) {
			f(t, "protocol.version="+strconv.Itoa(version))
		})
	}
}

func TestClone(t *testing.T) {
	source := newHistory(t)
	onBackends(t, func(t *testing.T, b store.Backend) {
		load(t, b, source)
		url := serveView(t, showAll(b))
		protocols(t, func(t *testing.T, config string) {
			mirror := newGitRepo(t)
			mirror.git(t, "-c", config, "clone", "-q", "--mirror", url, mirror.dir)
			if got, want := mirror.refs(t), source.refs(t); got != want {
				t.Errorf("refs of the mirror:\n%s\nwant\n%s", got, want)
			}
			if got, want := mirror.objects(t), source.objects(t); !slices.Equal(got, want) {
				t.Errorf("objects of the mirror: got %d, want %d", len(got), len(want))
			}
			mirror.git(t, "fsck", "--strict")

			clone := newGitRepo(t)
			clone.git(t, "-c", config, "clone", "-q", url, clone.dir)
			if got, want := clone.rev(t, "HEAD^{tree}"), source.rev(t, "main^{tree}"); got != want {
				t.Errorf("tree of the clone: got %s, want %s", got, want)
			}
			if got := clone.git(t, "status", "--porcelain"); got != "" {
				t.Errorf("status of the clone: %s", got)
			}
		})
	})
}

func TestSingleBranch(t *testing.T) {
	source := newHistory(t)
	b := newDisk(t)
	load(t, b, source)
	url := serveView(t, showAll(b))
	protocols(t, func(t *testing.T, config string) {
		for _, args := range [][]string{
			{"--single-branch", "-b", "topic"},
			{"--single-branch", "-b", "topic", "--no-tags"},
			{"--single-branch", "-b", "v2"},
		} {
			compare(t, source, url, slices.Concat([]string{"-c", config, "clone", "-q", "--bare"}, args))
		}
	})
}

// serveGit serves a repository with stock git's own server at the URL it returns.
func serveGit(t testing.TB, g *gitRepo) string {
	t.Helper()
	g.git(t, "config", "uploadpack.allowFilter", "true")
	g.git(t, "config", "uploadpack.allowAnySHA1InWant", "true")
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	return serveHandler(t, &cgi.Handler{
		Path: git,
		Args: []string{"http-backend"},
		Env:  []string{"GIT_PROJECT_ROOT=" + g.dir, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + filepath.Dir(g.dir), "GIT_CONFIG_NOSYSTEM=1"},
	}) + "/.git"
}

// compare makes the same clone from stock git and from url and expects the same
// refs, objects and ends of history. It returns both.
func compare(t *testing.T, source *gitRepo, url string, clone []string, then ...[]string) {
	t.Helper()
	judge, ours := newGitRepo(t), newGitRepo(t)
	judge.git(t, slices.Concat(clone, []string{serveGit(t, source), judge.dir})...)
	ours.git(t, slices.Concat(clone, []string{url, ours.dir})...)
	same(t, judge, ours, clone)
	for _, args := range then {
		judge.git(t, args...)
		ours.git(t, args...)
		same(t, judge, ours, args)
	}
}

func same(t *testing.T, judge, ours *gitRepo, what []string) {
	t.Helper()
	name := strings.Join(what, " ")
	if got, want := ours.refs(t), judge.refs(t); got != want {
		t.Errorf("%s: refs:\n%s\nwant\n%s", name, got, want)
	}
	if got, want := ours.objects(t), judge.objects(t); !slices.Equal(got, want) {
		t.Errorf("%s: objects: got %d, want %d\n%s", name, len(got), len(want), difference(got, want))
	}
	if got, want := ours.shallow(t), judge.shallow(t); !slices.Equal(got, want) {
		t.Errorf("%s: shallow: got %q, want %q", name, got, want)
	}
}

// difference lists what is in one of two sorted lists only.
func difference(got, want []string) string {
	var b strings.Builder
	for _, s := range got {
		if _, ok := slices.BinarySearch(want, s); !ok {
			b.WriteString("+" + s + "\n")
		}
	}
	for _, s := range want {
		if _, ok := slices.BinarySearch(got, s); !ok {
			b.WriteString("-" + s + "\n")
		}
	}
	return b.String()
}

// TestLsRemote compares what is listed with what stock git lists.
func TestLsRemote(t *testing.T) {
	source := newHistory(t)
	onBackends(t, func(t *testing.T, b store.Backend) {
		load(t, b, source)
		url := serveView(t, showAll(b))
		protocols(t, func(t *testing.T, config string) {
			for _, args := range [][]string{
				nil,
				{"--heads"},
				{"--tags"},
				{"--refs"},
				{"--symref"},
			} {
				run := func(url string) string {
					args := slices.Concat([]string{"-c", config, "ls-remote"}, args, []string{url})
					return source.git(t, args...)
				}
				if got, want := run(url), run(source.dir); got != want {
					t.Errorf("ls-remote %q:\n%s\nwant\n%s", args, got, want)
				}
			}
			if out := source.git(t, "-c", config, "ls-remote", url, "refs/heads/to*"); !strings.HasSuffix(out, "refs/heads/topic\n") {
				t.Errorf("ls-remote with a pattern: %s", out)
			}
		})
	})
}

func TestEmptyRepository(t *testing.T) {
	onBackends(t, func(t *testing.T, b store.Backend) {
		v := showAll(b)
		v.Head = "refs/heads/trunk"
		url := serveView(t, v)
		protocols(t, func(t *testing.T, config string) {
			clone := newGitRepo(t)
			clone.git(t, "-c", config, "clone", "-q", url, clone.dir)
			want := "refs/heads/main" // the client's own
			if config == "protocol.version=2" {
				want = v.Head
			}
			if got := strings.TrimSpace(clone.git(t, "symbolic-ref", "HEAD")); got != want {
				t.Errorf("HEAD of the clone: got %s, want %s", got, want)
			}
		})
	})
}

func TestFetch(t *testing.T) {
	onBackends(t, func(t *testing.T, b store.Backend) {
		protocols(t, func(t *testing.T, config string) {
			source := newHistory(t)
			load(t, b, source)
			url := serveView(t, showAll(b))
			plain, diverged := newGitRepo(t), newGitRepo(t)
			for _, clone := range []*gitRepo{plain, diverged} {
				clone.git(t, "-c", config, "clone", "-q", url, clone.dir)
				clone.git(t, "config", "protocol.version", strings.TrimPrefix(config, "protocol.version="))
			}
			for i := range 40 {
				diverged.at(900000+i).commit(t, "mine", "mine", strconv.Itoa(i))
			}
			source.at(800000).commit(t, "new", "a/b/one", strings.Repeat("one more\n", 403))
			source.git(t, "tag", "-a", "-m", "v3", "v3")
			load(t, b, source)
			for _, clone := range []*gitRepo{plain, diverged} {
				out := clone.git(t, "fetch", "--progress")
				// The commit, its three trees, its blob and the tag.
				if !strings.Contains(out, "remote: Total 6 ") {
					t.Errorf("fetch: got\n%s\nwant 6 objects", out)
				}
				if got, want := clone.rev(t, "origin/main"), source.rev(t, "main"); got != want {
					t.Errorf("origin/main: got %s, want %s", got, want)
				}
				clone.git(t, "rev-parse", "--verify", "refs/tags/v3")
				clone.git(t, "fsck", "--strict")
				if out := clone.git(t, "fetch", "--progress"); strings.Contains(out, "remote: ") {
					t.Errorf("fetch of nothing: %s", out)
				}
			}
		})
	})
}

func (g *gitRepo) shallow(t testing.TB) []string {
	t.Helper()
	path := strings.TrimSpace(g.git(t, "rev-parse", "--git-path", "shallow"))
	return sortedLines(g.readFile(t, path))
}
