// Package certs is where a TLS server's certificates come from.
//
// A Source has certificates for names:
//
//   - Files are a certificate and its key in two PEM files, read again when they
//     change, so that whoever renews them need not restart anything.
//   - An Authority is a private one, made from 32 bytes: the same bytes and names
//     give the same certificates, to the last bit, on every machine. FromSeed
//     is for tests, and for machines without a disk; SelfSigned is for the time
//     until something better is there.
//   - net/acme has those of a public authority.
//
// A Chain asks one Source after the other, and Config makes of a Source what a
// server needs:
//
//	own, err := certs.SelfSigned("example.org", "localhost", "127.0.0.1")
//	log.Info("until a certificate is there", "fingerprint", certs.Fingerprint(own.Leaf()))
//	server.TLSConfig = certs.Config(certs.Chain{files, own}, "h2", "http/1.1")
//
// # Caveats
//
// OCSP is not done: public authorities have ended it.
//
// Whoever has the seed of an Authority can be every name to those who trust its
// Root, and has the keys of all session tickets that ShareTickets makes.
package certs
