package certs

import (
	"crypto/x509"
	"sync"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// Roots returns the authorities that are trusted on this machine; where it has none, such as a
// machine without a file system, those that Mozilla trusted when the program was made. They
// are read once; callers must not change the pool.
var Roots = sync.OnceValue(func() *x509.CertPool {
	if system, err := x509.SystemCertPool(); err == nil && !system.Equal(x509.NewCertPool()) {
		return system
	}
	return builtIn()
})

// builtIn are the authorities that the program carries.
func builtIn() *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			continue // Mozilla has it, this version of Go does not know it
		}
		if root.Constraint == nil {
			pool.AddCert(cert)
		} else {
			pool.AddCertWithConstraint(cert, root.Constraint)
		}
	}
	return pool
}
