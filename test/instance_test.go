package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// An instance is a `cairn up` that runs, as its run.json describes it, or where it
// has no home what it prints.
type instance struct {
	PID            int
	HTTP, Git, SSH string
	Dav            string // without a slash at its end
	Metrics        string // URL, "" for none

	Mail map[string]string // host:port of smtp, submission, imap and the rest

	password string // that the first run with this log has told
	seed     string // the same, of a run without a home
	home     string // "" for none
	log      string // the file of what it prints
	from     int64  // where in log that begins
	cmd      *exec.Cmd
	done     chan error
	killed   bool
}

// free makes `cairn up` listen on free ports.
var free = []string{"-http", "127.0.0.1:0", "-git", "127.0.0.1:0", "-ssh", "127.0.0.1:0", "-dav", "127.0.0.1:0",
	"-smtp", "127.0.0.1:0", "-submission", "127.0.0.1:0", "-imap", "127.0.0.1:0", "-sieve", "127.0.0.1:0"}

// start runs `cairn up` on free ports and waits until it is there. What it
// prints goes to the end of the file log.
func start(home, log string, env []string, args ...string) (*instance, error) {
	cmd := exec.Command(filepath.Join(binDir, "cairn"), slices.Concat([]string{"up"}, free, args)...)
	cmd.Env = append(env, "CAIRN_HOME="+home)
	return launch(cmd, home, log)
}

// launch runs a command that is `cairn up` and waits until it is there.
func launch(cmd *exec.Cmd, home, log string) (*instance, error) {
	i := &instance{home: home, log: log, cmd: cmd, done: make(chan error, 1)}
	i.cmd.Dir = filepath.Dir(log)
	f, err := os.OpenFile(log, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if i.from, err = f.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	}
	i.cmd.Stdout, i.cmd.Stderr = f, f
	if err := i.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { i.done <- i.cmd.Wait() }()
	if err := wait("the start", i.ready); err != nil {
		return nil, errors.Join(err, i.stop(syscall.SIGKILL), errors.New(i.said()))
	}
	all, err := os.ReadFile(log)
	i.password, i.seed = told(string(all), "Password"), told(string(all), "Seed")
	return i, err
}

// said is all that the instance has printed.
func (i *instance) said() string {
	text, err := os.ReadFile(i.log)
	if err != nil {
		return err.Error()
	}
	return string(text[i.from:])
}

// told is what the instance has printed behind a name.
func (i *instance) told(name string) string { return told(i.said(), name) }

// told is what stands behind a name at the beginning of a line, up to a bracket.
func told(text, name string) string {
	m := regexp.MustCompile(`(?m)^` + name + ` +(.*)$`).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	word, _, _ := strings.Cut(m[1], " (")
	return word
}

// ready finds out whether the instance is there, and where.
func (i *instance) ready() error {
	select {
	case err := <-i.done:
		i.done <- err
		return errors.Join(errEnded, err)
	default:
	}
	if !strings.Contains(i.said(), "Ctrl-C stops it.") {
		return errors.New("it has not printed all that it does at the start")
	}
	if i.home != "" {
		return i.readRun()
	}
	i.HTTP = strings.TrimSuffix(i.told("Site"), "/")
	push := strings.TrimSuffix(strings.TrimPrefix(i.told("Push"), "git push "), "/site HEAD:main")
	i.Git = strings.Replace(push, "owner@", "", 1)
	i.Dav = strings.TrimSuffix(i.told("Calendars"), "/")
	return nil
}

// errEnded says that waiting is of no use.
var errEnded = errors.New("the process has ended")

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
	case <-time.After(time.Minute):
		return errors.Join(errors.New("still running a minute after the signal"), i.cmd.Process.Kill())
	}
}

// kill ends the process as the loss of power does.
func (i *instance) kill() {
	i.killed = true
	_ = i.stop(syscall.SIGKILL) // it cannot end well
}

// port is what follows the last colon of an address.
func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// wait tries until it works, for three minutes at most.
func wait(what string, try func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(3 * time.Minute); ; <-tick.C {
		err := try()
		if err == nil {
			return nil
		}
		if time.Now().After(end) || errors.Is(err, errEnded) {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}
