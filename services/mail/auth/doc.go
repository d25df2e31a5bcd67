// Package auth finds out who sent a message, and signs those that leave.
//
// A [Checker] asks the DNS and reads the message: the client's names (iprev,
// RFC 8601 §2.7.3), SPF of the HELO name and of the sender (RFC 7208), every DKIM
// signature (RFC 6376, 8301, 8463), the ARC chain (RFC 8617), and from these DMARC
// (RFC 7489, with t=, np= and the missing p= of RFC 9989). The [Result] decides
// nothing: it says what the owner of the From domain asks for, and whose word that rests on.
//
//	c := &auth.Checker{Resolver: resolver, ID: "mx.example.org"}
//	r := c.Check(ctx, auth.Source{IP: ip, Helo: helo, MailFrom: from}, raw)
//	if r.DMARC.Action == auth.Reject { … }
//	prefix = append(prefix, r.Header()...)
//
// A [Signer] makes the DKIM-Signature fields of an outgoing message, one for each
// of its keys, and [Signer.Seal] the ARC set of one that is passed on. [ParseReport]
// reads what other servers report about our domains.
//
// # Caveats
//
// A message is never changed and its body never copied: it is hashed once for each
// canonicalisation that a signature asks for, whatever their number. The DNS is
// asked at most [MaxQuestions] times for a message, for at most Checker.Timeout; nothing
// is remembered from one message to the next, which is the resolver's part.
//
// The organisational domain is that of the public suffix list which this program was
// built with, as in RFC 7489, not of a walk through the DNS as in RFC 9989: almost all
// records are still published for the former, and it costs no questions.
package auth
