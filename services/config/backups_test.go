package config

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
)

func TestBackups(t *testing.T) {
	c := Open(newBranch())
	if list, err := c.Backups(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v, want none", list, err)
	}
	forge := Backup{Name: "forge", URL: "https://forge.example/b.git"}
	nas := Backup{Name: "nas", URL: "ssh://git@nas.example/b.git", HostKey: "ssh-ed25519 AAAA"}
	must(t, c.AddBackup(t.Context(), by, nas))
	must(t, c.AddBackup(t.Context(), by, forge))
	if err := c.AddBackup(t.Context(), by, forge); !errors.Is(err, fs.ErrExist) {
		t.Errorf("added again: got %v, want fs.ErrExist", err)
	}
	if list, err := c.Backups(t.Context()); err != nil || !slices.Equal(list, []Backup{forge, nas}) {
		t.Errorf("got %v, %v", list, err)
	}
	for _, bad := range []Backup{
		{Name: "a b", URL: forge.URL},
		{Name: "x", URL: "https://u:secret@forge.example/b"},
		{Name: "x", URL: "file:///etc"},
		{Name: "x"},
		{Name: "x", URL: nas.URL},
		{Name: "x", URL: forge.URL, HostKey: nas.HostKey},
	} {
		if err := c.AddBackup(t.Context(), by, bad); err == nil {
			t.Errorf("%v was added", bad)
		}
	}
	must(t, c.RemoveBackup(t.Context(), by, "forge"))
	if err := c.RemoveBackup(t.Context(), by, "forge"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed again: got %v, want fs.ErrNotExist", err)
	}
	must(t, c.RemoveBackup(t.Context(), by, "nas"))
	if list, err := c.Backups(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v, want none", list, err)
	}
	// Sites and backups do not disturb each other.
	must(t, c.AddSite(t.Context(), by, Site{Name: "www", Owner: "alice"}))
	must(t, c.AddBackup(t.Context(), by, nas))
	tree, err := c.branch.Tree(t.Context())
	must(t, err)
	must(t, Check(tree))
}
