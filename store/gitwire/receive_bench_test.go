package gitwire

import (
	"fmt"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkPush pushes one commit with one changed file onto what is there, with
// stock git: to a gitdir served by this package, and to git http-backend.
func BenchmarkPush(b *testing.B) {
	for _, size := range []struct{ commits, files int }{{10_000, 1_000}, {10, 100_000}} {
		for name, host := range map[string]func(b testing.TB, l *lab) string{
			"cairn": func(b testing.TB, l *lab) string { return l.http },
			"git":   stockURL,
		} {
			b.Run(fmt.Sprintf("commits=%d/files=%d/%s", size.commits, size.files, name), func(b *testing.B) {
				l := labOver(b, "gitdir")
				dir := l.clone(host(b, l))
				importCommits(l, dir, size.commits, size.files)
				l.git(dir, "-c", "http.postBuffer=100m", "push", "-q", "origin", "main") // CGI takes no chunks
				b.ResetTimer()
				for i := range b.N {
					b.StopTimer()
					l.commit(dir, "d7/f7", fmt.Sprint(longText(1, 100), i))
					b.StartTimer()
					l.git(dir, "push", "-q", "origin", "main")
				}
			})
		}
	}
}

// stockURL is a new repository behind git http-backend.
func stockURL(b testing.TB, l *lab) string {
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		b.Fatal(err)
	}
	root := b.TempDir()
	l.git(root, "init", "-q", "--bare", "r")
	l.git(root+"/r", "config", "http.receivepack", "true")
	server := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + root},
	})
	b.Cleanup(server.Close)
	return server.URL + "/r"
}

// importCommits makes commits, each changing one of the files, which lie in 250
// folders.
func importCommits(l *lab, dir string, commits, files int) {
	var in strings.Builder
	for i := range commits {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter C <c@example.org> %d +0000\ndata 1\nm\n", 1_600_000_000+i)
		if i == 0 {
			for f := range files {
				text := fmt.Sprint("file ", f)
				fmt.Fprintf(&in, "M 100644 inline d%d/f%d\ndata %d\n%s\n", f%250, f/250, len(text), text)
			}
		}
		text := fmt.Sprint("change ", i)
		fmt.Fprintf(&in, "M 100644 inline d%d/f%d\ndata %d\n%s\n", i%250, i%files/250, len(text), text)
	}
	cmd := exec.Command("git", "-C", dir, "fast-import", "--quiet")
	cmd.Env, cmd.Stdin, cmd.Stderr = l.env(), strings.NewReader(in.String()), os.Stderr
	if err := cmd.Run(); err != nil {
		l.t.Fatal(err)
	}
	l.git(dir, "reset", "-q", "--hard", "main")
}
