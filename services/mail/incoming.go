package mail

import (
	"crypto/tls"
	"net/netip"

	"cairn/services/accounts"
	"cairn/services/mail/auth"
)

// Incoming is a message that somebody hands in, and what is known of it. Nobody
// changes it while Accept runs.
type Incoming struct {
	ID   string      // names it in Received and in the log
	From string      // the reverse path (RFC 5321 §4.1.2); "" is the null one
	To   []Recipient // one or more
	Raw  []byte      // as received, with CRLF line ends

	Client   netip.Addr           // whose connection brought it
	Helo     string               // what the client calls itself
	Reverse  auth.IPRev           // what the DNS calls it
	TLS      *tls.ConnectionState // nil without
	Protocol string               // for Received: SMTP, ESMTP, ESMTPSA, UTF8SMTPS… (RFC 3848, RFC 6531)
	User     *accounts.User       // who submits it; nil for what comes from elsewhere
	Listed   []string             // block lists that have the client

	UTF8       bool   // SMTPUTF8 was asked for (RFC 6531)
	Binary     bool   // BODY=BINARYMIME: it need not be text (RFC 3030)
	RequireTLS bool   // RFC 8689
	EnvID      string // RFC 3461, decoded
	Return     string // RFC 3461 RET: FULL, HDRS or ""

	own bool // this software has made it
}

// fromOutside reports whether it is neither a user of ours nor ourselves who hand the message in.
func (in *Incoming) fromOutside() bool { return in.User == nil && !in.own }

// A Recipient is one address of the envelope.
type Recipient struct {
	Address string   // as in RCPT, without the angle brackets
	Notify  []string // RFC 3461: NEVER, SUCCESS, FAILURE, DELAY; none when not said
	ORcpt   string   // RFC 3461, such as rfc822;alice@example.org, decoded
}
