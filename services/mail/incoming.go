package mail

import (
	"crypto/tls"
	"net/netip"

	"cairn/services/accounts"
)

// Incoming is a message that somebody hands in, and what is known of it. Nobody
// changes it while Accept runs.
type Incoming struct {
	From string      // the reverse path (RFC 5321 §4.1.2); "" is the null one
	To   []Recipient // one or more
	Raw  []byte      // as received, with CRLF line ends

	Client      netip.Addr           // whose connection brought it
	Helo        string               // what the client calls itself
	ReverseName string               // what the DNS calls it, both ways; "" when it does not
	TLS         *tls.ConnectionState // nil without
	Protocol    string               // for Received: SMTP, ESMTP, ESMTPSA, UTF8SMTPS… (RFC 3848, RFC 6531)
	User        *accounts.User       // who submits it; nil for what comes from elsewhere
	Suspicions  []string             // what speaks against the client, such as "listed by zen.example"

	UTF8       bool   // SMTPUTF8 was asked for (RFC 6531)
	RequireTLS bool   // RFC 8689
	EnvID      string // RFC 3461, as the client gave it, decoded
	Return     string // RFC 3461 RET: FULL, HDRS or ""
}

// A Recipient is one address of the envelope.
type Recipient struct {
	Address string   // without angle brackets and quotes of the local part
	Notify  []string // RFC 3461: NEVER, SUCCESS, FAILURE, DELAY; none when not said
	ORcpt   string   // RFC 3461, such as rfc822;alice@example.org
}
