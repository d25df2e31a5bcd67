package object_test

import (
	"errors"
	"strings"
	"testing"

	"cairn/store/object"
)

// submodules is a table of .gitmodules files.
var submodules = []struct{ data, id string }{
	{"", ""},
	{"[submodule \"a\"]\n\tpath = a\n\turl = https://example.org/a.git\n", ""},
	{"[submodule \"a/b\"]\n\tpath = a\n\turl = ../a.git\n\tupdate = rebase\n", ""},
	{"[submodule \"../x\"]\npath = a\n", "gitmodulesName"},
	{"[submodule \"a/../x\"]\npath = a\n", "gitmodulesName"},
	{"[submodule \"a\\\\..\\\\x\"]\npath = a\n", "gitmodulesName"},
	{"[submodule \"a..b\"]\npath = a\n", ""},
	{"[submodule \"\"]\npath = a\n", "gitmodulesName"},
	{"[submodule \"..\"]\n", ""},
	{"[submodule]\nurl = -x\n", ""},
	{"[submodule.a]\nurl = -x\n", "gitmodulesUrl"},
	{"[Submodule \"a\"]\nURL = -x\n", "gitmodulesUrl"},
	{"[submodule\t\"a\"] url = -x\n", "gitmodulesUrl"},
	{"[submodule\r\"a\"] url = -x\n", "gitmodulesUrl"},
	{"\ufeff[submodule \"a\"]\r\nurl = -x\r\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\nurl = \"-x\"\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\nurl = \\\n-x\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\nurl=-x", "gitmodulesUrl"},
	{"[submodule \"a\"]\n; url = -x\n# url = -x\n", ""},
	{"[submodule \"a\"]\nurl\n", ""},
	{"[submodule \"a\"]\nurl = a # -x\n", ""},
	{"[other \"a\"]\nurl = -x\n", ""},
	{"[submodule \"a\"]\nbroken line\nurl = -x\n", ""},
	{"[submodule \"a\"]\nurl = -x\nbroken line\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\npath = -x\n", "gitmodulesPath"},
	{"[submodule \"a\"]\nupdate = !touch x\n", "gitmodulesUpdate"},
	{"[submodule \"a\"]\nupdate = none\n", ""},
	{"[submodule \"a\"]\nurl = ./%0ahost=evil.example/x\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\nurl = https://example.org/%0ahost=evil.example/x\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\nurl = \"https://example.org/\\nx\"\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\nurl = git://example.org/%0ax\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\nurl = ../../:x\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\nurl = ./.././/x\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\nurl = ./:x\n", ""},
	{"[submodule \"a\"]\nurl = http::https://example.org/x\n", ""},
	{"[submodule \"a\"]\nurl = http::://x\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\nurl = https:///x\n", "gitmodulesUrl"},
	{"[submodule \"a\"]\nurl = git@example.org:x/y\n", ""},
	{"[submodule \"a\"]\nurl = /srv/%0a\n", ""},
}

var attributes = []struct{ data, id string }{
	{"*.txt text\n", ""},
	{strings.Repeat("x", 2047) + "\n" + strings.Repeat("y", 2047), ""},
	{"a\n" + strings.Repeat("x", 2048), "gitattributesLineLength"},
	{"a\x00" + strings.Repeat("x", 4000), ""},
}

// TestCheckSpecialAsGit lets git fsck --strict judge the same files.
func TestCheckSpecialAsGit(t *testing.T) {
	dir := newRepo(t)
	want := make(map[string]string)
	text := make(map[string]string)
	add := func(kind object.Special, name, data, id string) {
		err := object.CheckSpecial(kind, object.Object{Type: object.TypeBlob, Data: []byte(data)})
		var ce *object.CheckError
		got := ""
		if errors.As(err, &ce) {
			got = ce.ID
		}
		if got != id {
			t.Errorf("%s %q: got %q, want %q", name, data, got, id)
		}
		blob := object.Object{Type: object.TypeBlob, Data: []byte(data)}
		writeLoose(t, dir, blob)
		tree := object.AppendTree(nil, []object.Entry{{Name: name, Mode: object.ModeFile, Hash: blob.Hash()}})
		writeLoose(t, dir, object.Object{Type: object.TypeTree, Data: tree})
		want[blob.Hash().String()], text[blob.Hash().String()] = id, data
		found := 0
		if err := object.CheckTree(tree, func(k object.Special, h object.Hash) {
			if k == kind && h == blob.Hash() {
				found++
			}
		}); err != nil || found != 1 {
			t.Errorf("CheckTree told of %d %s, want 1: %v", found, name, err)
		}
	}
	for _, c := range submodules {
		add(object.Gitmodules, ".gitmodules", c.data, c.id)
	}
	for _, c := range attributes {
		add(object.Gitattributes, ".gitattributes", c.data, c.id)
	}
	_, stderr, _ := git(t, dir, nil, "fsck", "--strict", "--no-dangling")
	said := make(map[string]string)
	for line := range strings.Lines(string(stderr)) {
		if m := fsckLine.FindStringSubmatch(line); m != nil {
			said[m[1]] = m[2]
		}
	}
	for name, id := range want {
		if strings.HasPrefix(text[name], "\ufeff") {
			continue // git fsck stumbles over the mark, git submodule does not
		}
		if said[name] != id {
			t.Errorf("%q: git says %q, want %q", text[name], said[name], id)
		}
	}
}

func FuzzCheckSpecial(f *testing.F) {
	for _, c := range submodules {
		f.Add(int(object.Gitmodules), []byte(c.data))
	}
	for _, c := range attributes {
		f.Add(int(object.Gitattributes), []byte(c.data))
	}
	f.Fuzz(func(t *testing.T, kind int, data []byte) {
		object.CheckSpecial(object.Special(kind), object.Object{Type: object.TypeBlob, Data: data})
	})
}
