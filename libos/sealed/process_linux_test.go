//go:build amd64

package sealed_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"cairn/libos/sealed"
)

// roleVariable names what this program does in place of testing: one of roles. Processes
// that are sealed are started so.
const roleVariable = "SEALED_TEST_ROLE"

// A role is what a process does that is sealed, or seals itself. What it returns is an
// error that it can print.
type role func(args []string) error

var roles = map[string]role{}

func TestMain(m *testing.M) {
	do, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		if err := sealSuite(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		status := m.Run()
		program.remove()
		os.Exit(status)
	}
	if err := do(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// program is this test program without cgo, which can be sealed.
var program built

type built struct {
	once sync.Once
	dir  string
	err  error
}

func (b *built) path(t *testing.T) string {
	t.Helper()
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "sealed-test-"); b.err != nil {
			return
		}
		if b.err = os.Chmod(b.dir, 0o755); b.err != nil { // for other users
			return
		}
		cmd := exec.Command("go", "test", "-c", "-o", filepath.Join(b.dir, "program"), ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.err = fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return filepath.Join(b.dir, "program")
}

func (b *built) remove() {
	if b.dir != "" {
		os.RemoveAll(b.dir)
	}
}

// process returns a command that plays a role.
func process(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("processes are sealed on amd64 only")
	}
	cmd := exec.CommandContext(t.Context(), program.path(t), args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+name, "GOTRACEBACK=all")
	return cmd
}

// ended runs a command to its end: what it printed, and how it ended.
func ended(t *testing.T, cmd *exec.Cmd) (out, errs string, status syscall.WaitStatus) {
	t.Helper()
	var o, e strings.Builder
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// succeeds runs a role, and returns what it printed.
func succeeds(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, errs, status := ended(t, cmd)
	if !status.Exited() || status.ExitStatus() != 0 {
		t.Fatalf("%s ended with %s\n%s%s", cmd.Args, state(status), out, errs)
	}
	return out
}

func state(s syscall.WaitStatus) string {
	if s.Signaled() {
		return s.Signal().String()
	}
	return fmt.Sprintf("exit status %d", s.ExitStatus())
}

// outputs are the consoles of every role.
var outputs = []sealed.Descriptor{{Name: "standard output", FD: 1}, {Name: "standard error", FD: 2}}

// start starts a role and returns when it has printed its first line: "sealed".
func start(t *testing.T, cmd *exec.Cmd) (rest func() string) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("sealed\n"))
	if _, err := io.ReadFull(out, line); err != nil {
		_ = cmd.Wait()
		t.Fatalf("%s: %v, %v\n%s", cmd.Args, err, cmd.ProcessState, errs.String())
	}
	return func() string {
		more, _ := io.ReadAll(out)
		_ = cmd.Wait()
		return string(more) + errs.String()
	}
}
