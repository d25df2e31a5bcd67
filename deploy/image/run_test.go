package image

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRunProcess starts an image as a process, whose exit status and words are its own.
func TestRunProcess(t *testing.T) {
	file := tinyFile(t)
	for _, want := range []int{0, 7} {
		p, err := Start{File: file, Manifest: tiny(t).Manifest, World: Unix, Args: []string{"--status", string(rune('0' + want))}}.Plan()
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		status, err := p.Run(t.Context(), nil, &out, &errs)
		if err != nil || status != want || out.String() != "the machine is its own: false\n" {
			t.Errorf("got status %d, %v, %q and %q, want %d", status, err, out.String(), errs.String(), want)
		}
	}
}

// TestRunMachine boots it under QEMU: a microvm, and a machine with PCI.
func TestRunMachine(t *testing.T) {
	judge(t, "qemu-system-x86_64")
	file := tinyFile(t)
	for _, pci := range []bool{false, true} {
		s := Start{File: file, Manifest: tiny(t).Manifest, World: QEMU, Forward: []string{"127.0.0.1:0=80"}, PCI: pci, Args: []string{"--status", "7"}}
		p, err := s.Plan()
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		status, err := p.Run(t.Context(), nil, &out, &errs)
		if err != nil || status != 7 || !strings.Contains(out.String(), "the machine is its own: true") {
			t.Errorf("PCI %v: got status %d, %v, %q and %q, want 7", pci, status, err, out.String(), errs.String())
		}
	}
}

// TestRunWorlds starts a service in every world there is here with the same arguments, of which one
// names a file.
func TestRunWorlds(t *testing.T) {
	judge(t, "qemu-system-x86_64")
	dir := t.TempDir()
	b, err := Build(t.Context(), Options{Program: "./testdata/reader"})
	if err != nil {
		t.Fatal(err)
	}
	file, key := filepath.Join(dir, "reader.img"), filepath.Join(dir, "my key")
	if err := os.WriteFile(file, b.Image, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte("what is in the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Start{
		"unix":    {World: Unix},
		"sealed":  {World: Sealed},
		"microvm": {World: QEMU},
		"q35":     {World: QEMU, PCI: true},
	} {
		s.File, s.Manifest, s.Args = file, b.Manifest, []string{"--key", key}
		p, err := s.Plan()
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		status, err := p.Run(t.Context(), nil, &out, &errs)
		if got := strings.ReplaceAll(out.String(), "\r", ""); err != nil || status != 0 || !strings.Contains(got, "what is in the file\n") {
			t.Errorf("%s: got status %d, %v, %q and %q", name, status, err, got, errs.String())
		}
	}
}

// TestRunFails says so when a machine ends without a word, or cannot be started.
func TestRunFails(t *testing.T) {
	silent := &Plan{Command: []string{"true"}, vm: true}
	if status, err := silent.Run(t.Context(), nil, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "without a word") {
		t.Errorf("a silent machine: got %d, %v", status, err)
	}
	none := &Plan{Command: []string{filepath.Join(t.TempDir(), "none")}}
	if _, err := none.Run(t.Context(), nil, io.Discard, io.Discard); err == nil || none.Installed() {
		t.Errorf("no program: got %v", err)
	}
}

// TestPrepare makes a configuration and a disk, where only their owner can read them, and names
// them where the plan does.
func TestPrepare(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, world := range []World{QEMU, Firecracker, CloudHypervisor} {
		dir := t.TempDir()
		p, err := Start{File: "/srv/shop.img", Manifest: shop, World: world, Args: []string{"--key", key, "--name", "x,file=" + filesDisk}}.Plan()
		if err != nil {
			t.Fatal(err)
		}
		command, err := p.prepare(dir)
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join(command, "\n")
		if world == Firecracker {
			config, err := os.ReadFile(filepath.Join(dir, configFile))
			if err != nil {
				t.Fatal(err)
			}
			all += string(config)
		}
		disk := filepath.Join(dir, filesDisk)
		if strings.Count(all, disk) != 1 || !strings.Contains(all, "--name=x,file="+filesDisk) {
			t.Errorf("%s: the disk is not named once, or something else is: %s", world, all)
		}
		if stat, err := os.Stat(disk); err != nil || stat.Mode() != 0o600 {
			t.Errorf("%s: got %v, %v", world, stat, err)
		}
	}
}

func TestLastWords(t *testing.T) {
	for _, c := range []struct {
		said []string
		want int
		ok   bool
	}{
		{[]string{"hello\n", "cairn: exit status 0\r\n"}, 0, true},
		{[]string{strings.Repeat("x", 1000) + "\ncairn: exit st", "atus 12", "\n"}, 12, true},
		{[]string{"cairn: exit status 1\n", "cairn: exit status 2\n"}, 2, true},
		{[]string{"not cairn: exit status 1\n"}, 0, false},
		{[]string{"cairn: exit status 1\n", strings.Repeat("y\n", 200)}, 0, false},
		{nil, 0, false},
	} {
		l := &lastWords{}
		for _, s := range c.said {
			if _, err := io.WriteString(l, s); err != nil {
				t.Fatal(err)
			}
		}
		if got, ok := l.status(); got != c.want || ok != c.ok {
			t.Errorf("%.40q: got %d, %v, want %d, %v", c.said, got, ok, c.want, c.ok)
		}
	}
}

// TestPrinted lets a shell do what is printed, in place of us.
func TestPrinted(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "my key"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	p, err := Start{File: "/srv/shop.img", Manifest: shop, World: Firecracker, Args: []string{"--key", "my key", "--name", "it's big"}}.Plan()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Print(&b); err != nil {
		t.Fatal(err)
	}
	script := "firecracker() { cat \"$3\"; }\n" + b.String()
	out, err := exec.Command("sh", "-e", "-c", script).CombinedOutput()
	if err != nil || !bytes.Equal(out, p.Config) {
		t.Errorf("got %v and %s, want %s", err, out, p.Config)
	}
	if got := ask(t, "tar", "-xOf", filesDisk, "my key"); got != "secret" {
		t.Errorf("got %q", got)
	}
}
