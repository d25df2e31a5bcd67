package gitwire

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"cairn/store/gitdir"
)

// newBulk makes a bare repository of one commit with files of 2 KB in folders
// of 400.
func newBulk(t testing.TB, files int) *gitRepo {
	t.Helper()
	g := newGitRepo(t)
	g.git(t, "init", "-q", "--bare", g.dir)
	text := incompressible(2048 * 1024)
	var in bytes.Buffer
	in.WriteString("commit refs/heads/main\ncommitter C <c@example.org> 1700000000 +0000\ndata 1\nx\n")
	for i := range files {
		at := i * 1031 % (len(text) - 2048)
		fmt.Fprintf(&in, "M 644 inline f%d/%d\ndata 2048\n%08d%s\n", i/400, i, i, text[at:at+2040])
	}
	g.feed(t, in.String(), "fast-import", "--quiet", "--depth=0")
	g.git(t, "repack", "-q", "-a", "-d", "-f", "--window=0")
	return g
}

// BenchmarkClone clones 100,000 files, 200 MB, from this package and from git
// http-backend.
func BenchmarkClone(b *testing.B) {
	source := newBulk(b, 100_000)
	os.MkdirAll(filepath.Join(source.dir, "refs", "heads"), 0o777)
	d, err := gitdir.Open(source.dir, gitdir.Options{NoMaintenance: true})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	ours := serveView(b, showAll(d))
	theirs := serveGit(b, source)
	theirs = theirs[:len(theirs)-len("/.git")]
	for _, server := range []struct{ name, url string }{{"cairn", ours}, {"git", theirs + "/"}} {
		b.Run(server.name, func(b *testing.B) {
			for b.Loop() {
				clone := newGitRepo(b)
				clone.git(b, "clone", "-q", "--bare", server.url, clone.dir)
				os.RemoveAll(clone.dir)
			}
		})
	}
}
