// Package test drives whole programs the way people do: cairn as it is built,
// stock git, curl. One behaviour a script, in testdata/*.txtar.
package test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var binDir string // where TestMain has built the commands

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cairn-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir, "../cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as in images: what is linked with C cannot be sealed
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build, err, out)
		return 1
	}
	binDir = dir
	if err := lookAtSources(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// lookAtSources looks at every file that the commands are built from, so that go
// test's cache notices a change.
func lookAtSources() error {
	return filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(name) != ".go" {
			return err
		}
		_, err = os.Stat(name)
		return err
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"up":         cmdUp,
			"down":       cmdDown,
			"fsck":       cmdFsck,
			"eventually": cmdEventually,
		},
		Condition: condition,
	})
}

// condition knows [judge:NAME], a program that has to be there where CAIRN_CI is
// set: elsewhere a script skips without it.
func condition(cond string) (bool, error) {
	name, ok := strings.CutPrefix(cond, "judge:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	_, err := exec.LookPath(name)
	if err != nil && os.Getenv("CAIRN_CI") != "" {
		return false, fmt.Errorf("CAIRN_CI is set: %w", err)
	}
	return err == nil, nil
}

// setup gives each script a home of its own and a git that sees no other
// configuration.
func setup(env *testscript.Env) error {
	env.Setenv("PATH", binDir+string(os.PathListSeparator)+env.Getenv("PATH"))
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("CAIRN_HOME", filepath.Join(env.WorkDir, "home"))
	for _, v := range []string{
		"GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ADVICE=0", "LC_ALL=C", "TZ=UTC",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.org",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.org",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=init.defaultBranch", "GIT_CONFIG_VALUE_0=main",
	} {
		key, value, _ := strings.Cut(v, "=")
		env.Setenv(key, value)
	}
	env.Values[stateKey{}] = &state{}
	return nil
}

type stateKey struct{}

// state is the cairn that a script has running.
type state struct{ up *instance }

// cmdUp starts `cairn up` on free ports and waits until it runs. It sets $HTTP,
// $GIT, $SSH, $DAV, their ports and, on a home's first run, $PASSWORD and $PUSH (the git
// base URL with user and password in it).
func cmdUp(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(stateKey{}).(*state)
	if neg || s.up != nil {
		ts.Fatalf("usage: up [args], while nothing is up")
	}
	i, err := start(ts.Getenv("CAIRN_HOME"), ts.MkAbs("up.log"), []string{"HOME=" + ts.Getenv("HOME"), "PATH=" + ts.Getenv("PATH")}, args...)
	ts.Check(err)
	s.up = i
	ts.Defer(func() { _ = i.stop(syscall.SIGKILL) })
	ts.Setenv("HTTP", i.HTTP)
	ts.Setenv("GIT", i.Git)
	ts.Setenv("SSH", i.SSH)
	ts.Setenv("DAV", i.Dav)
	ts.Setenv("PORT", port(i.HTTP))
	ts.Setenv("GITPORT", port(i.Git))
	ts.Setenv("SSHPORT", port(i.SSH))
	ts.Setenv("SMTPPORT", port(i.Mail["smtp"]))
	ts.Setenv("IMAPPORT", port(i.Mail["imap"]))
	if i.password != "" {
		ts.Setenv("PASSWORD", i.password)
		ts.Setenv("PUSH", i.push())
	}
}

// cmdDown stops the running cairn as Ctrl-C does, or with -9.
func cmdDown(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(stateKey{}).(*state)
	i := s.up
	s.up = nil
	if len(args) == 1 && args[0] == "-9" {
		_ = i.stop(syscall.SIGKILL)
	} else if err := i.stop(syscall.SIGINT); err != nil {
		ts.Fatalf("cairn up ended with %v\n%s", err, ts.ReadFile("up.log"))
	}
}

// cmdFsck holds the home's repository against git fsck --strict.
func cmdFsck(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Exec("git", "-C", filepath.Join(ts.Getenv("CAIRN_HOME"), "repo.git"), "fsck", "--strict", "--full"))
}

// cmdEventually runs a command until it succeeds (with !, fails), for three minutes
// at most: for what happens without anybody waiting for it.
func cmdEventually(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: eventually command [args]")
	}
	ts.Check(wait(strings.Join(args, " "), func() error {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = ts.MkAbs(".")
		cmd.Env = []string{"PORT=" + ts.Getenv("PORT"), "PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "DAV=" + ts.Getenv("DAV"), "CAL=" + ts.Getenv("CAL"), "LC_ALL=C", "TZ=UTC"}
		out, err := cmd.CombinedOutput()
		if neg && err == nil {
			return fmt.Errorf("it succeeds: %s", out)
		} else if neg || err == nil {
			return nil
		}
		return fmt.Errorf("%w\n%s", err, out)
	}))
}
