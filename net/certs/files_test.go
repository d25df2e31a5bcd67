package certs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
)

// A disk has two files that can be changed while they are read.
type disk struct {
	mu    sync.Mutex
	files fstest.MapFS
}

func (d *disk) read(name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.files.ReadFile(name)
}

func (d *disk) write(cert, key []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files = fstest.MapFS{"cert.pem": {Data: cert}, "key.pem": {Data: key}}
}

// pems returns an authority's certificate and key as files.
func pems(t testing.TB, a *Authority) (cert, key []byte) {
	t.Helper()
	for _, der := range a.pair.Certificate {
		cert = append(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(a.pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// served is the fingerprint of what a client sees.
func served(t testing.TB, s Source, name string) string {
	t.Helper()
	cert, err := s.GetCertificate(&tls.ClientHelloInfo{ServerName: name})
	if err != nil {
		t.Fatal(err)
	}
	return Fingerprint(cert.Leaf)
}

// A renewed file is served, a broken one is not, and is complained about once.
func TestFilesChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := authority(t, [32]byte{1}, "example.org"), authority(t, [32]byte{2}, "example.org")
		cert1, key1 := pems(t, first)
		cert2, key2 := pems(t, second)
		var log strings.Builder
		d := &disk{}
		d.write(cert1, key1)
		f, err := OpenFiles(d.read, "cert.pem", "key.pem", slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, want *Authority) {
			t.Helper()
			if got := served(t, f, "example.org"); got != Fingerprint(want.Leaf()) {
				t.Errorf("%s: got %s, want %s", what, got, Fingerprint(want.Leaf()))
			}
			if f.Leaf() == nil {
				t.Errorf("%s: no leaf", what)
			}
		}
		check("at first", first)
		d.write(cert2, key1)
		check("before it is looked at", first)
		for range 3 {
			time.Sleep(time.Minute)
			check("half written", first)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("complaints: got %d, want 1:\n%s", n, &log)
		}
		d.write(cert2, key2)
		time.Sleep(time.Minute)
		check("renewed", second)
		for _, bad := range [][2][]byte{{nil, key2}, {cert1, nil}, {[]byte("no PEM"), key1}, {cert1[:len(cert1)/3], key1}} {
			d.write(bad[0], bad[1])
			time.Sleep(time.Minute)
			check("broken", second)
		}
		d.mu.Lock()
		d.files = nil
		d.mu.Unlock()
		time.Sleep(time.Minute)
		check("removed", second)
		d.write(cert1, key1)
		time.Sleep(time.Minute)
		check("well again", first)
	})
}

func TestFiles(t *testing.T) {
	d := &disk{}
	if _, err := OpenFiles(d.read, "cert.pem", "key.pem", slog.New(slog.DiscardHandler)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no files: got %v, want fs.ErrNotExist", err)
	}
	cert, _ := pems(t, authority(t, [32]byte{1}, "example.org"))
	_, key := pems(t, authority(t, [32]byte{2}, "example.org"))
	d.write(cert, key)
	if _, err := OpenFiles(d.read, "cert.pem", "key.pem", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a key of another certificate: got no error")
	}
	cert, key = pems(t, authority(t, [32]byte{1}, "example.org", "*.example.net"))
	both := append(cert, key...) // one file may hold both
	d.write(both, nil)
	f, err := OpenFiles(d.read, "cert.pem", "cert.pem", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"": true, "example.org": true, "EXAMPLE.ORG": true, "a.example.net": true, "example.com": false} {
		_, err := f.GetCertificate(&tls.ClientHelloInfo{ServerName: name})
		if want && err != nil || !want && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: got %v, want one: %v", name, err, want)
		}
	}
}

// Many handshakes at once, while the files change.
func TestFilesConcurrently(t *testing.T) {
	first, second := authority(t, [32]byte{1}, "example.org"), authority(t, [32]byte{2}, "example.org")
	cert1, key1 := pems(t, first)
	cert2, key2 := pems(t, second)
	d := &disk{}
	d.write(cert1, key1)
	synctest.Test(t, func(t *testing.T) {
		f, err := OpenFiles(d.read, "cert.pem", "key.pem", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		d.write(cert2, key2)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					time.Sleep(time.Second)
					served(t, f, "")
				}
			})
		}
		wg.Wait()
		if got := served(t, f, ""); got != Fingerprint(second.Leaf()) {
			t.Errorf("got %s, want %s", got, Fingerprint(second.Leaf()))
		}
	})
}
