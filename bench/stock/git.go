// Package stock runs stock git, which the benchmarks measure against, and makes
// the repositories and changes that both sides work on.
package stock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Git is a repository that stock git works on, in an environment that the
// user's own settings do not reach.
type Git struct {
	Dir string
	Env []string // settings beyond the usual ones
}

// Command is git with these arguments, in the repository's folder or, while that
// does not exist, beside it.
func (g Git) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = g.Dir
	if _, err := os.Stat(g.Dir); err != nil {
		cmd.Dir = filepath.Dir(g.Dir)
	}
	cmd.Env = append(Environ(), g.Env...)
	return cmd
}

// Environ is what git runs in.
func Environ() []string {
	env := []string{
		"HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org",
	}
	for _, name := range []string{"PATH", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// Run runs git and returns what it prints.
func (g Git) Run(ctx context.Context, in io.Reader, args ...string) (string, error) {
	cmd := g.Command(ctx, args...)
	cmd.Stdin = in
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		return "", fmt.Errorf("git %s in %s: %w", args[0], g.Dir, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Import feeds git fast-import, which syncs nothing, through a pipe.
func (g Git) Import(ctx context.Context, stream []byte) error {
	_, err := g.Run(ctx, bytes.NewReader(stream), "-c", "core.fsync=none", "fast-import", "--quiet", "--force")
	return err
}

// New makes a bare repository of the history that the stream describes (none: an
// empty one), packed as git does it.
func New(ctx context.Context, dir string, stream []byte) (Git, error) {
	g := Git{Dir: dir}
	if _, err := g.Run(ctx, nil, "init", "-q", "--bare", "-b", "main", dir); err != nil {
		return g, err
	}
	if len(stream) == 0 {
		return g, nil
	}
	if err := g.Import(ctx, stream); err != nil {
		return g, err
	}
	_, err := g.Run(ctx, nil, "repack", "-q", "-a", "-d", "--window=0") // with the deltas that it has, and a bitmap
	return g, err
}

// Bytes adds up the sizes of the files below a folder.
func Bytes(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		st, err := e.Info()
		if err == nil {
			sum += st.Size()
		}
		return err
	})
	return sum, err
}
