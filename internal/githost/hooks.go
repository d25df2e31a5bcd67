package githost

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Hooks are what a host does with a push besides taking it.
type Hooks struct {
	Decline    string        // all pushes are declined, with these words
	DeclineRef string        // this ref is not moved; the others of a push are, unless it is atomic
	Linger     time.Duration // how long the refs have moved before the pusher hears of it
}

// words are what somebody hears whose ref is declined.
const words = "this ref is not for you"

// Hooks sets what becomes of the pushes from now on.
func (h *Host) Hooks(k Hooks) {
	h.t.Helper()
	h.mu.Lock()
	h.hooks = k
	h.mu.Unlock()
	if !h.Kind.Stock() {
		return
	}
	h.script("pre-receive", k.Decline != "", "echo "+shellQuote(k.Decline)+" >&2; exit 1")
	h.script("update", k.DeclineRef != "", "test \"$1\" != "+shellQuote(k.DeclineRef)+" || { echo "+words+" >&2; exit 1; }")
	h.script("reference-transaction", k.Linger > 0, fmt.Sprintf("test \"$1\" != committed || sleep %g", k.Linger.Seconds()))
}

func (h *Host) hooksNow() Hooks {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hooks
}

// script makes or removes a hook. A shell writes the file: while this process has one
// open for writing, a child that it starts in that moment has, too, and git
// could not run it.
func (h *Host) script(name string, wanted bool, body string) {
	h.t.Helper()
	path := filepath.Join(h.Dir, "hooks", name)
	if !wanted {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			h.t.Fatal(err)
		}
		return
	}
	cmd := exec.Command("/bin/sh", "-c", `mkdir -p "${1%/*}" && cat >"$1.new" && chmod 755 "$1.new" && mv "$1.new" "$1"`, "sh", path)
	cmd.Stdin = bytes.NewBufferString("#!/bin/sh\n" + body + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("write hook %s: %v\n%s", name, err, out)
	}
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
