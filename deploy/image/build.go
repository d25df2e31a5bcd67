package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"cairn/libos"
	"cairn/libos/metal/pvh"
)

// Options say what to build.
type Options struct {
	Program string   // a folder below cmd ("unipi"), or a main package as go build takes it
	Command []string // of a program of several commands, the one that is the service: "up" of cairn
	Source  string   // a folder of the source tree; "": the working directory
}

// A Built is an image that has just been built.
type Built struct {
	Image    []byte
	Manifest libos.Manifest
	Facts    Facts

	// Changes are what the source tree has beside its revision, as git status
	// has it: a line a file.
	Changes []string
}

// Build builds the image of a program from its source.
func Build(ctx context.Context, o Options) (*Built, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil, errors.New("images are built on Linux on x86-64: the program is run to ask for its manifest")
	}
	dir, err := os.MkdirTemp("", "cairn-image-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	t, err := newToolchain(ctx, o.Source)
	if err != nil {
		return nil, err
	}
	pkg, err := t.mainPackage(ctx, o.Program)
	if err != nil {
		return nil, err
	}
	t = t.withoutTags(ctx, filepath.Join(dir, "git"), pkg)
	file := filepath.Join(dir, "program")
	if _, err := t.run(ctx, "build", "-trimpath", "-buildvcs=auto", linkFlags, "-o", file, pkg); err != nil {
		return nil, t.explain(ctx, err)
	}
	b, err := assemble(ctx, file, o.Command)
	if err != nil {
		return nil, err
	}
	b.Changes, err = t.changes(ctx, b.Facts)
	return b, err
}

// linkFlags leave out what debuggers read. The build ID is the same in all images; without one
// the linker makes no program header for notes, whose place pvh.Make has a use for.
const linkFlags = "-ldflags=-s -w -buildid=cairn"

// explain adds what git says to a complaint of the toolchain, where git does not
// read the checkout: nothing could be said of the revision then.
func (t *toolchain) explain(ctx context.Context, err error) error {
	root, rootErr := t.root(ctx)
	if rootErr != nil {
		return err
	}
	if _, statErr := os.Stat(filepath.Join(root, ".git")); statErr != nil {
		return err
	}
	if _, gitErr := t.command(ctx, "git", "status", "--porcelain"); gitErr != nil {
		return fmt.Errorf("%w\n%w\nThe checkout has to be one that git reads for you", err, gitErr)
	}
	return err
}

// root is the folder of the source tree.
func (t *toolchain) root(ctx context.Context) (string, error) {
	out, err := t.run(ctx, "env", "GOMOD")
	if err != nil {
		return "", err
	}
	file := strings.TrimSpace(string(out))
	if file == "" || file == os.DevNull {
		return "", errors.New("building needs the source: run this in a checkout of it, or say where that is (--source DIR)")
	}
	return filepath.Dir(file), nil
}

// mainPackage finds out which package a program's name means.
func (t *toolchain) mainPackage(ctx context.Context, program string) (string, error) {
	if program == "" {
		return "", errors.New("say which program: a folder below cmd such as unipi, or a main package")
	}
	root, err := t.root(ctx)
	if err != nil {
		return "", err
	}
	pattern := program
	if folder := filepath.Join(root, "cmd", program); isFolder(folder) {
		pattern = folder
	}
	out, err := t.run(ctx, "list", "-f", "{{.Name}} {{.ImportPath}}", "--", pattern)
	if err != nil {
		return "", fmt.Errorf("there is no program %q: %w", program, err)
	}
	name, pkg, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if name != "main" || strings.Contains(pkg, "\n") {
		return "", fmt.Errorf("%q is not one main package, but: %s", program, bytes.TrimSpace(out))
	}
	return pkg, nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// assemble makes an image of a program that has just been built.
func assemble(ctx context.Context, file string, command []string) (*Built, error) {
	program, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	b := &Built{}
	if b.Facts, err = readFacts(program); err != nil {
		return nil, err
	}
	b.Facts.Command = command
	if b.Manifest, err = askManifest(ctx, file, command); err != nil {
		return nil, err
	}
	if program, err = pvh.Make(program); err != nil {
		return nil, fmt.Errorf("make it bootable: %w", err)
	}
	sections, err := b.sections()
	if err != nil {
		return nil, err
	}
	b.Image, err = attach(program, sections)
	return b, err
}

// sections are what an image has beside its program.
func (b *Built) sections() ([]addition, error) {
	manifest, err := encode(b.Manifest)
	if err != nil {
		return nil, err
	}
	facts, err := encode(b.Facts)
	if err != nil {
		return nil, err
	}
	sbom, err := bill(b.Facts)
	return []addition{{manifestSection, manifest}, {factsSection, facts}, {billSection, sbom}}, err
}

// askManifest runs a program that has just been built to have its manifest.
func askManifest(ctx context.Context, file string, command []string) (m libos.Manifest, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	t := toolchain{dir: filepath.Dir(file), env: []string{}} // nothing of ours in its environment
	out, err := t.command(ctx, file, append(slices.Clone(command), "--manifest")...)
	if err == nil {
		err = json.Unmarshal(out, &m)
	}
	if err == nil && (m.Name == "" || !slices.Equal(commandOf(m), command)) {
		err = fmt.Errorf("it says it is %q", m.Name)
	}
	if err != nil {
		return m, fmt.Errorf("ask the program for its manifest: %w\nOnly services can be images, whose main is boot.Main; of a program of several commands say which (cairn image build cairn up)", err)
	}
	return m, nil
}

// commandOf are the words behind a program's name that begin its command line, such as up of
// "cairn up".
func commandOf(m libos.Manifest) []string {
	words := strings.Fields(m.Name)
	return words[min(1, len(words)):]
}

// changes are what the source has beside its revision, where it has anything.
func (t *toolchain) changes(ctx context.Context, f Facts) ([]string, error) {
	if !f.Modified() {
		return nil, nil
	}
	out, err := t.command(ctx, "git", "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n"), nil
}
