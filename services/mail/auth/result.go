package auth

import (
	"net/netip"
	"strings"
	"time"
)

// A Source is where a message came from, as the SMTP session knows it.
type Source struct {
	IP       netip.Addr
	Helo     string // the name or [address] that the client gave
	MailFrom string // envelope sender without angle brackets; empty for a bounce

	// Reverse is what Checker.Reverse said of IP; nil makes Check ask.
	Reverse *IPRev
}

// A Result is all that a Checker found out about a message.
type Result struct {
	ID     string // who checked: the Checker's
	Source Source
	IPRev  IPRev
	Helo   Helo
	SPF    SPF
	DKIM   []Signature // as they stand in the header, at most MaxSignatures
	DMARC  DMARC
	ARC    Chain
}

// IPRev says whether the client's address has a name that has the address (RFC 8601 §2.7.3).
type IPRev struct {
	Verdict Verdict
	Name    string // the first name that leads back, without a last dot; empty if none does
	Reason  string
}

// Helo says what is known of the name in HELO or EHLO.
type Helo struct {
	Verdict Verdict // SPF of that name (RFC 7208 §2.3)
	Name    string
	Leads   bool // its addresses hold the client's, or it is the client's address in brackets
	Reason  string
}

// SPF is the outcome of RFC 7208 for the envelope's sender.
type SPF struct {
	Verdict Verdict
	Domain  string // of the sender; that of HELO when the sender is empty
	Reason  string
}

// A Signature is one DKIM-Signature field and what became of it.
type Signature struct {
	Verdict   Verdict
	Domain    string // d=
	Selector  string // s=
	Identity  string // i=, with its default
	Algorithm string // a=
	Bits      int    // length of the key
	Testing   bool   // the key's record says t=y
	Time      time.Time
	Expires   time.Time
	Reason    string // why not, or what else is to be said

	tag string // the first characters of b=, to tell two signatures apart (RFC 6008)
}

// A Disposition is what the owner of a domain asks to be done with messages that
// pretend to be from there.
type Disposition string

const (
	Deliver    Disposition = "none"
	Quarantine Disposition = "quarantine"
	Reject     Disposition = "reject"
)

// DMARC is the outcome of RFC 7489 for the domain in From.
type DMARC struct {
	Verdict Verdict
	Domain  string      // in From; the one that asks for most when there are several
	Org     string      // the organisational domain that Domain belongs to
	Policy  Disposition // what is published for Domain; Deliver where nothing is
	Action  Disposition // what that means for this message: Deliver when it passes
	Aligned string      // the domain that vouches for Domain: of a signature, or of SPF
	Record  *Record     // nil where there is none
	Reason  string
}

// A Chain is the ARC sets of a message (RFC 8617).
type Chain struct {
	Verdict   Verdict // None, Pass or Fail
	Temporary bool    // Fail only because the DNS did not answer
	Oldest    int     // lowest instance since which the message is unchanged; 0: since the first (§5.2)
	Sets      []Set   // by instance
	Reason    string
}

// A Set is what one server put in its ARC set.
type Set struct {
	Instance int
	Domain   string // who sealed
	Selector string
	CV       string // what it said of the chain before
	Results  string // its authserv-id and results, unfolded: trust them as far as Domain; see Verdict
}

// Verdict returns what the set's server says of a method, such as "dmarc"; the first
// if it says several things, "" if none. Text of strangers within Results is never taken for it.
func (s Set) Verdict(method string) Verdict {
	parts, ok := splitResults(s.Results)
	if !ok {
		return ""
	}
	for _, part := range parts[1:] {
		name, result, _ := strings.Cut(part, "=")
		name, _, _ = strings.Cut(name, "/") // a version
		if w := strings.Fields(result); strings.EqualFold(strings.TrimSpace(name), method) && len(w) > 0 {
			return Verdict(strings.ToLower(w[0]))
		}
	}
	return ""
}

// Sealers returns who sealed a chain that passes, the last one first, and nil of any other.
func (c Chain) Sealers() []string {
	if c.Verdict != Pass {
		return nil
	}
	names := make([]string, 0, len(c.Sets))
	for i := len(c.Sets) - 1; i >= 0; i-- {
		names = append(names, c.Sets[i].Domain)
	}
	return names
}

// Temporary says whether a check that matters could not be made now, so that the
// same message may be judged otherwise in an hour.
func (r *Result) Temporary() bool {
	return r.SPF.Verdict == TempError || r.DMARC.Verdict == TempError
}
