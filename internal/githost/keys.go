package githost

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// keys are what a host and its client know each other by.
type keys struct {
	roots              *x509.CertPool
	caPEM              []byte
	server, serverKey  []byte // PEM
	certificate        tls.Certificate
	clientPEM, privPEM []byte // the certificate's

	host, client sshKey
}

// An sshKey is a key as OpenSSH keeps it in a file.
type sshKey struct {
	ssh.Signer
	pem []byte
}

// line is the public key, as it stands in authorized_keys.
func (k sshKey) line() string { return string(ssh.MarshalAuthorizedKey(k.PublicKey())) }

func newKeys(t testing.TB) *keys {
	t.Helper()
	ca := template("Test CA")
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	caKey := newKey(t)
	k := &keys{roots: x509.NewCertPool(), host: newSSHKey(t), client: newSSHKey(t)}
	k.caPEM, _ = issue(t, ca, caKey, ca, caKey)
	k.roots.AppendCertsFromPEM(k.caPEM)

	server := template("localhost")
	server.DNSNames, server.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 2, 2)}
	k.server, k.serverKey = issue(t, server, newKey(t), ca, caKey)
	k.clientPEM, k.privPEM = issue(t, template(User), newKey(t), ca, caKey)
	var err error
	if k.certificate, err = tls.X509KeyPair(k.clientPEM, k.privPEM); err != nil {
		t.Fatal(err)
	}
	return k
}

// clientTLS trusts the host's certificate and no other.
func (k *keys) clientTLS(kind Kind) *tls.Config {
	c := &tls.Config{RootCAs: k.roots}
	if kind == ClientCert {
		c.Certificates = []tls.Certificate{k.certificate}
	}
	return c
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newSSHKey(t testing.TB) sshKey {
	t.Helper()
	key := newKey(t)
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return sshKey{signer, pem.EncodeToMemory(block)}
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
}

// issue returns a certificate and its key, as PEM.
func issue(t testing.TB, c *x509.Certificate, key *ecdsa.PrivateKey, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (cert, private []byte) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), marshal(t, key)
}

func marshal(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
