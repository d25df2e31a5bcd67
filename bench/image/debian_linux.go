package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// meta is the package that stands for Debian's newest kernel for virtual machines.
const meta = "linux-image-cloud-amd64"

// modules are what that kernel needs on a microvm to have a network card, in an order in
// which they can be loaded.
var modules = []string{"virtio_ring", "virtio", "virtio_mmio", "failover", "net_failover", "virtio_net"}

// A debian is its kernel, unpacked and not installed.
type debian struct {
	version string
	kernel  string            // vmlinuz
	modules map[string][]byte // by name
	pkg     string            // the package it is in
}

// fetchDebian has apt-get download the kernel that the machine would install now.
func fetchDebian(ctx context.Context, dir string) (*debian, error) {
	depends, err := output(ctx, dir, "apt-cache", "depends", meta)
	if err != nil {
		return nil, err
	}
	found := regexp.MustCompile(`Depends: (linux-image-(\S+))`).FindStringSubmatch(depends)
	if found == nil {
		return nil, fmt.Errorf("apt-cache knows no %s: run apt-get update", meta)
	}
	d := &debian{pkg: found[1], version: found[2], modules: map[string][]byte{}}
	root, err := unpack(ctx, dir, d.pkg)
	if err != nil {
		return nil, err
	}
	d.kernel = filepath.Join(root, "boot", "vmlinuz-"+d.version)
	return d, d.load(filepath.Join(root, "lib", "modules", d.version))
}

// unpack downloads a package and unpacks it into a folder of its own.
func unpack(ctx context.Context, dir, pkg string) (string, error) {
	if _, err := output(ctx, dir, "apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", pkg); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(dir, pkg+"_*.deb"))
	if err != nil || len(files) != 1 {
		return "", errors.Join(err, fmt.Errorf("apt-get download %s: %d files", pkg, len(files)))
	}
	root := filepath.Join(dir, pkg)
	_, err = output(ctx, dir, "dpkg-deb", "-x", files[0], root)
	return root, err
}

// load reads the modules below a folder.
func (d *debian) load(dir string) error {
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		for _, m := range modules {
			if e.Name() == m+".ko" {
				d.modules[m], err = os.ReadFile(name)
			}
		}
		return err
	})
	if err == nil && len(d.modules) != len(modules) {
		err = fmt.Errorf("%s has only %d of the modules %s", d.pkg, len(d.modules), strings.Join(modules, " "))
	}
	return err
}

// output runs a command and returns what it prints.
func output(ctx context.Context, dir string, words ...string) (string, error) {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w\n%s", err, exit.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(words, " "), err)
	}
	return string(out), nil
}
