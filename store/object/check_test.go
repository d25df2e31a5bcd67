package object_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cairn/store/object"
	"cairn/store/pack"
)

func TestCheck(t *testing.T) {
	for _, h := range hostiles() {
		err := object.Check(h.typ, []byte(h.data))
		var ce *object.CheckError
		got := ""
		if errors.As(err, &ce) {
			got = ce.ID
		}
		if got != h.id {
			t.Errorf("%s: got %q, want %q", h.name, got, h.id)
		}
	}
}

// TestCheckAsGit lets git fsck --strict look at the same objects, and
// git index-pack --fsck-objects at each alone.
func TestCheckAsGit(t *testing.T) {
	dir := newRepo(t)
	byHash := make(map[string]hostile)
	for _, h := range hostiles() {
		o := object.Object{Type: h.typ, Data: []byte(h.data)}
		writeLoose(t, dir, o)
		byHash[o.Hash().String()] = h
	}
	_, stderr, _ := git(t, dir, nil, "fsck", "--strict", "--no-dangling")
	said := make(map[string]string)
	for line := range strings.Lines(string(stderr)) {
		if m := fsckLine.FindStringSubmatch(line); m != nil {
			said[m[1]] += " " + m[2]
		} else if m := anyHash.FindString(line); m != "" && strings.Contains(line, "error: ") {
			said[m] += " unreadable"
		}
	}
	for name, h := range byHash {
		switch got := said[name]; {
		case h.id == "" && got == "", h.id != "" && strings.Contains(got+" ", " "+h.id+" "):
		case strings.HasPrefix(got, " unreadable") && (h.id != "" || h.typ == object.TypeTag): // fsck could not even begin; no tagged object
		case h.id == "badDate" && strings.Contains(got, "badDateOverflow"): // before git 2.51
		case h.id == "largePathname" && got == "": // before git 2.43
		default:
			t.Errorf("%s: git says %q, want %q", h.name, got, h.id)
		}
	}
}

var (
	fsckLine = regexp.MustCompile(`^error in \w+ ([0-9a-f]{40}): (\w+): `)
	anyHash  = regexp.MustCompile(`[0-9a-f]{40}`)
)

// writeLoose does what git hash-object --literally does, in less time.
func writeLoose(t *testing.T, dir string, o object.Object) {
	t.Helper()
	var b bytes.Buffer
	zlibTo(&b, append(object.AppendHeader(nil, o.Type, int64(len(o.Data))), o.Data...))
	name := o.Hash().String()
	folder := filepath.Join(dir, "objects", name[:2])
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name[2:]), b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestAcceptAsGit compares what is accepted with git index-pack --fsck-objects,
// which is what receive.fsckObjects runs.
func TestAcceptAsGit(t *testing.T) {
	dir := newRepo(t)
	for _, h := range hostiles() {
		var b bytes.Buffer
		w := pack.NewWriter(&b, 1, pack.Stored)
		if _, err := w.Object(object.Object{Type: h.typ, Data: []byte(h.data)}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		_, stderr, err := git(t, dir, b.Bytes(), "index-pack", "--stdin", "--fsck-objects")
		if h.id == "largePathname" && err == nil {
			continue // before git 2.43
		}
		if h.id == "" && bytes.Contains(stderr, []byte("gitattributesMissing")) {
			continue // the name is a short name of both
		}
		if (err == nil) != (h.id == "") {
			t.Errorf("%s: git says %v %s, want %q", h.name, err, stderr, h.id)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, h := range hostiles() {
		f.Add(uint8(h.typ), []byte(h.data))
	}
	f.Fuzz(func(t *testing.T, typ uint8, data []byte) {
		if object.Check(object.Type(typ), data) != nil {
			return
		}
		// What Check lets through can be parsed.
		var err error
		switch object.Type(typ) {
		case object.TypeTree:
			_, err = object.ParseTree(data)
		case object.TypeCommit:
			_, err = object.ParseCommit(data)
		case object.TypeTag:
			_, err = object.ParseTag(data)
		}
		if err != nil {
			t.Errorf("passes Check, but: %v", err)
		}
	})
}
