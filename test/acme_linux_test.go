package test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"

	"cairn/net/certs"
)

// TestNetstackACME gets certificates from an authority, keeps them among the secrets and
// serves them after a restart while the authority is gone.
func TestNetstackACME(t *testing.T) {
	n := newNamespace(t)
	n.names("192.0.2.2")
	ca, stop := n.pebble()
	args := []string{"--ipv4", "192.0.2.2/24", "--domain", "cairn.test", "--acme", "--acme-directory", "https://192.0.2.1:14000/dir", "--acme-ca", ca}
	home := filepath.Join(n.dir, "home")
	i := n.up(home, args...)
	if !strings.Contains(i.said(), "--pinnedpubkey") {
		t.Errorf("nothing is told of the certificate until there is one:\n%s", i.said())
	}
	write(t, filepath.Join(n.dir, "root.pem"), []byte(n.curl("--insecure", "https://192.0.2.1:15000/roots/0")))
	trusted := []string{"--cacert", "root.pem", "--resolve", "site.cairn.test:443:192.0.2.2", "-o", os.DevNull, "-w", "%{http_code} %{certs}", "https://site.cairn.test/"}
	before := n.curl(trusted...)
	if !strings.HasPrefix(before, "200 ") {
		t.Errorf("with the authority's certificate: got %.20s, want 200", before)
	}
	err := wait("the certificates", func() error {
		for _, name := range []string{"cairn.test", "dav.cairn.test", "site.cairn.test"} {
			if !strings.Contains(i.said(), `msg="certificate in use" name=`+name+" ") {
				return fmt.Errorf("%s has none", name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	i.kill()
	stop()

	n.up(home, args...)
	if after := n.curl(trusted...); after != before {
		t.Error("after a restart there is another certificate")
	}
}

// names has every name lead to an address, for those who ask 192.0.2.1.
func (n *namespace) names(address string) {
	n.t.Helper()
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		answer := new(dns.Msg)
		answer.SetReply(m)
		for _, q := range m.Question {
			if q.Qtype == dns.TypeA {
				answer.Answer = append(answer.Answer, &dns.A{
					Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.ParseIP(address)})
			}
		}
		_ = w.WriteMsg(answer) // who hears nothing asks again
	})
	server := &dns.Server{Handler: handler}
	err := n.Inside(func() (err error) {
		server.Listener, err = net.Listen("tcp", "192.0.2.1:53")
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	started, done := make(chan struct{}), make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() {
		defer close(done)
		_ = server.ActivateAndServe() // ends with Shutdown
	}()
	<-started
	n.t.Cleanup(func() { _ = server.Shutdown(); <-done })
}

// pebble starts Let's Encrypt's ACME server for tests at 192.0.2.1, ports 14000 and 15000. ca is
// who vouches for the server itself.
func (n *namespace) pebble() (ca string, stop func()) {
	n.t.Helper()
	binary, err := exec.Command("go", "tool", "-n", "pebble").Output()
	judge(n.t, err == nil, "pebble")
	own, err := certs.FromSeed([32]byte{1}, "192.0.2.1")
	if err != nil {
		n.t.Fatal(err)
	}
	pair, err := own.GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		n.t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		n.t.Fatal(err)
	}
	file := func(name string, data []byte) string {
		write(n.t, filepath.Join(n.dir, name), data)
		return filepath.Join(n.dir, name)
	}
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress":           "192.0.2.1:14000",
		"managementListenAddress": "192.0.2.1:15000",
		"certificate":             file("pebble.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Leaf().Raw})),
		"privateKey":              file("pebble.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		"httpPort":                80,
		"tlsPort":                 443,
		"profiles":                map[string]any{"default": map[string]any{"description": "all", "validityPeriod": 86400}},
	}})
	if err != nil {
		n.t.Fatal(err)
	}
	cmd := n.command(strings.TrimSpace(string(binary)), "-config", file("pebble.json", config), "-dnsserver", "192.0.2.1:53")
	cmd.Env = append(cmd.Env, "PEBBLE_VA_NOSLEEP=1")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			_ = cmd.Process.Signal(syscall.SIGKILL)
			_ = cmd.Wait() // it was killed
		}
	}
	n.t.Cleanup(func() {
		stop()
		if n.t.Failed() {
			n.t.Logf("pebble:\n%s", said.String())
		}
	})
	ca = file("ca.pem", own.RootPEM())
	n.curl("--cacert", ca, "-o", os.DevNull, "https://192.0.2.1:14000/dir") // it is there
	return ca, stop
}
