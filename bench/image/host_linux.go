package image

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"cairn/bench/stock"
)

// page is the first page of the site, of 1 KB as in the other benchmarks of networks.
var page = []byte(strings.Repeat("The quick brown fox jumps over the lazy dog. ", 23)[:1024])

// files is how many pages the site has.
const files = 200

// A gitHost is stock git's HTTP server with the site, plain and over TLS.
type gitHost struct {
	plain, secure string // URLs
	ca            []byte // PEM, of who vouches for secure
	servers       []*http.Server
}

func newGitHost(ctx context.Context, p *place, dir string) (*gitHost, error) {
	repo, err := stock.New(ctx, filepath.Join(dir, "site.git"), history())
	if err != nil {
		return nil, err
	}
	handler, err := repo.Backend(ctx)
	if err != nil {
		return nil, err
	}
	pair, ca, err := certificate()
	if err != nil {
		return nil, err
	}
	h := &gitHost{ca: ca}
	for scheme, url := range map[string]*string{"http": &h.plain, "https": &h.secure} {
		l, err := p.listen()
		if err != nil {
			return nil, err
		}
		*url = fmt.Sprintf("%s://%s/site.git", scheme, l.Addr())
		if scheme == "https" {
			l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}})
		}
		s := &http.Server{Handler: handler}
		h.servers = append(h.servers, s)
		go s.Serve(l) // until close
	}
	return h, nil
}

func (h *gitHost) close() {
	for _, s := range h.servers {
		s.Close()
	}
}

// history is one commit on the branch that is live, for git fast-import.
func history() []byte {
	var b bytes.Buffer
	b.WriteString("commit refs/heads/site/www/main\ncommitter C <c@example.org> 1700000000 +0000\ndata 4\nsite\n")
	for i := range files {
		name := fmt.Sprintf("page-%d.html", i)
		if i == 0 {
			name = "index.html"
		}
		fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", name, len(page), page)
	}
	return b.Bytes()
}

// certificate makes one for the host's address that vouches for itself.
func certificate() (pair tls.Certificate, ca []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.ParseIP(hostAddress)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return pair, nil, err
	}
	ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, ca, nil
}
