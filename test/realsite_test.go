package test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// pythonDoc is a website of over 1,000 files that nobody here wrote, from the
// Debian package python3.11-doc.
const pythonDoc = "/usr/share/doc/python3.11/html"

// judge skips a test whose outside part is not installed; where it has to be, the
// test fails.
func judge(t *testing.T, have bool, what string) {
	t.Helper()
	if have {
		return
	}
	if os.Getenv("CAIRN_CI") != "" {
		t.Fatalf("%s is not installed, and CAIRN_CI asks for it", what)
	}
	t.Skipf("%s is not installed", what)
}

// up starts a cairn for a Go test and checks its repository at the end.
func up(t *testing.T, args ...string) *instance {
	t.Helper()
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	i, err := start(home, filepath.Join(dir, "up.log"), os.Environ(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.stop(syscall.SIGINT); err != nil {
			said, _ := os.ReadFile(filepath.Join(dir, "up.log"))
			t.Errorf("cairn up ended with %v\n%s", err, said)
		}
		git(t, filepath.Join(home, "repo.git"), "fsck", "--strict", "--full")
	})
	return i
}

// git runs stock git in dir and returns what it prints.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = gitEnv()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// gitEnv lets git see no other configuration than a repository's.
func gitEnv() []string {
	return append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.org",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.org")
}

// TestRealSite pushes a real site with stock git and compares every file that is
// served with the one that was pushed, then changes, previews and rolls back.
func TestRealSite(t *testing.T) {
	_, err := os.Stat(pythonDoc)
	judge(t, err == nil, "python3.11-doc")
	i := up(t)
	work := filepath.Join(t.TempDir(), "site")
	copyTree(t, pythonDoc, work)
	git(t, work, "init", "-q", "-b", "main")
	git(t, work, "add", "-A", "-f")
	git(t, work, "commit", "-qm", "The site")
	git(t, work, "push", "-q", i.push()+"/site", "HEAD:main")
	if n := compareSite(t, i.HTTP, "", work); n < 1000 {
		t.Fatalf("compared %d files, want over 1,000", n)
	}

	// Every page changes in one push.
	pages, err := filepath.Glob(filepath.Join(work, "library", "*.html"))
	if err != nil || len(pages) < 100 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, name := range pages {
		appendTo(t, name, "<!-- changed -->")
	}
	git(t, work, "commit", "-qam", "Change the library")
	out := git(t, work, "push", i.push()+"/site", "HEAD:main")
	if want := fmt.Sprintf("(%d files changed)", len(pages)); !strings.Contains(out, want) {
		t.Errorf("push said %q, want %s in it", out, want)
	}
	compareSite(t, i.HTTP, "", work)

	// A preview beside it.
	appendTo(t, pages[0], "<!-- draft -->")
	git(t, work, "commit", "-qam", "A draft")
	git(t, work, "push", "-q", i.push()+"/site", "HEAD:next")
	compareSite(t, i.HTTP, "next.site.localhost", work)
	git(t, work, "checkout", "-q", "HEAD~1")
	compareSite(t, i.HTTP, "", work)

	// Back to the first state.
	roll := exec.Command(filepath.Join(binDir, "cairn"), "--home", i.home, "site", "rollback", "site")
	if out, err := roll.CombinedOutput(); err != nil {
		t.Fatalf("rollback: %v\n%s", err, out)
	}
	git(t, work, "checkout", "-q", "HEAD~1")
	page, err := os.ReadFile(pages[0])
	if err != nil {
		t.Fatal(err)
	}
	err = wait("rolled back", func() error {
		if got, _, err := fetch(i.HTTP, "", "library/"+filepath.Base(pages[0])); err != nil || !bytes.Equal(got, page) {
			return fmt.Errorf("old page is not there yet (%v)", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	compareSite(t, i.HTTP, "", work)
}

// compareSite fetches every file below dir that a site serves and compares it byte
// for byte. It returns how many there were.
func compareSite(t *testing.T, base, host, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == ".git" {
				return fs.SkipDir
			}
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil || strings.HasPrefix(rel, ".") || strings.Contains(rel, "/.") {
			return err
		}
		want, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		got, status, err := fetch(base, host, filepath.ToSlash(rel))
		if err != nil {
			return err
		}
		if status != 200 || !bytes.Equal(got, want) {
			t.Errorf("%s: status %d, %d bytes, want the %d bytes of the file", rel, status, len(got), len(want))
		}
		n++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fetch gets one file, uncompressed, following redirects (index.html to its folder).
func fetch(base, host, name string) (body []byte, status int, err error) {
	req, err := http.NewRequest("GET", base+(&url.URL{Path: path.Join("/", name)}).EscapedPath(), nil)
	if err != nil {
		return nil, 0, err
	}
	req.Host = host
	req.Header.Set("Accept-Encoding", "identity")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return body, res.StatusCode, err
}

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, append(data, text...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// copyTree copies a folder, what its links lead to in their place.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-rL", from, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
}

// TestRace lets twenty clones push to one branch at the same moment, round
// after round: one wins each, and in the end every clone's commit is there.
func TestRace(t *testing.T) {
	const clones = 20
	i := up(t)
	dir := t.TempDir()
	seed := filepath.Join(dir, "seed")
	git(t, dir, "init", "-q", "-b", "main", seed)
	git(t, seed, "commit", "-q", "--allow-empty", "-m", "Begin")
	git(t, seed, "push", "-q", i.push()+"/site", "HEAD:main")
	left := map[string]bool{}
	for n := range clones {
		name := fmt.Sprintf("clone%02d", n)
		git(t, dir, "clone", "-q", i.push()+"/site", name)
		if err := os.WriteFile(filepath.Join(dir, name, name+".txt"), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
		git(t, filepath.Join(dir, name), "add", "-A")
		git(t, filepath.Join(dir, name), "commit", "-qm", name)
		left[name] = true
	}
	rounds := clones
	if os.Getenv("CAIRN_LONG") == "" {
		rounds = 3
	}
	for round := 0; round < rounds; round++ {
		var mu sync.Mutex
		var winners []string
		var wg sync.WaitGroup
		for name := range left {
			wg.Go(func() {
				if _, err := tryGit(filepath.Join(dir, name), "push", "-q", "origin", "HEAD:main"); err == nil {
					mu.Lock()
					winners = append(winners, name)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(winners) != 1 {
			t.Fatalf("round %d: winners %v, want exactly one", round, winners)
		}
		delete(left, winners[0])
		for name := range left {
			git(t, filepath.Join(dir, name), "pull", "-q", "--rebase", "origin", "main")
		}
	}
	final := filepath.Join(dir, "final")
	git(t, dir, "clone", "-q", i.push()+"/site", final)
	files, err := filepath.Glob(filepath.Join(final, "*.txt"))
	if err != nil || len(files) != rounds {
		t.Errorf("%d files after %d rounds, want one each (%v)", len(files), rounds, err)
	}
}
