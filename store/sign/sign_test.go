package sign_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"golang.org/x/crypto/ssh"

	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/sign"
)

// A repo is a repository on disk whose commits are signed.
type repo struct {
	*store.Repo
	path string
	env  []string // of stock git
}

func newRepo(t *testing.T, s store.Signer) *repo {
	t.Helper()
	path := filepath.Join(t.TempDir(), "repo.git")
	if err := gitdir.Init(path); err != nil {
		t.Fatal(err)
	}
	dir, err := gitdir.Open(path, gitdir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	})
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1"}
	return &repo{store.New(dir, store.Options{Signer: s}), path, env}
}

// commit makes a commit and returns its hash.
func (r *repo) commit(t *testing.T) string {
	t.Helper()
	main := r.Branch("main")
	err := main.Update(t.Context(), store.Change{Message: "Put a"}, func(tx *store.Tx) error { return tx.Put("a", []byte("1")) })
	if err != nil {
		t.Fatal(err)
	}
	tree, err := main.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rev, _ := tree.Commit()
	return rev.Hash.String()
}

func (r *repo) git(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = r.path, r.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// judge skips the test when a program is not there; in CI it fails it.
func judge(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	} else if os.Getenv("CAIRN_CI") == "1" {
		t.Fatal(err)
	}
	t.Skipf("%s is not installed", program)
}

func TestSSHSignature(t *testing.T) {
	judge(t, "ssh-keygen")
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"ed25519": ed, "ecdsa": ec, "rsa": rs} {
		t.Run(name, func(t *testing.T) {
			signer, err := ssh.NewSignerFromSigner(key)
			if err != nil {
				t.Fatal(err)
			}
			r := newRepo(t, sign.SSH(signer))
			commit := r.commit(t)
			allowed := filepath.Join(t.TempDir(), "allowed")
			line := append([]byte("cairn@localhost "), ssh.MarshalAuthorizedKey(signer.PublicKey())...)
			if err := os.WriteFile(allowed, line, 0o600); err != nil {
				t.Fatal(err)
			}
			r.git(t, "config", "gpg.ssh.allowedSignersFile", allowed)
			r.git(t, "verify-commit", commit)
			r.git(t, "fsck", "--strict")
		})
	}
}

func TestOpenPGPSignature(t *testing.T) {
	judge(t, "gpg")
	key, err := openpgp.NewEntity("Cairn", "", "cairn@localhost", nil)
	if err != nil {
		t.Fatal(err)
	}
	r := newRepo(t, sign.OpenPGP(key))
	commit := r.commit(t)
	public := filepath.Join(t.TempDir(), "key.asc")
	f, err := os.Create(public)
	if err != nil {
		t.Fatal(err)
	}
	w, err := armor.Encode(f, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Serialize(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r.env = append(r.env, gpgHome(t))
	imports := exec.Command("gpg", "--batch", "--import", public)
	imports.Env = r.env
	if out, err := imports.CombinedOutput(); err != nil {
		t.Fatalf("gpg --import: %v\n%s", err, out)
	}
	r.git(t, "verify-commit", commit)
	r.git(t, "fsck", "--strict")
}

// gpgHome makes a home for gpg that ends with the test. It is an entry of an
// environment.
func gpgHome(t *testing.T) string {
	t.Helper()
	// gpg puts its socket there, and paths of sockets are short.
	home, err := os.MkdirTemp("", "gpg")
	if err != nil {
		t.Fatal(err)
	}
	env := "GNUPGHOME=" + home
	t.Cleanup(func() {
		stop := exec.Command("gpgconf", "--kill", "all")
		stop.Env = append(os.Environ(), env)
		if err := stop.Run(); err != nil {
			t.Log(err)
		}
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	return env
}
