// Package netns makes network namespaces for tests and benchmarks: networks of their own in
// the kernel, by the command ip (Debian: iproute2). Only root may.
package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// A Space is a namespace, by its name.
type Space string

// New makes a namespace of that name, its loopback device up, and arranges it as Run does.
func New(name, script string) (Space, error) {
	s := Space(name)
	if err := ip("netns", "add", name); err != nil {
		return "", err
	}
	if err := s.Run("link set lo up\n" + script); err != nil {
		return "", errors.Join(err, s.Remove())
	}
	return s, nil
}

// Run gives each line of a script to ip, for the namespace.
func (s Space) Run(script string) error {
	for line := range strings.SplitSeq(script, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if err := ip(append([]string{"-n", string(s)}, words...)...); err != nil {
			return err
		}
	}
	return nil
}

// Remove removes it. Processes that are in it keep it alive.
func (s Space) Remove() error { return ip("netns", "del", string(s)) }

// Command is the command line that runs a command there; without words, how it begins.
func (s Space) Command(words ...string) []string {
	return append([]string{"ip", "netns", "exec", string(s)}, words...)
}

// Inside runs do on a thread that is in the namespace, as what it opens is then.
func (s Space) Inside(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		done <- s.enter(do)
	}()
	return <-done
}

func (s Space) enter(do func() error) error {
	f, err := os.Open("/run/netns/" + string(s))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the namespace %s: %w", s, err)
	}
	return do()
}

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
