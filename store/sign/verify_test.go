package sign_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"golang.org/x/crypto/ssh"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
	"cairn/store/sign"
)

// signedCommit is the content of a commit that a signer has signed.
func signedCommit(t testing.TB, s store.Signer) []byte {
	t.Helper()
	repo := store.New(mem.New(), store.Options{Signer: s})
	ctx := context.Background()
	err := repo.Branch("main").Update(ctx, store.Change{Message: "Put a"}, func(tx *store.Tx) error { return tx.Put("a", []byte("1")) })
	if err != nil {
		t.Fatal(err)
	}
	ref, err := repo.Backend().Ref(ctx, "refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	o, err := repo.Backend().Object(ctx, ref.Hash)
	if err != nil {
		t.Fatal(err)
	}
	return o.Data
}

func newSSH(t testing.TB) (ssh.Signer, ed25519.PrivateKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return s, key
}

func newOpenPGP(t testing.TB) (*openpgp.Entity, []byte) {
	t.Helper()
	key, err := openpgp.NewEntity("Cairn", "", "cairn@localhost", nil)
	if err != nil {
		t.Fatal(err)
	}
	var public bytes.Buffer
	w, err := armor.Encode(&public, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(key.Serialize(w), w.Close()); err != nil {
		t.Fatal(err)
	}
	return key, public.Bytes()
}

func keys(t testing.TB, text ...[]byte) *sign.Keys {
	t.Helper()
	k, err := sign.ParseKeys(bytes.Join(text, []byte("\n")))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestVerify(t *testing.T) {
	ours, _ := newSSH(t)
	other, _ := newSSH(t)
	pgp, public := newOpenPGP(t)
	_, otherPublic := newOpenPGP(t)
	line := ssh.MarshalAuthorizedKey(ours.PublicKey())
	allowed := append([]byte("cairn@localhost namespaces=\"git\" "), line...)
	otherLine := ssh.MarshalAuthorizedKey(other.PublicKey())
	bySSH, byPGP := signedCommit(t, sign.SSH(ours)), signedCommit(t, sign.OpenPGP(pgp))
	for _, c := range []struct {
		name   string
		commit []byte
		keys   *sign.Keys
		want   error
	}{
		{"ssh", bySSH, keys(t, line), nil},
		{"ssh, allowed signers", bySSH, keys(t, []byte("# who signs"), allowed), nil},
		{"ssh among others", bySSH, keys(t, otherLine, public, line), nil},
		{"openpgp", byPGP, keys(t, otherPublic, public, otherLine), nil},
		{"another ssh key", bySSH, keys(t, otherLine, public), sign.ErrUntrusted},
		{"another openpgp key", byPGP, keys(t, otherPublic, line), sign.ErrUntrusted},
		{"unsigned", signedCommit(t, nil), keys(t, line, public), sign.ErrUnsigned},
		{"no keys", bySSH, &sign.Keys{}, sign.ErrUntrusted},
	} {
		if err := c.keys.Verify(c.commit); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

// TestVerifyAnyChange changes every byte of a signed commit: either the
// signature no longer holds, or what was signed is still the same.
func TestVerifyAnyChange(t *testing.T) {
	signer, _ := newSSH(t)
	pgp, public := newOpenPGP(t)
	for _, c := range []struct {
		commit []byte
		keys   *sign.Keys
	}{
		{signedCommit(t, sign.SSH(signer)), keys(t, ssh.MarshalAuthorizedKey(signer.PublicKey()))},
		{signedCommit(t, sign.OpenPGP(pgp)), keys(t, public)},
	} {
		whole, err := object.ParseCommit(c.commit)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.commit {
			for _, flip := range []byte{1, 0x20, 0x80} {
				changed := bytes.Clone(c.commit)
				changed[i] ^= flip
				if c.keys.Verify(changed) != nil {
					continue
				}
				if got, err := object.ParseCommit(changed); err != nil || !bytes.Equal(got.SignedBytes(), whole.SignedBytes()) {
					t.Errorf("byte %d changed by %#x is still taken for signed", i, flip)
				}
			}
		}
	}
}

// TestVerifyText refuses a signature over text, which holds for other bytes, too.
func TestVerifyText(t *testing.T) {
	pgp, public := newOpenPGP(t)
	commit := signedCommit(t, textSigner{pgp})
	other := bytes.Replace(commit, []byte("\n\nPut a\n"), []byte("\n\nPut a\r\n"), 1)
	for _, c := range [][]byte{commit, other} {
		if err := keys(t, public).Verify(c); err == nil {
			t.Errorf("a signature over text was accepted for\n%q", c)
		}
	}
}

// A textSigner signs as `gpg --textmode` does.
type textSigner struct{ key *openpgp.Entity }

func (s textSigner) Sign(commit []byte) (string, error) {
	var out bytes.Buffer
	err := openpgp.ArmoredDetachSignText(&out, s.key, bytes.NewReader(commit), nil)
	return out.String(), err
}

// TestNamespaces takes keys that may sign for git, and no others.
func TestNamespaces(t *testing.T) {
	signer, _ := newSSH(t)
	line := ssh.MarshalAuthorizedKey(signer.PublicKey())
	for list, want := range map[string]bool{"git": true, "file,git": true, "github": false, "file": false, "": false} {
		_, err := sign.ParseKeys(append([]byte("a@localhost namespaces=\""+list+"\" "), line...))
		if got := err == nil; got != want {
			t.Errorf("namespaces %q: got %v (%v), want %v", list, got, err, want)
		}
	}
}

func TestVerifySecondSignature(t *testing.T) {
	signer, _ := newSSH(t)
	commit := signedCommit(t, sign.SSH(signer))
	more := bytes.Replace(commit, []byte("\ngpgsig "), []byte("\ngpgsig-sha256 x\ngpgsig "), 1)
	if err := keys(t, ssh.MarshalAuthorizedKey(signer.PublicKey())).Verify(more); err == nil {
		t.Error("a commit with two signatures was accepted")
	}
}

// TestVerifyStockGit verifies what git commit -S makes, with both programs.
func TestVerifyStockGit(t *testing.T) {
	t.Run("ssh", func(t *testing.T) {
		judge(t, "ssh-keygen")
		signer, key := newSSH(t)
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		commit := stockCommit(t, nil, "-c", "gpg.format=ssh", "-c", "user.signingkey="+file)
		if err := keys(t, ssh.MarshalAuthorizedKey(signer.PublicKey())).Verify(commit); err != nil {
			t.Error(err)
		}
	})
	t.Run("openpgp", func(t *testing.T) {
		judge(t, "gpg")
		pgp, public := newOpenPGP(t)
		env := gpgHome(t)
		var secret bytes.Buffer
		if err := pgp.SerializePrivate(&secret, nil); err != nil {
			t.Fatal(err)
		}
		load := exec.Command("gpg", "--batch", "--import")
		load.Env, load.Stdin = append(os.Environ(), env), &secret
		if out, err := load.CombinedOutput(); err != nil {
			t.Fatalf("gpg --import: %v\n%s", err, out)
		}
		commit := stockCommit(t, []string{env}, "-c", "user.signingkey="+pgp.PrimaryKey.KeyIdString())
		if err := keys(t, public).Verify(commit); err != nil {
			t.Error(err)
		}
	})
}

// stockCommit is the content of a commit that stock git makes and signs.
func stockCommit(t *testing.T, env []string, config ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@localhost", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@localhost"}, env...)
	var out []byte
	for _, args := range [][]string{{"init", "-q"}, append(config, "commit", "-q", "-S", "--allow-empty", "-m", "Signed"), {"cat-file", "commit", "HEAD"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Env = dir, env
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		var err error
		if out, err = cmd.Output(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, stderr.Bytes())
		}
	}
	return out
}

func FuzzVerify(f *testing.F) {
	signer, _ := newSSH(f)
	pgp, public := newOpenPGP(f)
	f.Add(signedCommit(f, sign.SSH(signer)))
	f.Add(signedCommit(f, sign.OpenPGP(pgp)))
	k := keys(f, ssh.MarshalAuthorizedKey(signer.PublicKey()), public)
	f.Fuzz(func(t *testing.T, commit []byte) {
		_ = k.Verify(commit) // does not crash
	})
}

func FuzzParseKeys(f *testing.F) {
	signer, _ := newSSH(f)
	_, public := newOpenPGP(f)
	f.Add(append(ssh.MarshalAuthorizedKey(signer.PublicKey()), public...))
	f.Add([]byte("a namespaces=\"git\" ssh-ed25519 x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if k, err := sign.ParseKeys(text); err == nil && k == nil {
			t.Error("no keys and no error")
		}
	})
}
