package domain

import (
	"fmt"
	"strings"
)

// PolicyHost is the name from which the policy of a domain is fetched (RFC 8461 §3.3).
func PolicyHost(domain string) string { return "mta-sts." + domain }

const (
	policyPath = "/.well-known/mta-sts.txt"
	// policyAge is for how long others keep the policy, in seconds: in testing not for long,
	// so that a mistake is soon over.
	testingAge = 24 * 60 * 60
	enforceAge = 30 * 24 * 60 * 60
)

// PolicyText is the policy of MTA-STS (RFC 8461 §3.2), "" for none.
func (s *Setup) PolicyText() string {
	if s.Policy == "" {
		return ""
	}
	age := testingAge
	if s.Policy == "enforce" {
		age = enforceAge
	}
	var b strings.Builder
	fmt.Fprintf(&b, "version: STSv1\r\nmode: %s\r\n", s.Policy)
	if s.Policy != "none" {
		fmt.Fprintf(&b, "mx: %s\r\n", s.Host)
	}
	fmt.Fprintf(&b, "max_age: %d\r\n", age)
	return b.String()
}
