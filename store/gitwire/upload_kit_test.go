package gitwire

import (
	"bytes"
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/mem"
	"cairn/store/object"
)

// A gitRepo is a repository that stock git works on, with an environment of its own.
type gitRepo struct {
	dir string
	env []string
}

// newGitRepo is a repository that does not exist yet.
func newGitRepo(t testing.TB) *gitRepo {
	home := t.TempDir()
	return &gitRepo{
		dir: filepath.Join(home, "r"),
		env: append(os.Environ(),
			"HOME="+home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
			"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_AUTHOR_DATE=1700000000 +0000",
			"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org", "GIT_COMMITTER_DATE=1700000000 +0000",
			"GIT_CONFIG_COUNT=2",
			"GIT_CONFIG_KEY_0=init.defaultBranch", "GIT_CONFIG_VALUE_0=main",
			"GIT_CONFIG_KEY_1=protocol.file.allow", "GIT_CONFIG_VALUE_1=always"),
	}
}

// try runs git in the repository, or in its parent while it does not exist.
func (g *gitRepo) try(t testing.TB, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir, cmd.Env = g.dir, g.env
	if _, err := os.Stat(g.dir); err != nil {
		cmd.Dir = filepath.Dir(g.dir)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// git runs git and returns what it prints.
func (g *gitRepo) git(t testing.TB, args ...string) string {
	t.Helper()
	out, err := g.try(t, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// feed runs git with something to read and returns what it prints.
func (g *gitRepo) feed(t testing.TB, in string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = g.dir, g.env, strings.NewReader(in)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, &complaint)
	}
	return string(out)
}

// write puts files into the work tree: path, content, path, content…
func (g *gitRepo) write(t testing.TB, files ...string) {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(g.dir, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// at sets the time of the commits to come, in seconds after a fixed date.
func (g *gitRepo) at(seconds int) *gitRepo {
	stamp := strconv.Itoa(1700000000+seconds) + " +0000"
	g.env = append(g.env, "GIT_AUTHOR_DATE="+stamp, "GIT_COMMITTER_DATE="+stamp)
	return g
}

func (g *gitRepo) commit(t testing.TB, message string, files ...string) string {
	t.Helper()
	g.write(t, files...)
	g.git(t, "add", "-A")
	g.git(t, "commit", "-q", "--allow-empty", "-m", message)
	return g.rev(t, "HEAD")
}

func (g *gitRepo) rev(t testing.TB, name string) string {
	t.Helper()
	return strings.TrimSpace(g.git(t, "rev-parse", name))
}

// refs are all refs with their values, sorted.
func (g *gitRepo) refs(t testing.TB) string {
	t.Helper()
	return g.git(t, "for-each-ref", "--format=%(objectname) %(refname)")
}

// objects are the names of all objects in the repository, sorted.
func (g *gitRepo) objects(t testing.TB) []string {
	t.Helper()
	return sortedLines(g.git(t, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"))
}

func sortedLines(s string) []string {
	lines := strings.Fields(strings.ReplaceAll(s, " ", "_"))
	slices.Sort(lines)
	return lines
}

// newHistory is a repository with eight commits a day apart on main, a side
// branch that was merged, one that was not, folders, tags of three kinds and a
// branch without common history. Each caller gets a copy of its own.
func newHistory(t testing.TB) *gitRepo {
	t.Helper()
	eventful.Do(func() { eventful.stream = makeHistory(t) })
	g := newGitRepo(t)
	g.git(t, "init", "-q", g.dir)
	g.feed(t, eventful.stream, "fast-import", "--quiet")
	g.git(t, "reset", "-q", "--hard")
	g.git(t, "tag", "blob-tag", g.rev(t, "HEAD:top"))
	return g
}

var eventful struct {
	sync.Once
	stream string // for git fast-import
}

func makeHistory(t testing.TB) string {
	const day = 24 * 60 * 60
	g := newGitRepo(t)
	g.git(t, "init", "-q", g.dir)
	g.at(0).commit(t, "c0", "a/b/one", "one", "a/two", "two", "top", "top")
	g.at(day).commit(t, "c1", "a/b/one", strings.Repeat("one more\n", 400), "big", strings.Repeat("b", 5000))
	g.git(t, "tag", "light")
	g.git(t, "tag", "-a", "-m", "v1", "v1")
	g.git(t, "branch", "side")
	g.at(2*day).commit(t, "c2", "a/b/one", strings.Repeat("one more\n", 401), "c/three", "three")
	g.at(3*day).commit(t, "c3", "c/d/e/f/deep", "deep")
	g.git(t, "checkout", "-q", "side")
	g.at(3*day+9).commit(t, "s1", "side", "side")
	g.git(t, "checkout", "-q", "main")
	g.at(4*day).git(t, "merge", "-q", "--no-ff", "-m", "c4", "side")
	g.at(5*day).commit(t, "c5", "top", "top again")
	g.git(t, "tag", "-a", "-m", "v2", "v2")
	g.git(t, "tag", "-a", "-m", "tag of a tag", "v2-signed-off", "v2")
	g.git(t, "checkout", "-q", "-b", "topic", "v1")
	g.at(6*day).commit(t, "t1", "topic", "topic")
	g.git(t, "checkout", "-q", "--orphan", "alien")
	g.at(6*day+9).commit(t, "alien", "alien", "alien")
	g.git(t, "checkout", "-q", "main")
	g.at(7*day).commit(t, "c6", "a/b/one", strings.Repeat("one more\n", 402))
	return g.git(t, "fast-export", "--all", "--mark-tags")
}

// load puts all that a repository holds into a backend.
func load(t testing.TB, b store.Backend, g *gitRepo) {
	t.Helper()
	pack := g.feed(t, "", "pack-objects", "--all", "--revs", "--stdout", "-q")
	ctx := t.Context()
	noBase := func(context.Context, store.Hash) (object.Object, error) { return object.Object{}, fs.ErrNotExist }
	q, err := b.(store.Receiver).Receive(ctx, strings.NewReader(pack), noBase, store.Limits{})
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	defer q.Discard()
	if err := q.Keep(ctx); err != nil {
		t.Fatal(err)
	}
	old := make(map[string]store.Hash)
	for ref, err := range b.Refs(ctx, "refs/") {
		if err != nil {
			t.Fatal(err)
		}
		old[ref.Name] = ref.Hash
	}
	var changes []store.RefChange
	for line := range strings.Lines(g.refs(t)) {
		hash, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		h := hashOf(t, hash)
		if old[name] != h {
			changes = append(changes, store.RefChange{Name: name, Old: old[name], New: h})
		}
		delete(old, name)
	}
	for name, h := range old {
		changes = append(changes, store.RefChange{Name: name, Old: h})
	}
	if err := b.Commit(ctx, nil, changes); err != nil {
		t.Fatal(err)
	}
}

func hashOf(t testing.TB, s string) store.Hash {
	t.Helper()
	h, ok := parseHash(strings.TrimSpace(s))
	if !ok {
		t.Fatalf("%q is no hash", s)
	}
	return h
}

// commitFiles commits files (path, content, path, content…) without folders on
// top of parents and moves the ref from the first of them.
func commitFiles(t testing.TB, b store.Backend, ref string, parents []store.Hash, files ...string) store.Hash {
	t.Helper()
	var objs []object.Object
	var entries []object.Entry
	for i := 0; i < len(files); i += 2 {
		blob := object.Object{Type: object.TypeBlob, Data: []byte(files[i+1])}
		objs = append(objs, blob)
		entries = append(entries, object.Entry{Name: files[i], Mode: object.ModeFile, Hash: blob.Hash()})
	}
	tree := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, entries)}
	who := object.Signature{Name: "A", Email: "a@example.org", When: time.Unix(1700000000, 0).UTC()}
	c := object.Commit{Tree: tree.Hash(), Parents: parents, Author: who, Committer: who, Message: "x\n"}
	commit := object.Object{Type: object.TypeCommit, Data: c.Encode()}
	change := store.RefChange{Name: ref, New: commit.Hash()}
	if len(parents) > 0 {
		change.Old = parents[0]
	}
	if err := b.Commit(t.Context(), append(objs, tree, commit), []store.RefChange{change}); err != nil {
		t.Fatal(err)
	}
	return commit.Hash()
}

// showAll is a view of everything in a backend.
func showAll(b store.Backend) *View {
	return showSome(b, func(string) bool { return true })
}

// showSome is a view of the refs that keep picks.
func showSome(b store.Backend, keep func(name string) bool) *View {
	return &View{
		Backend: b,
		Head:    "refs/heads/main",
		Refs: func(ctx context.Context) ([]store.Ref, error) {
			var refs []store.Ref
			for ref, err := range b.Refs(ctx, "refs/") {
				if err != nil {
					return nil, err
				}
				if keep(ref.Name) {
					refs = append(refs, ref)
				}
			}
			return refs, nil
		},
	}
}

// serveView serves one view at the URL it returns.
func serveView(t testing.TB, v *View) string {
	t.Helper()
	return serveHandler(t, &HTTPHandler{
		Open: func(http.ResponseWriter, *http.Request, string, bool) (*View, error) { return v, nil },
	}) + "/r"
}

func serveHandler(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// setups runs a test with each protocol version, given as git's configuration,
// on each kind of backend: on all pairs in long runs, else with each at least once.
func setups(t *testing.T, f func(t *testing.T, b store.Backend, config string)) {
	for i, backend := range []string{"gitdir", "mem", "gitdir", "mem", "gitdir", "mem"} {
		version := strconv.Itoa(i % 3)
		if i >= 3 && !long() {
			break
		}
		t.Run(backend+"-v"+version, func(t *testing.T) {
			t.Parallel()
			var b store.Backend = mem.New()
			if backend == "gitdir" {
				b = newDisk(t)
			}
			f(t, b, "protocol.version="+version)
		})
	}
}

func newDisk(t testing.TB) *gitdir.Dir {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk.git")
	if err := gitdir.Init(dir); err != nil {
		t.Fatal(err)
	}
	d, err := gitdir.Open(dir, gitdir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// readFile reads a file below the repository; an absent one is empty.
func (g *gitRepo) readFile(t testing.TB, name string) string {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(g.dir, name)
	}
	data, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

// answer sends one request to upload-pack, a line each argument ("0000" and
// "0001" are themselves), and returns the lines of the answer up to the pack,
// joined by spaces.
func answer(t testing.TB, v *View, proto int, lines ...string) string {
	t.Helper()
	var in, out bytes.Buffer
	in.Write(requestOf(lines...))
	// The error is for the log; the client is told in the answer.
	_ = serveUpload(t.Context(), v, proto, &in, &out, true, false)
	var got []string
	for r := newPktReader(&out); ; {
		kind, line, err := r.text()
		if err != nil {
			return strings.Join(got, " ")
		}
		switch kind {
		case pktFlush:
			line = "0000"
		case pktDelim:
			line = "0001"
		}
		got = append(got, line)
		if line == "packfile" {
			return strings.Join(got, " ")
		}
	}
}
