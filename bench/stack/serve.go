package stack

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"

	"cairn/libos"
)

// Ports of the server.
const (
	portEcho   = 7
	portSink   = 9
	portSource = 19
	portHTTP   = 80
	portTLS    = 443
)

const chunk = 1 << 20 // of bulk data, in bytes

// listen serves every kind of load on a network.
func listen(ctx context.Context, n libos.Net, address string) error {
	servers, err := Servers()
	if err != nil {
		return err
	}
	for name, serve := range servers {
		l, err := n.Listen(ctx, "tcp", fmt.Sprintf("%s:%d", address, ports[name]))
		if err != nil {
			return err
		}
		go serve(l)
	}
	return nil
}

var ports = map[string]int{"echo": portEcho, "sink": portSink, "source": portSource, "http": portHTTP, "https": portTLS}

// Servers are what the loads are put on: echo (on port 7), sink (9), source (19), http (80) and
// https (443).
func Servers() (map[string]func(net.Listener), error) {
	cert, err := certificate()
	if err != nil {
		return nil, err
	}
	page := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 23)[:1024]
	web := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, page) })
	return map[string]func(net.Listener){
		"echo":   each(func(c net.Conn) { io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{c}, make([]byte, 4096)) }),
		"sink":   each(func(c net.Conn) { drain(c) }),
		"source": each(func(c net.Conn) { fill(c) }),
		"http":   func(l net.Listener) { http.Serve(l, web) },
		"https": func(l net.Listener) {
			s := &http.Server{Handler: web, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, ErrorLog: log.New(io.Discard, "", 0)}
			s.ServeTLS(l, "", "")
		},
	}, nil
}

// each serves every connection with f.
func each(f func(net.Conn)) func(net.Listener) {
	return func(l net.Listener) {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c)
			}()
		}
	}
}

// drain reads to the end.
func drain(c net.Conn) int64 {
	n, _ := io.CopyBuffer(io.Discard, struct{ io.Reader }{c}, make([]byte, chunk))
	return n
}

// fill writes until that fails.
func fill(c net.Conn) {
	for b := make([]byte, chunk); ; {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

// certificate returns one with an ECDSA key, as sites have.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"bench.test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
