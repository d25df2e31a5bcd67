// Package sts finds out whether a domain insists on TLS, and with which hosts: MTA-STS (RFC 8461).
//
//	policies := sts.Cache{Resolver: r, HTTP: client}
//	p := policies.Policy(ctx, "example.org")
//	if p.Mode == sts.Enforce && !p.Match("mx.example.org") { … }
//
// # Caveats
//
// What is known lasts as long as the process: after a restart somebody who can withhold answers of the
// DNS can hide a policy once more (§10.2 knows that for the first time).
package sts

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Mode says what becomes of mail that does not meet a policy (§3.2).
type Mode string

// The modes. Only Enforce changes where mail goes; None is also that of a domain without a policy.
const (
	None    Mode = "none"
	Testing Mode = "testing"
	Enforce Mode = "enforce"
)

// A Policy is what a domain says. The zero Policy asks for nothing.
type Policy struct {
	Mode   Mode
	MX     []string // patterns, in lower case
	MaxAge time.Duration
}

// Bounds of a policy (§3.2 has 31557600 seconds as the longest age).
const (
	maxPolicy = 64 << 10
	maxMX     = 200
	maxAge    = 31557600 * time.Second
)

// Parse reads a policy (§3.2). Fields that it does not know are passed over; of a field that may be
// there once, the first counts.
func Parse(text []byte) (Policy, error) {
	if len(text) > maxPolicy {
		return Policy{}, errors.New("policy is larger than 64 KiB")
	}
	fields := map[string]string{}
	var p Policy
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		key, value, ok := strings.Cut(line, ":")
		key, value = strings.Trim(key, " \t"), strings.Trim(value, " \t")
		if strings.Trim(line, " \t") == "" {
			continue
		}
		if !ok {
			return Policy{}, fmt.Errorf("policy: %.60q is not a field", line)
		}
		if key == "mx" {
			if len(p.MX) == maxMX {
				return Policy{}, fmt.Errorf("policy: more than %d hosts", maxMX)
			}
			p.MX = append(p.MX, strings.ToLower(value))
		} else if _, twice := fields[key]; !twice {
			fields[key] = value
		}
	}
	if v := fields["version"]; v != "STSv1" {
		return Policy{}, fmt.Errorf("policy: version %.20q is not STSv1", v)
	}
	switch p.Mode = Mode(fields["mode"]); p.Mode {
	case None, Testing, Enforce:
	default:
		return Policy{}, fmt.Errorf("policy: mode %.20q is none", p.Mode)
	}
	seconds, err := strconv.ParseUint(fields["max_age"], 10, 32)
	if err != nil {
		return Policy{}, fmt.Errorf("policy: max_age %.20q is not a number of seconds", fields["max_age"])
	}
	if p.Mode != None && len(p.MX) == 0 {
		return Policy{}, errors.New("policy: no mx")
	}
	p.MaxAge = min(time.Duration(seconds)*time.Second, maxAge)
	return p, nil
}

// Match reports whether a host is one of those that the policy names. A pattern's asterisk stands
// for one label (§4.1).
func (p Policy) Match(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, pattern := range p.MX {
		if rest, wild := strings.CutPrefix(pattern, "*."); wild {
			label, above, _ := strings.Cut(host, ".")
			if label != "" && above == rest {
				return true
			}
		} else if host == pattern {
			return true
		}
	}
	return false
}

// ParseRecord returns the id in a domain's TXT records at _mta-sts (§3.1); ok is false when they hold
// no policy's, or several.
func ParseRecord(records []string) (id string, ok bool) {
	found := 0
	for _, r := range records {
		fields := strings.Split(r, ";")
		if strings.TrimRight(fields[0], " \t") != "v=STSv1" {
			continue
		}
		found++
		for _, f := range fields[1:] {
			key, value, _ := strings.Cut(strings.Trim(f, " \t"), "=")
			if strings.TrimRight(key, " \t") == "id" && id == "" {
				id = strings.TrimLeft(value, " \t")
			}
		}
	}
	return id, found == 1 && validID(id)
}

func validID(id string) bool {
	return id != "" && len(id) <= 32 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}
