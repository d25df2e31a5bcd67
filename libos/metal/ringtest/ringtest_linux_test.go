package ringtest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"cairn/libos/metal/vm"
)

// occasion is what these tests are run for.
func occasion() Occasion {
	if os.Getenv("CAIRN_LONG") != "" {
		return Long
	}
	return Always
}

// TestSuites runs the quick suites, and where CAIRN_LONG is set some that take longer.
func TestSuites(t *testing.T) {
	if _, err := exec.LookPath(vm.Program); err != nil {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatalf("%v (Debian: qemu-system-x86)", err)
		}
		t.Skipf("%v (Debian: qemu-system-x86)", err)
	}
	for _, s := range Suites {
		if s.When > occasion() {
			continue
		}
		t.Run(s.Package, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			image, err := Build(ctx, t.TempDir(), s.Package)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Run(ctx, image, s)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d passed, %d skipped, %d failed", len(r.Passed), len(r.Skipped), len(r.Failed))
			if r.Status != 0 || len(r.Failed) > 0 || len(r.Passed) == 0 {
				t.Errorf("status %d, failed %v; the console:\n%s", r.Status, r.Failed, r.Console)
			}
		})
	}
}
