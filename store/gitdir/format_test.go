package gitdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestOpenRefuses(t *testing.T) {
	for name, spoil := range map[string]func(repo string) error{
		"no repository": func(repo string) error { return os.Remove(filepath.Join(repo, "HEAD")) },
		"not bare":      writeConfig("[core]\nbare = false\n"),
		"newer":         writeConfig("[core]\nrepositoryformatversion = 2\n"),
		"sha256":        writeConfig("[core]\nrepositoryformatversion = 1\n[extensions]\nobjectFormat = sha256\n"),
		"reftable":      writeConfig("[core]\nrepositoryformatversion = 1\n[extensions]\nrefStorage = reftable\n"),
		"partial clone": writeConfig("[core]\nrepositoryformatversion = 1\n[extensions]\npartialClone = origin\n"),
		"alternates": func(repo string) error {
			return os.WriteFile(filepath.Join(repo, "objects/info/alternates"), []byte("/elsewhere\n"), 0o600)
		},
		"shallow": func(repo string) error { return os.WriteFile(filepath.Join(repo, "shallow"), []byte("x\n"), 0o600) },
	} {
		repo := t.TempDir()
		if err := Init(repo); err != nil {
			t.Fatal(err)
		}
		if err := spoil(repo); err != nil {
			t.Fatal(err)
		}
		d, err := Open(repo, Options{NoMaintenance: true})
		if err == nil {
			t.Errorf("%s: got no error", name)
			d.Close()
		}
		t.Log(err)
	}
}

func writeConfig(content string) func(string) error {
	return func(repo string) error { return os.WriteFile(filepath.Join(repo, "config"), []byte(content), 0o600) }
}

func TestInit(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	if err := Init(string(d.root)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("init again: got %v, want exists", err)
	}
	if got := git(t, string(d.root), "rev-parse", "--is-bare-repository"); got != "true" {
		t.Errorf("is it bare: got %s", got)
	}
	made := filepath.Join(t.TempDir(), "made.git")
	if err := Init(made); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(made); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v, want it to be its owner's alone", info.Mode(), err)
	}
	for _, args := range [][]string{{"init", "-q", "--bare"}, {"init", "-q", "--bare", "--object-format=sha1"}} {
		repo := t.TempDir()
		git(t, repo, args...)
		openDir(t, repo, Options{NoMaintenance: true})
	}
}
