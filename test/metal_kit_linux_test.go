package test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/internal/githost"
	"cairn/internal/loopback"
	"cairn/libos/metal/vm"
)

// metalPatience is how long a machine may take for anything: its instructions are
// translated, and this machine may be busy.
const metalPatience = 10 * time.Minute

// A metal is a virtual machine that is nothing but one of our programs. Its network
// is QEMU's: it has 10.0.2.15 from DHCP, and reaches this machine's loopback as 10.0.2.2.
type metal struct {
	*vm.VM
	t          *testing.T
	plain, tls *loopback.Port // that lead to its ports 80 and 443
	ctx        context.Context
	folder     string
}

// A setting is how a machine differs from the usual.
type setting struct {
	memory  int               // in MiB
	cpu     string            // empty: one that has RDRAND
	files   map[string][]byte // that arguments name
	devices []string          // in place of the network card
	more    []string          // devices besides
}

// images has what `cairn image build` makes of each program, built once.
var images = map[string]func() (string, error){
	"unipi":  sync.OnceValues(func() (string, error) { return buildImage("unipi") }),
	"caldav": sync.OnceValues(func() (string, error) { return buildImage("caldav") }),
	"mail":   sync.OnceValues(func() (string, error) { return buildImage("mail") }),
}

func buildImage(program string) (string, error) {
	file := filepath.Join(binDir, program+".img")
	cmd := exec.Command(filepath.Join(binDir, "cairn"), "image", "build", program, "-o", file)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cairn image build %s: %w\n%s", program, err, out)
	}
	return file, nil
}

// imageOf builds the image of a program, if there is something to boot it with.
func imageOf(t *testing.T, program string) string {
	t.Helper()
	_, err := exec.LookPath(vm.Program)
	judge(t, err == nil, vm.Program+" (Debian: qemu-system-x86)")
	file, err := images[program]()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// campaign leaves a test that takes long to where there is time.
func campaign(t *testing.T) {
	t.Helper()
	if os.Getenv("CAIRN_LONG") == "" {
		t.Skip("takes long: CAIRN_LONG=1 runs it")
	}
}

// boot starts a program in a machine.
func boot(t *testing.T, program string, s setting, args ...string) *metal {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), metalPatience)
	t.Cleanup(cancel)
	m := &metal{t: t, ctx: ctx, folder: t.TempDir(), plain: loopback.Reserve(t), tls: loopback.Reserve(t)}
	devices := s.devices
	if devices == nil {
		devices = []string{
			"-netdev", fmt.Sprintf("user,id=n0,hostfwd=tcp:127.0.0.1:%s-:80,hostfwd=tcp:127.0.0.1:%s-:443", m.plain.Number(), m.tls.Number()),
			"-device", "virtio-net-device,netdev=n0",
		}
	}
	if s.files != nil {
		disk := filepath.Join(m.folder, "files.tar")
		write(t, disk, filesDisk(t, s.files))
		devices = append(devices, "-drive", "if=none,id=files,format=raw,readonly=on,file="+disk, "-device", "virtio-blk-device,drive=files,serial=files")
	}
	var err error
	m.VM, err = vm.Machine{
		Kernel: imageOf(t, program), Append: commandLine(args), Memory: s.memory, CPU: s.cpu,
		Devices: append(append([]string{"-global", "virtio-mmio.force-legacy=false"}, devices...), s.more...),
	}.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Kill)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("console of %s:\n%s", program, m.Console())
		}
	})
	return m
}

// commandLine is that of a machine: words with blanks are in quotes.
func commandLine(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = arg
		if arg == "" || strings.Contains(arg, " ") {
			words[i] = `"` + arg + `"`
		}
	}
	return strings.Join(words, " ")
}

// filesDisk is a disk of files.
func filesDisk(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, data := range files {
		if err := w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: 0o600, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// says waits until the console matches, and returns the match and its groups.
func (m *metal) says(pattern string) []string {
	m.t.Helper()
	found, err := m.Await(m.ctx, regexp.MustCompile(pattern))
	if err != nil {
		m.t.Fatal(err)
	}
	return found
}

// ends waits until the machine has ended by itself with that status, and has said that.
func (m *metal) ends(status int, pattern string) {
	m.t.Helper()
	got, err := m.Wait(m.ctx)
	if err != nil {
		m.t.Fatal(err)
	}
	if got != status || !regexp.MustCompile(pattern).MatchString(m.Console()) {
		m.t.Errorf("status %d, want %d, and on the console %q:\n%s", got, status, pattern, m.Console())
	}
}

// curl runs curl, which trusts the authority of these tests, until it succeeds.
func (m *metal) curl(words ...string) string {
	m.t.Helper()
	var out []byte
	err := wait("curl "+strings.Join(words, " "), func() (err error) {
		if m.Ended() {
			return fmt.Errorf("%w; its console:\n%s", errEnded, m.Console())
		}
		var errs strings.Builder
		cmd := exec.CommandContext(m.ctx, "curl", append([]string{"-sS", "--max-time", "60"}, words...)...)
		cmd.Stderr = &errs
		if out, err = cmd.Output(); err != nil {
			return fmt.Errorf("%w: %s", err, errs.String())
		}
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return string(out)
}

// shows waits until the page is that.
func (m *metal) shows(want string, words ...string) {
	m.t.Helper()
	err := wait("the page "+want, func() error {
		if got := m.curl(words...); got != want {
			return fmt.Errorf("got %q", got)
		}
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
}

// An authority vouches for the machines' certificates, and those of some names more, and for nobody else.
type authority struct {
	pem       []byte
	cert, key []byte // of 127.0.0.1, localhost and those names
}

func newAuthority(t *testing.T, names ...string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "machines of these tests"}, DNSNames: append(names, "localhost"), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 2, 15)},
		IsCA: true, BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &authority{pem: cert, cert: cert, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})}
}

// A home is a git host that machines reach over TLS, with what they need for that.
type home struct {
	*githost.Host
	files map[string][]byte
	args  []string
	work  string // where the site is written
}

func newHome(t *testing.T) *home {
	t.Helper()
	h := &home{Host: githost.New(t, githost.HTTPBackend), work: t.TempDir()}
	git(t, h.work, "init", "-q", "-b", "main")
	for _, variable := range h.GitEnv() {
		if name, ok := strings.CutPrefix(variable, "GIT_SSL_CAINFO="); ok {
			h.files = map[string][]byte{"/etc/ca.pem": []byte(read(t, name))}
		}
	}
	h.args = []string{"--remote", strings.Replace(h.GitURL(), "127.0.0.1", "10.0.2.2", 1), "--remote-ca", "/etc/ca.pem", "--poll", "500ms"}
	return h
}

// publish pushes a page to the site www.
func (h *home) publish(t *testing.T, text string) {
	t.Helper()
	write(t, filepath.Join(h.work, "index.html"), []byte(text))
	git(t, h.work, "add", "-A")
	git(t, h.work, "commit", "-qm", "a page")
	push := exec.Command("git", "-C", h.work, "push", "-q", h.GitURL(), "HEAD:refs/heads/site/www/main")
	push.Env = h.GitEnv()
	if out, err := push.CombinedOutput(); err != nil {
		t.Fatalf("push: %v\n%s", err, out)
	}
}
