package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/libos/boot"
	"cairn/store/gitdir"
)

// docs is a website that nobody here wrote: Debian's package python3.11-doc.
const docs = "/usr/share/doc/python3.11/html"

// git runs stock git.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.org", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.org",
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// safeBuffer is a buffer that the service writes to while the test reads.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var servingOn = regexp.MustCompile(`on (127\.0\.0\.1:\d+)\n`)

// start runs the service on a repository and returns its base URL and a
// function that stops it.
func start(t *testing.T, repo string, out io.Writer) (base string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var stderr safeBuffer
	done := make(chan int, 1)
	go func() {
		args := []string{"-repo", repo, "-listen", "127.0.0.1:0"}
		done <- boot.Run(ctx, manifest, args, boot.Terminal{Out: out, Err: &stderr}, run)
	}()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		if m := servingOn.FindStringSubmatch(stderr.String()); m != nil {
			base = "http://" + m[1]
			break
		}
		select {
		case status := <-done:
			t.Fatalf("ended with status %d: %s", status, stderr.String())
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("does not start: %s", stderr.String())
		}
	}
	return base, func() {
		cancel()
		if status := <-done; status != 0 {
			t.Errorf("ended with status %d: %s", status, stderr.String())
		}
	}
}

func fetch(t *testing.T, base, host, path string) (int, []byte) {
	t.Helper()
	return fetchAs(t, base, host, path, "")
}

// fetchAs asks for a coding; empty leaves that to http.DefaultClient.
func fetchAs(t *testing.T, base, host, path, coding string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	if coding != "" {
		r.Header.Set("Accept-Encoding", coding)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, b
}

// TestServe pushes with stock git to a repository that is being served.
func TestServe(t *testing.T) {
	repo, work := filepath.Join(t.TempDir(), "sites.git"), t.TempDir()
	if err := gitdir.Init(repo); err != nil {
		t.Fatal(err)
	}
	git(t, work, "init", "-q", "-b", "main")
	commit := func(text string) {
		if err := os.WriteFile(filepath.Join(work, "index.html"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		git(t, work, "add", ".")
		git(t, work, "commit", "-q", "-m", text)
	}
	commit("one")
	var access safeBuffer
	base, stop := start(t, repo, &access)
	if status, got := fetch(t, base, "localhost", "/"); status != 200 || !bytes.Contains(got, []byte("git push "+repo+" HEAD:refs/heads/site/www/main")) {
		t.Errorf("first page: got %d %s", status, got)
	}
	git(t, work, "push", "-q", repo, "HEAD:refs/heads/site/www/main")
	await(t, "the first push to be live", func() bool { _, got := fetch(t, base, "localhost", "/"); return string(got) == "one" })
	commit("two")
	git(t, work, "push", "-q", repo, "HEAD:refs/heads/site/www/draft")
	await(t, "the preview", func() bool { _, got := fetch(t, base, "draft.www.localhost", "/"); return string(got) == "two" })
	git(t, work, "push", "-q", repo, "HEAD:refs/heads/site/www/main")
	await(t, "the push to be live", func() bool { _, got := fetch(t, base, "localhost", "/"); return string(got) == "two" })
	git(t, work, "push", "-q", repo, "HEAD:refs/heads/site/blog/main")
	await(t, "the new site", func() bool { status, _ := fetch(t, base, "blog.localhost", "/"); return status == 200 })
	if status, _ := fetch(t, base, "evil.example", "/"); status != 421 {
		t.Errorf("unknown host: got %d, want 421", status)
	}
	stop()
	if !strings.Contains(access.String(), `"GET / HTTP/1.1" 200 3 `) {
		t.Errorf("access log: %q", access.String())
	}
	git(t, repo, "fsck", "--strict")
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited two minutes for %s", what)
		}
		time.Sleep(20 * time.Millisecond) // another process's push is seen within 20 ms
	}
}

// TestRealSite serves a real site of over 1,000 files and compares each byte
// for byte, as it is and compressed.
func TestRealSite(t *testing.T) {
	if _, err := os.Stat(docs); err != nil {
		if os.Getenv("CAIRN_CI") == "1" {
			t.Fatalf("%v: install python3.11-doc", err)
		}
		t.Skipf("%v: install python3.11-doc", err)
	}
	work, repo := t.TempDir(), filepath.Join(t.TempDir(), "sites.git")
	want := copySite(t, docs, work)
	if len(want) < 1000 {
		t.Fatalf("%s has only %d files", docs, len(want))
	}
	git(t, work, "init", "-q", "-b", "main")
	git(t, work, "add", "-A", "-f")
	git(t, work, "commit", "-q", "-m", "docs")
	if err := gitdir.Init(repo); err != nil {
		t.Fatal(err)
	}
	git(t, work, "push", "-q", repo, "HEAD:refs/heads/site/www/main")
	base, stop := start(t, repo, io.Discard)
	defer stop()
	codings := []string{"identity"}
	if os.Getenv("CAIRN_LONG") == "1" {
		codings = append(codings, "", "") // DefaultClient asks for gzip and unpacks it; the second time it comes from the cache
	}
	for _, coding := range codings {
		for path, sum := range want {
			status, got := fetchAs(t, base, "localhost", (&url.URL{Path: "/" + path}).EscapedPath(), coding)
			if status != 200 || sha256.Sum256(got) != sum {
				t.Errorf("%s: got %d with %d bytes that differ", path, status, len(got))
			}
		}
	}
	git(t, repo, "fsck", "--strict")
}

// copySite copies the files of a folder, links resolved, and returns their sums
// by path. Names that a site does not serve are left out.
func copySite(t *testing.T, from, to string) map[string][32]byte {
	t.Helper()
	sums := map[string][32]byte{}
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil // a link into a package that is not installed, or to a folder
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		sums[filepath.ToSlash(rel)] = sha256.Sum256(data)
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, rel)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}
