package gitwire

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/mem"
)

// A lab is a backend with one repository on it, which is served over HTTP and
// SSH the way sites are: refs/heads/x is refs/heads/site/www/x in the backend,
// and what else the backend holds is somebody else's.
type lab struct {
	t       testing.TB
	backend store.Backend
	dir     string // of the backend, if it has one
	home    string
	http    string // URL
	ssh     string // URL
	sshPort string
	hostKey ssh.PublicKey // of the server made last

	mu     sync.Mutex
	limits store.Limits
	force  bool
	allow  func(*Push, Command) error
	accept func(context.Context, *Push) error
	done   func(*Push)
}

// backends are the stores that every test of pushing runs over. dir is where
// stock git finds the repository, if it can.
var backends = map[string]func(t testing.TB) (b store.Backend, dir string){
	"mem": func(t testing.TB) (store.Backend, string) { return newMemory(t), "" },
	"gitdir": func(t testing.TB) (store.Backend, string) {
		dir := filepath.Join(t.TempDir(), "repo.git")
		if err := gitdir.Init(dir); err != nil {
			t.Fatal(err)
		}
		d, err := gitdir.Open(dir, gitdir.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
		return d, dir
	},
}

// A receivingBackend is a backend that can be pushed to.
type receivingBackend interface {
	store.Backend
	store.Receiver
}

func newMemory(testing.TB) receivingBackend { return mem.New() }

// overBackends runs a test over each backend and each way to it; in short runs
// each backend is reached in one way.
func overBackends(t *testing.T, test func(t *testing.T, l *lab, url string)) {
	for name := range backends {
		for _, scheme := range []string{"http", "ssh"} {
			if !long() && (name == "mem") != (scheme == "http") {
				continue
			}
			t.Run(name+"-"+scheme, func(t *testing.T) {
				t.Parallel()
				l := labOver(t, name)
				if scheme == "ssh" {
					needSSH(t)
					test(t, l, l.ssh)
				} else {
					test(t, l, l.http)
				}
			})
		}
	}
}

// labOver makes a lab over a backend of this name.
func labOver(t testing.TB, name string) *lab {
	t.Helper()
	b, dir := backends[name](t)
	l := newLab(t, b)
	l.dir = dir
	return l
}

func needSSH(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("ssh"); err != nil {
		if os.Getenv("CAIRN_CI") == "1" {
			t.Fatal("ssh is not installed")
		}
		t.Skip("ssh is not installed")
	}
}

func newLab(t testing.TB, b store.Backend) *lab {
	t.Helper()
	l := &lab{t: t, backend: b, home: t.TempDir()}
	handler := &HTTPHandler{Open: func(_ http.ResponseWriter, r *http.Request, repo string, write bool) (*View, error) {
		if repo != "www" {
			return nil, fs.ErrNotExist
		}
		return l.view(), nil
	}}
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	l.http = web.URL + "/www"
	l.serveSSH()
	return l
}

// newKey makes a key and its file in the lab's home.
func (l *lab) newKey(name string) ssh.Signer {
	l.t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		l.t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		l.t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.home, name), pem.EncodeToMemory(block), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return signer
}

func (l *lab) sshServer() *SSHServer {
	user := l.newKey("id")
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !bytes.Equal(key.Marshal(), user.PublicKey().Marshal()) {
				return nil, errors.New("unknown key")
			}
			return &ssh.Permissions{Extensions: map[string]string{ExtensionUser: "alice"}}, nil
		},
		PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if string(password) != "correct horse" {
				return nil, errors.New("wrong password")
			}
			return &ssh.Permissions{}, nil
		},
	}
	host := l.newKey("host")
	l.hostKey = host.PublicKey()
	config.AddHostKey(host)
	return &SSHServer{Config: config, Open: func(_ context.Context, _ *ssh.Permissions, repo string, _ bool) (*View, error) {
		if repo != "www" {
			return nil, fs.ErrNotExist
		}
		return l.view(), nil
	}}
}

func (l *lab) serveSSH() {
	l.t.Helper()
	l.sshPort = serveSSH(l.t, l.sshServer())
	l.ssh = "ssh://git@127.0.0.1:" + l.sshPort + "/www"
}

// serveSSH runs a server until the test ends and returns its port.
func serveSSH(t testing.TB, s *SSHServer) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve ssh: %v", err)
		}
	})
	_, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// view is what the lab's one user sees.
func (l *lab) view() *View {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := &View{
		Backend: l.backend,
		User:    "alice",
		Head:    "refs/heads/main",
		Limits:  l.limits,
		Refs:    l.refs,
		Real:    realName,
		Accept:  l.accept,
		Allow: func(_ context.Context, p *Push, c Command) error {
			if c.Forced && !l.force {
				return fmt.Errorf("%s only moves forward", shortRef(c.Name))
			}
			if l.allow != nil {
				return l.allow(p, c)
			}
			return nil
		},
	}
	if l.done != nil {
		v.Done = func(_ context.Context, p *Push) { l.done(p) }
	}
	return v
}

func realName(shown string) (string, error) {
	for _, kind := range []string{"refs/heads/", "refs/tags/"} {
		if rest, ok := strings.CutPrefix(shown, kind); ok {
			return kind + "site/www/" + rest, nil
		}
	}
	return "", errors.New("only branches and tags can be pushed")
}

func (l *lab) refs(ctx context.Context) ([]store.Ref, error) {
	var list []store.Ref
	for _, kind := range []string{"refs/heads/", "refs/tags/"} {
		for ref, err := range l.backend.Refs(ctx, kind+"site/www/") {
			if err != nil {
				return nil, err
			}
			ref.Name = kind + strings.TrimPrefix(ref.Name, kind+"site/www/")
			list = append(list, ref)
		}
	}
	slices.SortFunc(list, func(a, b store.Ref) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// ref is the value of a shown ref, Zero when there is none.
func (l *lab) ref(shown string) store.Hash {
	l.t.Helper()
	real, err := realName(shown)
	if err != nil {
		l.t.Fatal(err)
	}
	ref, err := l.backend.Ref(context.Background(), real)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.t.Fatal(err)
	}
	return ref.Hash
}

// want checks where a shown ref is.
func (l *lab) want(shown, want string) {
	l.t.Helper()
	if want == "" {
		want = store.Hash{}.String()
	}
	if got := l.ref(shown).String(); got != want {
		l.t.Errorf("%s: got %s, want %s", shown, got, want)
	}
}

func (l *lab) env() []string {
	return append(os.Environ(),
		"HOME="+l.home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org",
		"GIT_SSH_VARIANT=ssh",
		"GIT_SSH_COMMAND=ssh -F /dev/null -o LogLevel=ERROR -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"+
			" -o IdentitiesOnly=yes -o BatchMode=yes -i "+filepath.Join(l.home, "id"))
}

// try runs git in a folder and returns what it says.
func (l *lab) try(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-c", "init.defaultBranch=main", "-c", "gc.auto=0", "-C", dir}, args...)...)
	cmd.Env = l.env()
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// git is try for what has to succeed.
func (l *lab) git(dir string, args ...string) string {
	l.t.Helper()
	out, err := l.try(dir, args...)
	if err != nil {
		l.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// fails is try for what has to fail, saying text.
func (l *lab) fails(text, dir string, args ...string) {
	l.t.Helper()
	out, err := l.try(dir, args...)
	if err == nil {
		l.t.Errorf("git %s: got no error, want one\n%s", strings.Join(args, " "), out)
	}
	if !strings.Contains(out, text) {
		l.t.Errorf("git %s: got %q, want it to say %q", strings.Join(args, " "), out, text)
	}
}

// clone makes a new work tree with the URL as its origin.
func (l *lab) clone(url string) string {
	l.t.Helper()
	dir := l.t.TempDir()
	l.git(dir, "init", "-q")
	l.git(dir, "remote", "add", "origin", url)
	return dir
}

// commit writes files (name, content, …) and commits them.
func (l *lab) commit(dir string, files ...string) (hash string) {
	l.t.Helper()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			l.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o666); err != nil {
			l.t.Fatal(err)
		}
	}
	l.git(dir, "add", "-A")
	l.git(dir, "commit", "-q", "--allow-empty", "-m", "change")
	return l.git(dir, "rev-parse", "HEAD")
}

// fsck has git look at the backend, when it can.
func (l *lab) fsck() {
	l.t.Helper()
	if l.dir != "" {
		l.git(l.dir, "fsck", "--strict")
	}
}
