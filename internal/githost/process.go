package githost

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A process is a server that runs beside the test, with its children.
type process struct {
	cmd  *exec.Cmd
	log  string // file that holds what it says
	done chan error
}

// startProcess starts a program, which dies with the test whatever becomes of it.
// What it says goes to a file and not to the test's own output, which would stay
// open for as long as a grandchild lives.
func startProcess(log string, env []string, path string, args ...string) (*process, error) {
	// Grandchildren whose parent has ended become our children, for end to wait for.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, err
	}
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &process{cmd: exec.Command(path, args...), log: log, done: make(chan error, 1)}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The death signal comes when the thread ends that started the child.
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.done <- p.cmd.Wait()
		}
	}()
	return p, <-started
}

// await returns when an address accepts connections.
func (p *process) await(network, addr string) error {
	for deadline := time.Now().Add(patience); ; {
		c, err := net.Dial(network, addr)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return errors.Join(err, p.end(), p.said())
		}
		select {
		case err := <-p.done:
			p.done <- err
			return errors.Join(fmt.Errorf("it has ended: %v", err), p.said())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// said is the end of what the process has said, as an error.
func (p *process) said() error {
	f, err := os.Open(p.log)
	if err != nil {
		return err
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, err = f.Seek(max(0, size-4096), io.SeekStart)
		if err != nil {
			return err
		}
	}
	text, err := io.ReadAll(f)
	return errors.Join(err, errors.New(string(text)))
}

// end asks the process and all below it to end, waits for them, and ends those
// that do not. Asking first matters to git, which then removes its locks.
func (p *process) end() error {
	all := append([]int{p.cmd.Process.Pid}, descendants(p.cmd.Process.Pid)...)
	for _, pid := range all {
		// Those that are gone already need no signal.
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
	kill := time.AfterFunc(patience/4, func() {
		for _, pid := range all {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	defer kill.Stop()
	p.done <- <-p.done
	for deadline := time.Now().Add(patience); ; {
		if !running(all[1:]) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("children of %s still run: %v", p.cmd.Path, all)
		}
		time.Sleep(time.Millisecond)
	}
}

// running says whether one of them is still there, and waits for those that
// have ended.
func running(pids []int) bool {
	for _, pid := range pids {
		// It may not be our child yet.
		_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		if _, ok := parentOf(pid); ok {
			return true
		}
	}
	return false
}

// descendants are the children of a process and theirs, as they are now.
func descendants(of int) []int {
	parents := map[int]int{}
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	for _, name := range names {
		if pid, err := strconv.Atoi(filepath.Base(name)); err == nil {
			if parent, ok := parentOf(pid); ok {
				parents[pid] = parent
			}
		}
	}
	var found []int
	for queue := []int{of}; len(queue) > 0; queue = queue[1:] {
		for pid, parent := range parents {
			if parent == queue[0] {
				found, queue = append(found, pid), append(queue, pid)
			}
		}
	}
	return found
}

// parentOf reads the parent of a process (proc_pid_stat(5)).
func parentOf(pid int) (parent int, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	// The name stands in brackets and may hold anything; after it come the
	// state and the parent.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 2 {
		return 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return parent, err == nil
}
