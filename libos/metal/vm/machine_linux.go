package vm

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
)

// Program is the QEMU that is run (Debian: qemu-system-x86).
const Program = "qemu-system-x86_64"

// A Machine is one to start.
type Machine struct {
	Kernel string // the image's file, or a Linux kernel
	Initrd string // of a Linux kernel; empty: none
	Append string // the command line
	Type   string // empty: microvm
	CPU    string // empty: max, which has RDRAND
	Memory int    // in MiB; 0: 128

	Devices []string // more of QEMU's arguments
	Within  []string // the command that QEMU is run by, such as ip netns exec NAME; empty: none
}

// Command is the whole command line.
func (m Machine) Command() []string {
	words := slices.Concat(m.Within, []string{
		Program, "-M", cmp.Or(m.Type, "microvm"), "-accel", "tcg", "-cpu", cmp.Or(m.CPU, "max"), "-m", strconv.Itoa(cmp.Or(m.Memory, 128)),
		"-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", m.Kernel,
	})
	if m.Initrd != "" {
		words = append(words, "-initrd", m.Initrd)
	}
	if m.Append != "" {
		words = append(words, "-append", m.Append)
	}
	return slices.Concat(words, m.Devices)
}

// A VM is a machine that has been started.
type VM struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when QEMU has ended
	err  error         // how, once it has

	mu      sync.Mutex
	console bytes.Buffer
	more    chan struct{} // closed when there is more on the console
}

// Start starts the machine. It runs until it ends by itself, Kill, or the end of this
// process.
func (m Machine) Start() (*VM, error) {
	words := m.Command()
	v := &VM{cmd: exec.Command(words[0], words[1:]...), done: make(chan struct{}), more: make(chan struct{})}
	v.cmd.Stdout, v.cmd.Stderr = v, v
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	go func() {
		// The kernel takes the end of the thread that has started a process for that
		// of its parent.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := v.cmd.Start()
		started <- err
		if err == nil {
			v.err = v.cmd.Wait()
			close(v.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	return v, nil
}

// Write takes what QEMU and the machine print.
func (v *VM) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.more)
	v.more = make(chan struct{})
	return v.console.Write(p)
}

// Console is all that has been printed so far, without carriage returns.
func (v *VM) Console() string {
	text, _ := v.printed()
	return text
}

// printed also returns a channel that is closed when there is more.
func (v *VM) printed() (string, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return string(bytes.ReplaceAll(v.console.Bytes(), []byte("\r"), nil)), v.more
}

// PID is QEMU's.
func (v *VM) PID() int { return v.cmd.Process.Pid }

// Kill takes the power away. It returns when QEMU has ended.
func (v *VM) Kill() {
	_ = v.cmd.Process.Kill() // it may have ended by itself
	<-v.done
}

// errEnded says that there is nothing more to wait for.
var errEnded = errors.New("the machine has ended")

// ended waits for QEMU's end.
func (v *VM) ended(ctx context.Context) error {
	select {
	case <-v.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the machine's end: %w; its console:\n%s", ctx.Err(), v.Console())
	}
}
