package vm

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestCommand(t *testing.T) {
	m := Machine{Kernel: "k.img", Append: "--a b", Devices: []string{"-device", "d"}, Within: []string{"ip", "netns", "exec", "n"}}
	got := strings.Join(m.Command(), " ")
	for _, want := range []string{"ip netns exec n " + Program + " -M microvm -accel tcg -cpu max -m 128", "-kernel k.img -append --a b -device d"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s\nwant in it %s", got, want)
		}
	}
}

// TestNoKernel starts QEMU with what is no kernel: it says so and ends, and whoever waits
// for the machine is told.
func TestNoKernel(t *testing.T) {
	if _, err := exec.LookPath(Program); err != nil {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatalf("%v (Debian: qemu-system-x86)", err)
		}
		t.Skipf("%v (Debian: qemu-system-x86)", err)
	}
	v, err := Machine{Kernel: filepath.Join(t.TempDir(), "none")}.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if _, err := v.Await(ctx, regexp.MustCompile(`serving`)); !errors.Is(err, errEnded) {
		t.Errorf("await: got %v, want that it has ended", err)
	}
	if _, err := v.Wait(ctx); err == nil {
		t.Error("there is a status without a machine")
	}
	if status, err := v.Exit(ctx); status != 1 || err != nil {
		t.Errorf("got status %d, %v, want 1", status, err)
	}
	if !v.Ended() || !strings.Contains(v.Console(), "none") {
		t.Errorf("ended %v, console %q", v.Ended(), v.Console())
	}
}

// TestAwaitEnds waits no longer than its context.
func TestAwaitEnds(t *testing.T) {
	v := &VM{done: make(chan struct{}), more: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	found := make(chan []string)
	go func() {
		groups, _ := v.Await(ctx, regexp.MustCompile(`port (\d+)`))
		found <- groups
	}()
	for _, text := range []string{"por", "t 1", "2 \r\n"} {
		if _, err := v.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-found; len(got) != 2 || !strings.HasPrefix(got[1], "1") {
		t.Errorf("got %q", got)
	}
	cancel()
	if _, err := v.Await(ctx, regexp.MustCompile(`never`)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
