package image

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// withoutTags returns a toolchain for which the checkout has no tags, with a git directory made in
// folder. The toolchain stamps a program with a version that follows from the tags that
// a clone happens to have: without it one revision would make different files. Where git
// cannot be shown the same checkout that way, it returns t.
//
// Nothing is fetched in that environment: git would take what it fetches for the checkout.
func (t *toolchain) withoutTags(ctx context.Context, folder, pkg string) *toolchain {
	out, err := t.command(ctx, "git", "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir",
		"--git-path", "objects", "--git-path", "index", "HEAD")
	found := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if err != nil || len(found) != 6 {
		return t // no checkout, or no git
	}
	top, dir, common, objects, index, head := found[0], found[1], found[2], found[3], found[4], found[5]
	if err := shadow(folder, dir, common, head); err != nil {
		return t
	}
	s := &toolchain{dir: t.dir, env: slices.Concat(t.env, []string{
		"GIT_DIR=" + folder, "GIT_WORK_TREE=" + top, "GIT_OBJECT_DIRECTORY=" + objects, "GIT_INDEX_FILE=" + index, "GIT_OPTIONAL_LOCKS=0", "GOPROXY=off",
	})}
	if _, err := t.run(ctx, "list", "-deps", "--", pkg); err != nil { // brings what it needs
		return t
	}
	for _, words := range [][]string{{"status", "--porcelain"}, {"rev-parse", "HEAD"}} {
		with, err := t.command(ctx, "git", words...)
		without, errWithout := s.command(ctx, "git", words...)
		if err != nil || errWithout != nil || !bytes.Equal(with, without) {
			return t
		}
	}
	return s
}

// shadow makes a git directory with the settings of another one, whose only reference is HEAD.
func shadow(folder, dir, common, head string) error {
	for _, name := range []string{"refs", "info"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o700); err != nil {
			return err
		}
	}
	for _, from := range []string{common, dir} {
		for _, name := range []string{"config", "config.worktree", "shallow", "info/exclude", "info/attributes", "info/sparse-checkout"} {
			data, err := os.ReadFile(filepath.Join(from, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(folder, name), data, 0o600)
			}
			if err != nil {
				return err
			}
		}
	}
	return os.WriteFile(filepath.Join(folder, "HEAD"), []byte(head+"\n"), 0o600)
}
