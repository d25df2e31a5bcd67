package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often, at most, Files are read again.
const lookEvery = 5 * time.Second

// Files are a certificate chain and its key in two PEM files, which may be the
// same. They are read again in the course of a handshake, at most every 5
// seconds; when they have changed, and are well, they are served from then on.
// Connections that are there stay.
type Files struct {
	read      func(name string) ([]byte, error)
	cert, key string
	log       *slog.Logger

	now atomic.Pointer[loaded]

	mu      sync.Mutex // held by whoever reads
	trouble string     // what was last complained about
}

// loaded is a pair of files and what is in them.
type loaded struct {
	certPEM, keyPEM []byte
	pair            *tls.Certificate
	next            time.Time // when to look again
}

// OpenFiles reads the certificate from the file cert and its key from the file
// key, by means of read, which is called again later from any goroutine. It fails
// if they are not there or do not belong together. Of later trouble log is told,
// once; the certificate that was there stays.
func OpenFiles(read func(name string) ([]byte, error), cert, key string, log *slog.Logger) (*Files, error) {
	f := &Files{read: read, cert: cert, key: key, log: log}
	l, err := f.load(nil)
	if err != nil {
		return nil, err
	}
	f.now.Store(l)
	return f, nil
}

// GetCertificate implements Source for the names that the certificate is for.
func (f *Files) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	l := f.now.Load()
	if time.Now().After(l.next) && f.mu.TryLock() {
		l = f.look()
		f.mu.Unlock()
	}
	if hello.ServerName != "" && l.pair.Leaf.VerifyHostname(CanonicalName(hello.ServerName)) != nil {
		return nil, absent(hello.ServerName)
	}
	return l.pair, nil
}

// Leaf returns the certificate that is served now.
func (f *Files) Leaf() *x509.Certificate { return f.now.Load().pair.Leaf }

// look reads the files again, unless somebody just has, and returns what to
// serve. The caller holds f.mu.
func (f *Files) look() *loaded {
	old := f.now.Load()
	if !time.Now().After(old.next) {
		return old
	}
	l, err := f.load(old)
	if err != nil {
		again := *old
		again.next = time.Now().Add(lookEvery)
		l = &again
	}
	f.now.Store(l)
	f.complain(err)
	if err == nil && l.pair != old.pair {
		f.log.Info("certificate read again", "file", f.cert, "valid until", l.pair.Leaf.NotAfter)
	}
	return l
}

// complain reports trouble that is new.
func (f *Files) complain(err error) {
	if err == nil {
		f.trouble = ""
	} else if err.Error() != f.trouble {
		f.trouble = err.Error()
		f.log.Error("the certificate that was there stays in use", "err", err)
	}
}

// load reads the files. If they are as in old, so is the result's pair.
func (f *Files) load(old *loaded) (*loaded, error) {
	l := &loaded{next: time.Now().Add(lookEvery)}
	var err error
	if l.certPEM, err = f.read(f.cert); err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	if l.keyPEM, err = f.read(f.key); err != nil {
		return nil, fmt.Errorf("read the certificate's key: %w", err)
	}
	if old != nil && bytes.Equal(l.certPEM, old.certPEM) && bytes.Equal(l.keyPEM, old.keyPEM) {
		l.pair = old.pair
		return l, nil
	}
	pair, err := tls.X509KeyPair(l.certPEM, l.keyPEM)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", f.cert, f.key, err)
	}
	l.pair = &pair
	return l, nil
}
