package ringtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"cairn/libos/metal/pvh"
)

// kernel is the package that the suites run on, and host the one that it is laid into.
const (
	kernel = "cairn/libos/metal/kernel"
	host   = "internal/testlog"
)

// Build compiles the test suite of a package of the standard library into an
// image in the folder dir, and returns the image's file name.
func Build(ctx context.Context, dir, suite string) (string, error) {
	overlay, err := lay(ctx, dir)
	if err != nil {
		return "", err
	}
	program, image := filepath.Join(dir, "suite.elf"), filepath.Join(dir, "suite.img")
	if _, err := goTool(ctx, "test", "-c", "-vet=off", "-ldflags=-s -w", "-tags=timetzdata", "-overlay", overlay, "-o", program, suite); err != nil {
		return "", err
	}
	elf, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	bootable, err := pvh.Make(elf)
	if err != nil {
		return "", fmt.Errorf("suite of %s: %w", suite, err)
	}
	return image, os.WriteFile(image, bootable, 0o755)
}

// A sources is what go list says of a package.
type sources struct {
	Dir             string
	GoFiles, SFiles []string
}

// clause is the package clause of the kernel's sources.
var clause = regexp.MustCompile(`(?m)^package kernel$`)

// lay writes the kernel's sources as files of the host package into dir, and beside them the
// overlay's description, whose name it returns.
func lay(ctx context.Context, dir string) (string, error) {
	from, err := list(ctx, kernel)
	if err != nil {
		return "", err
	}
	into, err := list(ctx, host)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, name := range append(from.GoFiles, from.SFiles...) {
		text, err := os.ReadFile(filepath.Join(from.Dir, name))
		if err != nil {
			return "", err
		}
		text = clause.ReplaceAll(text, []byte("package testlog"))
		copied := filepath.Join(dir, "kernel_"+name)
		if err := os.WriteFile(copied, text, 0o644); err != nil {
			return "", err
		}
		replace[filepath.Join(into.Dir, "kernel_"+name)] = copied
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, text, 0o644)
}

func list(ctx context.Context, pkg string) (s sources, err error) {
	out, err := goTool(ctx, "list", "-json=Dir,GoFiles,SFiles", pkg)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(out, &s)
}

// goTool runs the go command for what an image is built for.
func goTool(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOFLAGS=", "GOEXPERIMENT=")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w\n%s", err, exit.Stderr)
	}
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	return out, nil
}
