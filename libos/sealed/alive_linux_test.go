//go:build amd64

package sealed_test

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cairn/libos/sealed"
)

func init() {
	roles["works"] = func([]string) error { return errors.Join(sealed.Seal(sealed.Attached{Consoles: outputs}), work()) }
	roles["waits"] = func([]string) error { return waitSealed(sleep) }
	roles["ends"] = func(args []string) error { return waitSealed(ends[args[0]]) }
	roles["ends on a signal"] = func([]string) error {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		return waitSealed(func() {
			<-signals
			signal.Stop(signals)
			os.Stdout.WriteString("SIGTERM\n")
			os.Exit(7)
		})
	}
}

// waitSealed seals the process, says so and does something.
func waitSealed(do func()) error { return waitSealedWith(sealed.Attached{Consoles: outputs}, do) }

func waitSealedWith(a sealed.Attached, do func()) error {
	if err := sealed.Seal(a); err != nil {
		return err
	}
	os.Stdout.WriteString("sealed\n")
	do()
	return nil
}

// work does what programs do and the runtime needs system calls for.
func work() error {
	growAndShrink()
	threads()
	if err := recovers(); err != nil {
		return err
	}
	if _, err := rand.Read(make([]byte, 1<<16)); err != nil {
		return err
	}
	<-time.After(10 * time.Millisecond)
	debug.FreeOSMemory()
	return ambient()
}

// growAndShrink has several goroutines make and drop memory, while it is collected.
func growAndShrink() {
	debug.SetGCPercent(20)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			var keep [64][]byte
			for i := range 2048 {
				keep[i%len(keep)] = make([]byte, 1<<(8+i%11))
			}
			runtime.KeepAlive(keep)
		})
	}
	large := make([]byte, 192<<20)
	for i := 0; i < len(large); i += 4096 {
		large[i] = 1
	}
	runtime.KeepAlive(large)
	all.Wait()
	runtime.GC()
}

// threads has threads start that are busy at once, some of which end with their goroutine.
func threads() {
	var all, met sync.WaitGroup
	const n = 64
	met.Add(n)
	for i := range n {
		all.Go(func() {
			runtime.LockOSThread()
			if i%2 == 0 {
				defer runtime.UnlockOSThread()
			}
			met.Done()
			met.Wait()
			for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); { // until others have to be told to give way
			}
		})
	}
	all.Wait()
}

// recovers makes mistakes that end in a panic.
func recovers() (err error) {
	defer func() {
		if _, ok := recover().(runtime.Error); !ok {
			err = errors.New("reading at address 0 is no panic")
		}
	}()
	var p *[4]byte
	p[1] = 1
	return nil
}

// ambient uses what reads files the first time.
func ambient() error {
	if name, _ := time.Now().Local().Zone(); name == "" {
		return errors.New("no time zone")
	}
	if mime.TypeByExtension(".html") == "" {
		return errors.New("no type of .html")
	}
	_, err := x509.SystemCertPool()
	return err
}

func TestWorks(t *testing.T) {
	for _, debug := range []string{"", "decoratemappings=0", "madvdontneed=0", "updatemaxprocs=1", "asyncpreemptoff=1"} {
		cmd := process(t, "works")
		cmd.Env = append(cmd.Env, "GODEBUG="+debug, "TZ=Europe/Vienna")
		succeeds(t, cmd)
	}
}

// ends are ways in which a process dies of itself.
var ends = map[string]func(){
	"panic":               func() { panic("a panic in a sealed process") },
	"panic on a thread":   func() { go func() { panic("a panic in a sealed process") }(); sleep() },
	"nil":                 func() { var p *int; *p = 1 },
	"misuse of a lock":    func() { new(sync.Mutex).Unlock() },
	"overflow of a stack": func() { debug.SetMaxStack(1 << 20); os.Exit(overflow(0)) },
	"exit":                func() { os.Exit(3) },
}

func overflow(n int) int {
	if n < 0 {
		return 0
	}
	return overflow(n+1) + 1
}

// TestEnds: what ends a process says why, with a stack, and ends it as elsewhere.
func TestEnds(t *testing.T) {
	for name, want := range map[string]struct {
		says   string
		status int
	}{
		"panic":               {"a panic in a sealed process", 2},
		"panic on a thread":   {"a panic in a sealed process", 2},
		"nil":                 {"invalid memory address or nil pointer dereference", 2},
		"misuse of a lock":    {"fatal error: sync: unlock of unlocked mutex", 2},
		"overflow of a stack": {"stack exceeds 1048576-byte limit", 2},
		"exit":                {"", 3},
	} {
		_, errs, status := ended(t, process(t, "ends", name))
		if !status.Exited() || status.ExitStatus() != want.status || !strings.Contains(errs, want.says) {
			t.Errorf("%s: %s, want exit status %d and %q\n%s", name, state(status), want.status, want.says, errs)
		}
		if want.says != "" && !strings.Contains(errs, "alive_linux_test.go:") {
			t.Errorf("%s: there is no stack\n%s", name, errs)
		}
	}
}

// TestSignals: signals from outside do what they do elsewhere.
func TestSignals(t *testing.T) {
	cmd := process(t, "ends on a signal")
	rest := start(t, cmd)
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM)); err != nil {
		t.Fatal(err)
	}
	if got, want := rest()+cmd.ProcessState.String(), "SIGTERM\nexit status 7"; got != want {
		t.Errorf("SIGTERM: got %q, want %q", got, want)
	}

	cmd = process(t, "waits")
	rest = start(t, cmd)
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if got := rest(); !strings.Contains(got, "SIGQUIT: quit") || !strings.Contains(got, "goroutine 1") || cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("SIGQUIT: %v, want exit status 2 and all stacks, got\n%s", cmd.ProcessState, got)
	}

	// Whoever ignores a signal, as nohup does, has its children ignore it too; who listens does not.
	listening := make(chan os.Signal, 2)
	signal.Notify(listening, syscall.SIGHUP, syscall.SIGINT)
	defer signal.Stop(listening)
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		cmd = process(t, "waits")
		rest = start(t, cmd)
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		if got := rest(); cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != s {
			t.Errorf("%v: got %v\n%s", s, cmd.ProcessState, got)
		}
	}
}

// TestStopped: a process that was stopped while it waited goes on. For that the kernel makes a
// call of its own, where the time of waiting was limited.
func TestStopped(t *testing.T) {
	asRoot(t) // who may look at where a thread is
	cmd := process(t, "ends on a signal")
	rest := start(t, cmd)
	waitsForTime(t, cmd.Process.Pid)
	for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT, syscall.SIGTERM} {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		if s == syscall.SIGSTOP {
			waitStopped(t, cmd.Process.Pid)
		}
	}
	if got, want := rest()+cmd.ProcessState.String(), "SIGTERM\nexit status 7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// waitsForTime returns when a thread of the process waits at a futex for a limited time.
func waitsForTime(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range threads {
			call, err := os.ReadFile(name)
			words := strings.Fields(string(call)) // number, arguments, …
			if err == nil && len(words) > 4 && words[0] == fmt.Sprint(syscall.SYS_FUTEX) && words[4] != "0x0" {
				return
			}
		}
	}
	t.Fatal("no thread waits for a limited time")
}

// waitStopped waits until all of a process stands still.
func waitStopped(t *testing.T, pid int) {
	t.Helper()
	var info syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &info, syscall.WUNTRACED, nil); err != nil || !info.Stopped() {
		t.Fatalf("process %d is not stopped: %v, %v", pid, info, err)
	}
}

// TestBrokenPipe: who writes to nobody dies of that.
func TestBrokenPipe(t *testing.T) {
	cmd := process(t, "writes")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.Close()
	_ = cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGPIPE {
		t.Errorf("got %s, want %s", state(status), syscall.SIGPIPE)
	}
}

func init() {
	roles["writes"] = func([]string) error {
		return waitSealed(func() {
			for {
				os.Stdout.WriteString("more\n")
			}
		})
	}
}

// sleep waits for somebody to end the process.
func sleep() { time.Sleep(time.Hour) }
