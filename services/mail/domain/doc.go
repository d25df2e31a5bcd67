// Package domain says what the world has to be told of a domain whose mail is served here: the
// records of the DNS (Records, Zone), whether they are there (Checker), and to mail programs
// where the servers are (Web: autoconfig, autodiscover, the policy of MTA-STS).
//
//	s := domain.Setup{Domain: "example.org", Host: "mail.example.org", Keys: keys}
//	for _, r := range s.Records() {
//		fmt.Println(r.Name, r.Type, r.Value)
//	}
//
// It knows no more of a domain than Setup says, so that what is printed, what is checked and what
// is served cannot differ.
package domain

import "net/netip"

// A Setup is what is known of a domain and of the machine that serves it.
type Setup struct {
	Domain string // in lower case, xn--… where it is not ASCII
	Host   string // the machine's name: where MX leads
	// Addresses are those of the machine; none: they are not known here, and Host has its own
	// records.
	Addresses []netip.Addr

	Keys []Key // that sign what leaves; those to come may be among them

	// Policy is the mode of MTA-STS: testing, enforce or none; "": no policy is published.
	// PolicyID is 1 to 32 letters and digits that change with it.
	Policy, PolicyID string

	// Issuer is the authority that gives certificates, such as letsencrypt.org; "": not known.
	Issuer string
	// TLSA are SHA-256 hashes, in hex, of the public keys that the server of mail shows. They hold
	// only where the key stays the same.
	TLSA []string

	Web bool   // names of the domain lead to the web service here: autoconfig, MTA-STS, WKD
	Dav string // where calendars and contacts are, as host[:port]; "": nowhere
	// WKD says that the web service publishes people's OpenPGP keys.
	WKD bool
}

// A Key is one that signs mail: the name under which its record lies, and what that says.
type Key struct{ Selector, Text string }

// Reports are the local parts to which others send their reports (RFC 7489 §7.2, RFC 8460 §3).
const (
	DMARCReports = "dmarc-reports"
	TLSReports   = "tls-reports"
)
