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
	"time"
)

// An instance is a `cairn up` that runs, as its run.json describes it.
type instance struct {
	PID            int
	HTTP, Git, SSH string

	password string // of the first run
	home     string
	cmd      *exec.Cmd
	done     chan error
}

var password = regexp.MustCompile(`(?m)^Password +(\S+)`)

// start runs `cairn up` on free ports and waits until it is there. What it
// prints goes to the end of the file log.
func start(home, log string, env []string, args ...string) (*instance, error) {
	args = append([]string{"up", "-http", "127.0.0.1:0", "-git", "127.0.0.1:0", "-ssh", "127.0.0.1:0"}, args...)
	i := &instance{home: home, cmd: exec.Command(filepath.Join(binDir, "cairn"), args...), done: make(chan error, 1)}
	i.cmd.Env = append(env, "CAIRN_HOME="+home)
	i.cmd.Dir = filepath.Dir(log)
	f, err := os.OpenFile(log, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	i.cmd.Stdout, i.cmd.Stderr = f, f
	if err := i.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { i.done <- i.cmd.Wait() }()
	if err := wait("run.json", i.readRun); err != nil {
		said, readErr := os.ReadFile(log)
		return nil, errors.Join(err, readErr, i.stop(syscall.SIGKILL), errors.New(string(said)))
	}
	said, err := os.ReadFile(log)
	if m := password.FindSubmatch(said); m != nil {
		i.password = string(m[1])
	}
	return i, err
}

func (i *instance) readRun() error {
	data, err := os.ReadFile(filepath.Join(i.home, "run.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, i); err != nil {
		return err
	}
	if i.PID != i.cmd.Process.Pid {
		return errors.New("run.json is of another process")
	}
	return nil
}

// push is the git base URL with user and password in it.
func (i *instance) push() string {
	return strings.Replace(i.Git, "://", "://owner:"+i.password+"@", 1)
}

// stop sends a signal and returns how the process ended.
func (i *instance) stop(sig syscall.Signal) error {
	if err := i.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-i.done:
		i.done <- err // for whoever asks again
		return err
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New("still running 20 s after the signal"), i.cmd.Process.Kill())
	}
}

// port is what follows the last colon of an address.
func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// wait tries until it works, for ten seconds at most.
func wait(what string, try func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); ; <-tick.C {
		err := try()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}
