// Package test drives whole programs the way people do: cairn as it is built,
// stock git, curl. One behaviour a script, in testdata/*.txtar.
package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

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
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build, err, out)
		return 1
	}
	binDir = dir
	return m.Run()
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
		Condition: func(cond string) (bool, error) {
			if cond == "long" {
				return os.Getenv("CAIRN_LONG") != "", nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
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
type state struct {
	cmd  *exec.Cmd
	done chan error
}

var password = regexp.MustCompile(`(?m)^\s*Password\s+(\S+)`)

// cmdUp starts `cairn up` on free ports and waits until it runs. It sets $HTTP,
// $GIT, $SSH and, on a home's first run, $PASSWORD and $PUSH (the git base URL
// with user and password in it).
func cmdUp(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(stateKey{}).(*state)
	if neg || s.cmd != nil {
		ts.Fatalf("usage: up [args], while nothing is up")
	}
	args = append([]string{"up", "-http", "127.0.0.1:0", "-git", "127.0.0.1:0", "-ssh", "127.0.0.1:0"}, args...)
	cmd := exec.Command(filepath.Join(binDir, "cairn"), args...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = []string{"CAIRN_HOME=" + ts.Getenv("CAIRN_HOME"), "HOME=" + ts.Getenv("HOME"), "PATH=" + ts.Getenv("PATH")}
	log, err := os.OpenFile(ts.MkAbs("up.log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	ts.Check(err)
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	ts.Check(cmd.Start())
	s.cmd, s.done = cmd, make(chan error, 1)
	go func() { s.done <- cmd.Wait() }()
	ts.Defer(func() { stop(s, syscall.SIGKILL) })

	var run struct {
		PID            int
		HTTP, Git, SSH string
	}
	wait(ts, "run.json", func() error {
		data, err := os.ReadFile(filepath.Join(ts.Getenv("CAIRN_HOME"), "run.json"))
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &run); err != nil {
			return err
		}
		if run.PID != cmd.Process.Pid {
			return errors.New("run.json is of another process")
		}
		return nil
	})
	ts.Setenv("HTTP", run.HTTP)
	ts.Setenv("GIT", run.Git)
	ts.Setenv("SSH", run.SSH)
	ts.Setenv("PORT", run.HTTP[strings.LastIndexByte(run.HTTP, ':')+1:])
	ts.Setenv("SSHPORT", run.SSH[strings.LastIndexByte(run.SSH, ':')+1:])
	if m := password.FindStringSubmatch(ts.ReadFile("up.log")); m != nil {
		ts.Setenv("PASSWORD", m[1])
		ts.Setenv("PUSH", strings.Replace(run.Git, "://", "://owner:"+m[1]+"@", 1))
	}
}

// cmdDown stops the running cairn with SIGINT, or with the signal named.
func cmdDown(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(stateKey{}).(*state)
	sig := syscall.SIGINT
	if len(args) == 1 && args[0] == "-9" {
		sig = syscall.SIGKILL
	}
	if err := stop(s, sig); sig == syscall.SIGINT && err != nil {
		ts.Fatalf("cairn up ended with %v\n%s", err, ts.ReadFile("up.log"))
	}
}

func stop(s *state, sig syscall.Signal) error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	s.cmd = nil
	if err := cmd.Process.Signal(sig); err != nil {
		return err
	}
	select {
	case err := <-s.done:
		return err
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New("still running 20 s after the signal"), cmd.Process.Kill())
	}
}

// cmdFsck holds the home's repository against git fsck --strict.
func cmdFsck(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Exec("git", "-C", filepath.Join(ts.Getenv("CAIRN_HOME"), "repo.git"), "fsck", "--strict", "--full"))
}

// cmdEventually runs a command until it succeeds (with !, fails), for ten
// seconds at most: for what happens without anybody waiting for it.
func cmdEventually(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: eventually command [args]")
	}
	wait(ts, strings.Join(args, " "), func() error {
		err := ts.Exec(args[0], args[1:]...)
		if neg && err == nil {
			return errors.New("it succeeds")
		} else if neg {
			return nil
		}
		return err
	})
}

func wait(ts *testscript.TestScript, what string, try func() error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); ; <-tick.C {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s: %v", what, err)
		}
	}
}
