package ringtest

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cairn/libos/metal/vm"
)

// A Report is what a suite said.
type Report struct {
	Passed, Skipped, Failed []string // top-level tests
	Status                  int
	Console                 string
}

// outcome is the line of a top-level test in the output of go test -v. What the
// kernel prints may stand before it.
var outcome = regexp.MustCompile(`--- (PASS|SKIP|FAIL): (\w+) \(`)

// Run boots a suite's image and waits for its end.
func Run(ctx context.Context, image string, s Suite) (Report, error) {
	// Some tests take their patience from the deadline.
	words := []string{"-test.short", "-test.v", "-test.timeout=60m"}
	if s.Run != "" {
		words = append(words, "-test.run="+s.Run)
	} else {
		words = append(words, "-test.run=^Test")
	}
	if without := s.without(); without != "" {
		words = append(words, "-test.skip="+without)
	}
	v, err := vm.Machine{Kernel: image, Append: strings.Join(words, " "), Memory: s.memory()}.Start()
	if err != nil {
		return Report{}, err
	}
	defer v.Kill()
	status, err := v.Wait(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("suite of %s: %w", s.Package, err)
	}
	return read(v.Console(), status), nil
}

// read finds the outcomes.
func read(console string, status int) Report {
	r := Report{Status: status, Console: console}
	for _, m := range outcome.FindAllStringSubmatch(console, -1) {
		list := map[string]*[]string{"PASS": &r.Passed, "SKIP": &r.Skipped, "FAIL": &r.Failed}[m[1]]
		if !slices.Contains(*list, m[2]) {
			*list = append(*list, m[2])
		}
	}
	return r
}
