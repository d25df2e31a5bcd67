package acme

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/internal/loopback"
	"cairn/net/certs"
)

// pebbleBinary is Let's Encrypt's ACME server for tests, a tool of go.mod.
var pebbleBinary = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "tool", "-n", "pebble").Output()
	return strings.TrimSpace(string(out)), err
})

// A pebble is an ACME server on the loopback.
type pebble struct {
	t          testing.TB
	conf       map[string]any
	folder     string
	dns        string
	api, admin *loopback.Port
	front      *certs.Authority // who vouches for the server itself

	cmd *exec.Cmd
	log *output
}

// An output is what a process has written.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// newPebble prepares an ACME server that looks for names at dns and for
// challenges at the ports http and https. Certificates live for life.
func newPebble(t testing.TB, dns string, httpPort, tlsPort int, life time.Duration) *pebble {
	t.Helper()
	binary, err := pebbleBinary()
	if err != nil {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatalf("pebble is needed: %v", err)
		}
		t.Skipf("pebble does not build: %v", err)
	}
	front, err := certs.FromSeed([32]byte{1}, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	p := &pebble{t: t, dns: dns, folder: t.TempDir(), api: loopback.Reserve(t), admin: loopback.Reserve(t), front: front}
	p.conf = map[string]any{
		"listenAddress":           p.api.Addr(),
		"managementListenAddress": p.admin.Addr(),
		"certificate":             p.file("cert.pem", certPEM(front)),
		"privateKey":              p.file("key.pem", keyPEM(t, front)),
		"httpPort":                httpPort,
		"tlsPort":                 tlsPort,
		"keyAlgorithm":            "ecdsa",
		"domainBlocklist":         []string{"blocked.test"},
		"retryAfter":              map[string]int{"authz": 1, "order": 1},
		"profiles":                map[string]any{"default": map[string]any{"description": "all", "validityPeriod": int(life / time.Second)}},
	}
	p.cmd = exec.Command(binary)
	return p
}

func certPEM(a *certs.Authority) []byte {
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Leaf().Raw}), a.RootPEM()...)
}

func keyPEM(t testing.TB, a *certs.Authority) []byte {
	t.Helper()
	pair, err := a.GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (p *pebble) file(name string, data []byte) string {
	p.t.Helper()
	name = filepath.Join(p.folder, name)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return name
}

// start starts the server, which remembers nothing of an earlier time, and waits
// until it answers.
func (p *pebble) start() {
	p.t.Helper()
	data, err := json.Marshal(map[string]any{"pebble": p.conf})
	if err != nil {
		p.t.Fatal(err)
	}
	log := &output{}
	p.log = log
	p.cmd = exec.Command(p.cmd.Path, "-config", p.file("config.json", data), "-strict", "-dnsserver", p.dns)
	p.cmd.Env = []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0"}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	running := p.cmd
	p.t.Cleanup(func() {
		running.Process.Kill()
		running.Wait()
		if p.t.Failed() {
			p.t.Logf("pebble:\n%s", log)
		}
	})
	eventually(p.t, "pebble answers", func() bool {
		resp, err := p.client().Get(p.directory())
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// stop ends the server.
func (p *pebble) stop() {
	p.t.Helper()
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func (p *pebble) directory() string { return "https://" + p.api.Addr() + "/dir" }

// issued is how many certificates the server has given.
func (p *pebble) issued() int { return strings.Count(p.log.String(), "Issued certificate serial") }

func (p *pebble) client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{TLSClientConfig: certs.ClientConfig(p.frontRoots()), DisableKeepAlives: true},
		Timeout:   time.Minute,
	}
}

func (p *pebble) frontRoots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.front.Root())
	return pool
}

// roots are those whom the server's certificates lead to.
func (p *pebble) roots() *x509.CertPool {
	p.t.Helper()
	resp, err := p.client().Get("https://" + p.admin.Addr() + "/roots/0")
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(data) {
		p.t.Fatalf("root: %q, %v", data, err)
	}
	return pool
}

// suggest has the server say that leaf should be renewed within a window.
func (p *pebble) suggest(leaf *x509.Certificate, from, until time.Time) {
	p.t.Helper()
	window := map[string]any{"suggestedWindow": map[string]any{"start": from.Format(time.RFC3339), "end": until.Format(time.RFC3339)}}
	answer, err := json.Marshal(window)
	if err != nil {
		p.t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{
		"certificate": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})),
		"ariResponse": string(answer),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := p.client().Post("https://"+p.admin.Addr()+"/set-renewal-info/", "application/json", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		p.t.Fatalf("set renewal info: %s", resp.Status)
	}
}

// patienceOfTests is how long something that must happen may take.
const patienceOfTests = 3 * time.Minute

// eventually waits until ok is true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patienceOfTests)
	defer cancel()
	for !ok() {
		if sleep(ctx, 20*time.Millisecond) != nil {
			t.Fatalf("not yet: %s", what)
		}
	}
}

func port(t testing.TB, address string) int {
	t.Helper()
	n, err := strconv.Atoi(address[strings.LastIndex(address, ":")+1:])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
