package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"slices"
	"time"
)

// Config returns the configuration of a server whose certificates are src's, and
// which speaks the application protocols protos, the first preferred; none to
// leave that open. A client that asks for a name that src does not have, or for
// none, gets src's first certificate.
//
// Versions below TLS 1.2 are refused. In TLS 1.2 only the suites with ephemeral
// keys (ECDHE) and authenticated encryption (GCM, ChaCha20-Poly1305) are left,
// which is RFC 9325 §4.2; those of TLS 1.3 are all so. Keys are agreed on by
// X25519MLKEM768, X25519 or P-256. A handshake fails with CheckClock's error.
func Config(src Source, protos ...string) *tls.Config {
	c := floors()
	c.NextProtos = protos
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return certificate(src, hello)
	}
	challenger, _ := src.(Challenger)
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if err := CheckClock(); err != nil || challenger == nil {
			return nil, err
		}
		return challenge(challenger, hello), nil
	}
	return c
}

// ClientConfig returns the configuration of a client that trusts roots, nil for Roots,
// with the same floors as Config. A handshake fails with CheckClock's error.
func ClientConfig(roots *x509.CertPool) *tls.Config {
	c := floors()
	c.RootCAs = roots
	if roots == nil {
		c.RootCAs = Roots()
	}
	// A clock that is behind would make of any certificate one that is not valid yet, and
	// that be the error.
	c.Time = func() time.Time {
		if now := time.Now(); now.After(built()) {
			return now
		}
		return built()
	}
	c.VerifyConnection = func(tls.ConnectionState) error { return CheckClock() }
	return c
}

func floors() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256},
	}
}

func certificate(src Source, hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert, err := src.GetCertificate(hello)
	if hello.ServerName == "" || !errors.Is(err, fs.ErrNotExist) {
		return cert, err
	}
	nameless := *hello
	nameless.ServerName = ""
	return src.GetCertificate(&nameless)
}

// challenge returns the configuration for a client that offers one of src's
// challenges and nothing else, nil for any other client. Such a client gets no
// certificate but the one it asks for, and nothing to come back with.
func challenge(src Challenger, hello *tls.ClientHelloInfo) *tls.Config {
	if len(hello.SupportedProtos) != 1 || !slices.Contains(src.Challenges(), hello.SupportedProtos[0]) {
		return nil
	}
	c := floors()
	c.NextProtos = hello.SupportedProtos
	c.SessionTicketsDisabled = true
	c.GetCertificate = src.GetCertificate
	return c
}
