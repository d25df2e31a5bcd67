package object_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"cairn/store/object"
)

var refNames = []string{
	"refs/heads/main", "refs/heads/a/b", "main", "@", "a/@", "@/a", "", "/", "a/", "/a", "a//b", ".a/b", "a/.b", "a/b.", "a./b", "a..b/c", "a/b..c",
	"a/b.lock", "a.lock/b", "a/b.lockx", "a/.lock", "a/lock", "a/b@{c", "a/@{", "a/{", "a/b@", "a/b c", "a/b\tc", "a/b\x7f", "a/b~", "a/b^", "a/b:",
	"a/b?", "a/b*", "*/a", "a/b[", "a/b]", "a/b\\c", "a/ä", "a/\xff", "a/-", "-/a", "refs/heads/-", "a/...", "a/b\n", "refs/heads/.", "refs/heads/..",
}

func TestValidRefNameAsGit(t *testing.T) {
	names := refNames
	n := 60
	if os.Getenv("CAIRN_LONG") != "" {
		n = 1500
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	letters := []string{"a", "/", ".", "..", ".lock", "@", "{", "*", "~", "\\", "é", "-", "\x1f", "lock", "@{"}
	for range n {
		var b strings.Builder
		for range 1 + rnd.IntN(6) {
			b.WriteString(letters[rnd.IntN(len(letters))])
		}
		names = append(names, b.String())
	}
	dir := t.TempDir()
	for _, name := range names {
		_, _, err := git(t, dir, nil, "check-ref-format", name)
		if got, want := object.ValidRefName(name), err == nil; got != want && !strings.HasPrefix(name, "-") {
			t.Errorf("ValidRefName(%q) = %v, want git's %v", name, got, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	good := []string{"a", "ä", "index.html", ".gitmodules", ".gitignore", "git", "..a", "a b", strings.Repeat("x", 255)}
	for _, name := range good {
		if err := object.CheckName(name); err != nil {
			t.Errorf("CheckName(%q) = %v", name, err)
		}
	}
	bad := []string{"", ".", "..", "a/b", "/", "a\x00", "\xff", strings.Repeat("x", 256), ".git", ".GiT", "git~1", ".git.", ".g\u200cit", "x\\.git"}
	for _, name := range bad {
		var ne *object.NameError
		if err := object.CheckName(name); !errors.As(err, &ne) || ne.Name != name {
			t.Errorf("CheckName(%q) = %v, want a NameError", name, err)
		}
	}
	// Whatever we write, git fsck accepts.
	for _, h := range hostileTrees() {
		entries, err := object.ParseTree([]byte(h.data))
		if err != nil || len(entries) != 1 || h.id == "" || h.id == "nullSha1" || h.id == "zeroPaddedFilemode" {
			continue
		}
		if object.CheckName(entries[0].Name) == nil {
			t.Errorf("CheckName(%q) is nil, but Check says %s", entries[0].Name, h.id)
		}
	}
}
