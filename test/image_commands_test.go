package test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestImageCommands does with an image what people do with one.
func TestImageCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles a program")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "tiny.img")
	imageCommand(t, "..", true, nil, "build", "./deploy/image/testdata/tiny", "-o", file)

	for _, c := range []struct {
		args string
		want []string
	}{
		{"inspect tiny.img", []string{"tiny: Ends as it is told to.", "127.0.0.1:8080, or :80 on a network of its own", "a disk to read", "by PVH",
			"\n  exit_group\n", "bytes in all", "  runtime\n", "(--packages)"}},
		{"inspect --packages tiny.img", []string{"  cairn/deploy/image/testdata/tiny\n"}},
		{"run -t unix tiny.img -- --status 0", []string{"tiny.img --status 0\n", "the machine is its own: false\n"}},
		{"run -t unix --print tiny.img -- --status 7", []string{"tiny.img --status 7\n"}},
		{"run -t sealed --print tiny.img", []string{"tiny.img --seal\n"}},
		{"run -t qemu --accel tcg --q35 -m 64 --print tiny.img -- --status 7", []string{"-M q35 -accel tcg", "-m 64", "-append --status=7", "hostfwd=tcp:127.0.0.1:8080-:80"}},
		{"run -t firecracker --print tiny.img", []string{`"mem_size_mib": 128`, "firecracker --no-api --config-file firecracker.json"}},
		{"run -t cloud-hypervisor --print tiny.img", []string{"cloud-hypervisor --kernel ", "not tried"}},
		{"unit tiny.img -- --status 0", []string{"DynamicUser=yes", "tiny.img --seal --status=0 --home=%S/tiny\n"}},
		{"oci tiny.img -o container", []string{"sha256:", "  container\n"}},
		{"oci tiny.img -o container.tar --tag example.org/tiny:1", []string{"sha256:", "  container.tar\n"}},
	} {
		said := imageCommand(t, dir, true, nil, strings.Fields(c.args)...)
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("cairn image %s: got no %q in\n%s", c.args, want, said)
			}
		}
	}
	for flag, key := range map[string]string{"--json": "manifest", "--sbom": "bomFormat"} {
		var document map[string]any
		if err := json.Unmarshal([]byte(imageCommand(t, dir, true, nil, "inspect", flag, file)), &document); err != nil || document[key] == nil {
			t.Errorf("%s: got %v, %v", flag, document, err)
		}
	}
	if said := imageCommand(t, "..", true, nil, "lines", file); !strings.Contains(said, "lines of code") || !strings.Contains(said, "the standard library and the runtime") {
		t.Errorf("lines: got %s", said)
	}
}

// TestImageStatus ends as the service has ended.
func TestImageStatus(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles a program")
	}
	file := filepath.Join(t.TempDir(), "tiny.img")
	imageCommand(t, "..", true, nil, "build", "./deploy/image/testdata/tiny", "-o", file)
	out, err := exec.Command(filepath.Join(binDir, "cairn"), "image", "run", "-t", "unix", file, "--", "--status", "5").CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 5 || strings.Contains(string(out), "cairn:") {
		t.Errorf("got %v and %s, want exit status 5 and no more words", err, out)
	}
}

// TestImageRefuses says what to do instead.
func TestImageRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "script"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"build unipi":               "--output",
		"build unipi -o x":          "building needs the source: run this in a checkout of it, or say where that is (--source DIR)",
		"inspect script":            "it is not a program for Linux on x86-64",
		"inspect none":              "none",
		"verify script":             "it is not a program for Linux on x86-64",
		"run -t xen script":         "cloud-hypervisor",
		"oci script -o x":           "it is not a program for Linux on x86-64",
		"inspect " + os.Args[0]:     "`cairn image build` makes images",
		"run -t unix " + os.Args[0]: "`cairn image build` makes images",
	} {
		if said := imageCommand(t, dir, false, nil, strings.Fields(args)...); !strings.Contains(said, want) {
			t.Errorf("cairn image %s: got %s, want %q", args, said, want)
		}
	}
}
