package gitwire

import (
	"fmt"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cairn/store"
)

func TestClone(t *testing.T) {
	source := newHistory(t)
	setups(t, func(t *testing.T, b store.Backend, config string) {
		load(t, b, source)
		url := serveView(t, showAll(b))
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
}

func TestSingleBranch(t *testing.T) {
	source := newHistory(t)
	setups(t, func(t *testing.T, b store.Backend, config string) {
		load(t, b, source)
		url := serveView(t, showAll(b))
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
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	return serveHandler(t, &cgi.Handler{
		Path: git,
		Args: []string{"http-backend"},
		Env: []string{
			"GIT_PROJECT_ROOT=" + g.dir, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + filepath.Dir(g.dir),
			"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_COUNT=2",
			"GIT_CONFIG_KEY_0=uploadpack.allowFilter", "GIT_CONFIG_VALUE_0=true",
			"GIT_CONFIG_KEY_1=uploadpack.allowAnySHA1InWant", "GIT_CONFIG_VALUE_1=true",
		},
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
	setups(t, func(t *testing.T, b store.Backend, config string) {
		load(t, b, source)
		url := serveView(t, showAll(b))
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
}

func TestEmptyRepository(t *testing.T) {
	setups(t, func(t *testing.T, b store.Backend, config string) {
		v := showAll(b)
		v.Head = "refs/heads/trunk"
		url := serveView(t, v)
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
}

func TestFetch(t *testing.T) {
	setups(t, func(t *testing.T, b store.Backend, config string) {
		source := newHistory(t)
		load(t, b, source)
		url := serveView(t, showAll(b))
		plain, diverged := newGitRepo(t), newGitRepo(t)
		for _, clone := range []*gitRepo{plain, diverged} {
			clone.git(t, "-c", config, "clone", "-q", url, clone.dir)
			clone.git(t, "config", "protocol.version", strings.TrimPrefix(config, "protocol.version="))
		}
		diverged.diverge(t, 40)
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
}

// diverge puts commits that nobody else has on the branch.
func (g *gitRepo) diverge(t testing.TB, commits int) {
	t.Helper()
	var in strings.Builder
	for i := range commits {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter C <c@example.org> %d +0000\ndata 1\nx\n", 1700900000+i)
		if i == 0 {
			in.WriteString("from refs/heads/main^0\n")
		}
		fmt.Fprintf(&in, "M 644 inline mine\ndata %d\n%d\n", len(strconv.Itoa(i)), i)
	}
	g.feed(t, in.String(), "fast-import", "--quiet")
}

func (g *gitRepo) shallow(t testing.TB) []string {
	t.Helper()
	path := strings.TrimSpace(g.git(t, "rev-parse", "--git-path", "shallow"))
	return sortedLines(g.readFile(t, path))
}
