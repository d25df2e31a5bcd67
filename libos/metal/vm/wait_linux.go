package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Await waits until the console matches, and returns the match and its groups.
func (v *VM) Await(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
	for {
		text, more := v.printed()
		if found := pattern.FindStringSubmatch(text); found != nil {
			return found, nil
		}
		select {
		case <-more:
		case <-v.done:
			if found := pattern.FindStringSubmatch(v.Console()); found != nil {
				return found, nil
			}
			return nil, fmt.Errorf("wait for %v: %w; its console:\n%s", pattern, errEnded, v.Console())
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %v: %w; the console:\n%s", pattern, ctx.Err(), v.Console())
		}
	}
}

// lastWord is how an image says its exit status: the exit status of QEMU itself says it
// only where there is an isa-debug-exit device, see Exit.
var lastWord = regexp.MustCompile(`(?m)^cairn: exit status (\d+)$`)

// Wait waits until the machine has powered itself off, and returns the exit status that it
// says on its console. A machine that ends without one is an error.
func (v *VM) Wait(ctx context.Context) (status int, err error) {
	if err := v.ended(ctx); err != nil {
		return 0, err
	}
	text := v.Console()
	found := lastWord.FindAllStringSubmatch(text, -1)
	if found == nil {
		return 0, fmt.Errorf("the machine ended (%v) without an exit status; its console:\n%s", v.err, text)
	}
	return strconv.Atoi(found[len(found)-1][1])
}

// Exit is QEMU's own exit status: with an isa-debug-exit device the machine's, twice and
// one more.
func (v *VM) Exit(ctx context.Context) (int, error) {
	if err := v.ended(ctx); err != nil {
		return 0, err
	}
	var exit *exec.ExitError
	if errors.As(v.err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, v.err
}

// Busy is how long QEMU has had a processor, in all its threads, to a hundredth of a
// second.
func (v *VM) Busy() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", v.PID()))
	if err != nil {
		return 0, err
	}
	// The second field, a name, is in brackets and may have blanks; utime and stime
	// are the 14th and 15th, in ticks of 10 ms (proc(5)).
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// Ended reports whether QEMU has ended.
func (v *VM) Ended() bool {
	select {
	case <-v.done:
		return true
	default:
		return false
	}
}
