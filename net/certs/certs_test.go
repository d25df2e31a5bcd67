package certs

import (
	"crypto/tls"
	"testing"
)

func TestServe(t *testing.T) {
	own, err := SelfSigned("example.org", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	c := Config(Chain{own}, "h2")
	cert, err := c.GetCertificate(&tls.ClientHelloInfo{ServerName: "Example.ORG"})
	if err != nil || cert.Leaf != own.Leaf() {
		t.Errorf("got %v, %v, want the authority's certificate", cert, err)
	}
}
