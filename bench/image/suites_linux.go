package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"cairn/bench/measure"
	"cairn/libos/metal/ringtest"
	"cairn/libos/metal/vm"
)

// Suites runs the test suites of the standard library in ring 0, and prints what became of
// each. A test that fails is an error.
func Suites(ctx context.Context, room *measure.Room) error {
	if _, err := exec.LookPath(vm.Program); err != nil {
		fmt.Fprintf(room.Log, "suites is left out: %v; install qemu-system-x86\n", err)
		return nil
	}
	fmt.Fprintln(room.Log, "| suite | passed | skipped | failed | left out |\n|---|---|---|---|---|")
	failed := 0
	for _, s := range ringtest.Suites {
		if room.Only != "" && room.Only != s.Package {
			continue
		}
		r, err := suite(ctx, room.Dir, s)
		if err != nil {
			return err
		}
		fmt.Fprintf(room.Log, "| %s | %d | %d | %s | %s |\n", s.Package, len(r.Passed), len(r.Skipped), strings.Join(r.Failed, " "), leftOut(s))
		if r.Status != 0 || len(r.Passed) == 0 {
			failed++
			fmt.Fprintf(room.Log, "status %d; the console:\n%s\n", r.Status, r.Console)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d suites failed", failed)
	}
	return nil
}

func suite(ctx context.Context, room string, s ringtest.Suite) (ringtest.Report, error) {
	dir, err := os.MkdirTemp(room, "suite-")
	if err != nil {
		return ringtest.Report{}, err
	}
	defer os.RemoveAll(dir)
	image, err := ringtest.Build(ctx, dir, s.Package)
	if err != nil {
		return ringtest.Report{}, err
	}
	return ringtest.Run(ctx, image, s)
}

// leftOut says how many tests are, and why.
func leftOut(s ringtest.Suite) string {
	var why []string
	if s.Run != "" {
		why = append(why, "all but "+strings.ReplaceAll(s.Run, "|", " "))
	}
	for _, gap := range s.Without {
		why = append(why, fmt.Sprintf("%d: %s", len(strings.Fields(gap.Tests)), gap.Why))
	}
	return strings.Join(why, ", ")
}
