// Package acme gets certificates from a public authority by ACME (RFC 8555), and
// renews them, for any server in the process.
//
// A Manager is a certs.Source. It keeps what it got, and the account it got it
// with, in a Storage that may be shared by several replicas: one of them orders,
// all serve, and all can answer the authority's challenges. What is in the
// Storage is served from the start, without asking anybody.
//
//	manager, err := acme.New(ctx, acme.Options{
//		Net:       env.Net,
//		Email:     "alice@example.org",
//		Names:     []string{"example.org", "lists.example.org"},
//		Storage:   storage,
//		HTTP01:    true,
//		TLSALPN01: true,
//		Log:       env.Log,
//	})
//	go manager.Run(ctx) // and wait for it before leaving
//	go http.Serve(port80, manager.Handler(redirectToHTTPS))
//	server.TLSConfig = certs.Config(certs.Chain{manager, selfSigned}, "h2", "http/1.1")
//
// The Storage is for example a secrets.Folder, which keeps all encrypted on a
// branch:
//
//	storage := secrets.Folder{Secrets: s, Path: "acme", By: cairn}
//
// # Challenges
//
// The authority must be shown that a name leads here, in one of three ways; if
// several are allowed and one fails the next is tried.
//
//   - HTTP-01 (RFC 8555 §8.3): Manager.Handler answers on port 80.
//   - TLS-ALPN-01 (RFC 8737): the server on port 443 answers in the handshake;
//     certs.Config takes care of it.
//   - DNS-01 (RFC 8555 §8.4): a TXT record, set by a signed dynamic update (RFC
//     2136, RFC 8945). The only one for names that begin with "*.".
//
// # Renewal
//
// A certificate is renewed when two thirds of its life are over, or when the
// authority says so (RFC 9773). New connections get the new one; those that are
// there stay. What fails is tried again, ever more seldom, and not before the
// authority allows it (Retry-After). Each name has a certificate of its own, so
// that one that cannot be had keeps no other waiting.
//
// # Caveats
//
// To run a Manager is to agree to the authority's terms of service.
//
// The protocol is that of acmez, which keeps an authority's directory for 12 hours for the
// whole process, and asks for one at a time. The storage has the layout of certmagic.
package acme
