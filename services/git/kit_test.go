package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/mem"
	"cairn/store/object"
)

// A kit is a service with users and sites, reachable over HTTP.
//
//	root   administrator
//	alice  owner of www, writer of club; may make sites
//	bob    reader of www, owner of club; may make sites
//	carol  no rights beyond her own
type kit struct {
	*Service
	base string // URL
}

var root = object.Signature{Name: "root", Email: "root@localhost"}

func password(user string) string { return user + "'s password" }

// records are users' files, made once: hashes are dear.
var records = sync.OnceValue(func() map[string][]byte {
	ctx := context.Background()
	b := store.New(mem.New(), store.Options{}).Branch("accounts")
	a := accounts.New(b)
	files := map[string][]byte{}
	for _, u := range []string{"root", "alice", "bob", "carol"} {
		if err := a.Add(ctx, root, u, password(u), u == "root"); err != nil {
			panic(err)
		}
		tree, err := b.Tree(ctx)
		if err != nil {
			panic(err)
		}
		data, err := tree.ReadFile("users/" + u + ".toml")
		if err != nil {
			panic(err)
		}
		if u == "alice" || u == "bob" {
			data = append([]byte("sites = true\n"), data...)
		}
		files["users/"+u+".toml"] = data
	}
	return files
})

func newKit(t testing.TB) *kit { return newKitOn(t, mem.New()) }

func newKitOn(t testing.TB, b store.Backend) *kit {
	t.Helper()
	k := openKit(t, b)
	files := records()
	err := k.Repo.Branch("accounts").Update(t.Context(), store.Change{Author: root, Message: "Begin\n"}, func(tx *store.Tx) error {
		for name, data := range files {
			if err := tx.Put(name, data); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, err)
	must(t, k.Config.AddSite(t.Context(), root, config.Site{Name: "www", Owner: "alice", Readers: []string{"bob"}}))
	must(t, k.Config.AddSite(t.Context(), root, config.Site{Name: "club", Owner: "bob", Writers: []string{"alice"}}))
	return k
}

// openKit serves what is in b.
func openKit(t testing.TB, b store.Backend) *kit {
	t.Helper()
	repo := store.New(b, store.Options{})
	sec, err := secrets.Open(repo.Branch("secrets"), [32]byte{7})
	must(t, err)
	k := &kit{Service: &Service{
		Repo:     repo,
		Accounts: accounts.New(repo.Branch("accounts")),
		Config:   config.Open(repo.Branch("config")),
		Secrets:  sec,
		Checks:   map[string]Check{Site: checkSite, Dav: checkSite},
		URL:      func(site, branch string) string { return "http://" + branch + "." + site + ".test/" },
	}}
	server := httptest.NewServer(k.HTTP())
	t.Cleanup(server.Close)
	k.base = server.URL
	return k
}

// checkSite stands for unipi's check.
func checkSite(_ context.Context, c Change) error {
	fmt.Fprintf(c.Tell, "%s pushes %s\n", c.User, c.Branch)
	if data, _, err := c.New.Blob("bad"); err == nil {
		return fmt.Errorf("the file bad is bad: %s", data)
	}
	return nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// url is the address of a place with the user's name and password in it.
func (k *kit) url(user, place string) string {
	if user == "" {
		return k.base + "/" + place
	}
	secret := strings.ReplaceAll(strings.ReplaceAll(password(user), " ", "%20"), "'", "%27")
	return strings.Replace(k.base, "://", "://"+user+":"+secret+"@", 1) + "/" + place
}

// A work is a folder in which stock git runs, with an environment of its own.
type work struct {
	t   testing.TB
	dir string
	env []string
}

func newWork(t testing.TB) *work {
	t.Helper()
	home := t.TempDir()
	w := &work{t: t, dir: filepath.Join(home, "w"), env: append(os.Environ(),
		"HOME="+home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org", "GIT_COMMITTER_DATE=1700000000 +0000",
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=init.defaultBranch", "GIT_CONFIG_VALUE_0=main",
		"GIT_CONFIG_KEY_1=gc.auto", "GIT_CONFIG_VALUE_1=0")}
	must(t, os.Mkdir(w.dir, 0o777))
	w.git("init", "-q")
	return w
}

// try runs git and returns all that it prints.
func (w *work) try(args ...string) (string, error) {
	cmd := exec.CommandContext(w.t.Context(), "git", args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (w *work) git(args ...string) string {
	w.t.Helper()
	out, err := w.try(args...)
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

// refused runs git and wants it to fail.
func (w *work) refused(args ...string) string {
	w.t.Helper()
	out, err := w.try(args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		w.t.Errorf("git %s: got %v, want a refusal\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// commit writes a file and commits; it returns the commit's hash.
func (w *work) commit(name, content string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	must(w.t, os.MkdirAll(filepath.Dir(path), 0o777))
	must(w.t, os.WriteFile(path, []byte(content), 0o666))
	w.git("add", "-A")
	w.git("commit", "-q", "-m", "change "+name)
	return w.rev("HEAD")
}

func (w *work) rev(name string) string { w.t.Helper(); return w.git("rev-parse", name) }

// has reports whether the repository holds an object.
func (w *work) has(hash string) bool {
	_, err := w.try("cat-file", "-e", hash)
	return err == nil
}

// wantText reports an error unless text is in out.
func wantText(t testing.TB, out, text string) {
	t.Helper()
	if !strings.Contains(out, text) {
		t.Errorf("got\n%s\nwant %q in it", out, text)
	}
}

// pushed makes a commit and pushes it as user to a branch of a place.
func (k *kit) pushed(t testing.TB, user, place, branch string, files ...string) *work {
	t.Helper()
	w := newWork(t)
	for i := 0; i < len(files); i += 2 {
		w.commit(files[i], files[i+1])
	}
	w.git("push", "-q", k.url(user, place), "HEAD:refs/heads/"+branch)
	return w
}

// real is what a ref of the repository is at, Zero when it is not there.
func (k *kit) real(t testing.TB, ref string) string {
	t.Helper()
	r, err := k.Repo.Backend().Ref(t.Context(), ref)
	if err != nil {
		return object.Zero.String()
	}
	return r.Hash.String()
}

// send makes a request as user and returns the answer.
func (k *kit) send(t testing.TB, user, method, path string, header http.Header, body []byte) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, k.base, bytes.NewReader(body))
	must(t, err)
	req.URL.Opaque = path // as it is, however strange
	for key, values := range header {
		req.Header[key] = values
	}
	if user != "" {
		req.SetBasicAuth(user, password(user))
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp, string(text)
}

func newDisk(t testing.TB, dir string) *gitdir.Dir {
	t.Helper()
	if _, err := os.Stat(dir); err != nil {
		must(t, gitdir.Init(dir))
	}
	d, err := gitdir.Open(dir, gitdir.Options{})
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}
