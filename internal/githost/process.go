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
	"slices"
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

// end ends the process and all below it, and waits for them. It asks first, which matters
// to git: it then removes its locks. Meanwhile the process is stopped, so that it
// begins nothing new.
func (p *process) end() error {
	main := p.cmd.Process.Pid
	// Who is gone already needs no signal.
	_ = syscall.Kill(main, syscall.SIGSTOP)
	left := p.endBelow(main)
	_ = syscall.Kill(main, syscall.SIGTERM)
	_ = syscall.Kill(main, syscall.SIGCONT)
	kill := time.AfterFunc(patience/4, func() { _ = syscall.Kill(main, syscall.SIGKILL) })
	defer kill.Stop()
	p.done <- <-p.done
	return left
}

// endBelow ends all descendants of a process.
func (p *process) endBelow(main int) error {
	var seen []int // those whose parents have ended are nobody's descendants
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		for _, pid := range descendants(main) {
			if !slices.Contains(seen, pid) {
				seen = append(seen, pid)
			}
		}
		seen = slices.DeleteFunc(seen, ended)
		switch took := time.Since(start); {
		case len(seen) == 0:
			return nil
		case took > patience:
			return fmt.Errorf("children of %s still run: %v", p.cmd.Path, seen)
		case took > patience/4:
			signal(seen, syscall.SIGKILL)
		default:
			// git daemon ignores SIGTERM when it has a client, and somebody
			// above may ignore one of the others.
			signal(seen, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		}
	}
}

func signal(pids []int, signals ...syscall.Signal) {
	for _, pid := range pids {
		for _, s := range signals {
			_ = syscall.Kill(pid, s)
		}
	}
}

// ended says whether a process is no more, or nothing of it is left but that its parent
// should ask how it went; that is us when its own has ended.
func ended(pid int) bool {
	_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
	state, _, ok := stat(pid)
	return !ok || state == "Z" || state == "X"
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
			if _, parent, ok := stat(pid); ok {
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

// stat reads the state and the parent of a process (proc_pid_stat(5)).
func stat(pid int) (state string, parent int, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, false
	}
	// The name stands in brackets and may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 2 {
		return "", 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return fields[0], parent, err == nil
}
