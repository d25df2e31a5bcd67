package acme

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// An Error says why there is no certificate.
type Error struct {
	Name      string    // whose certificate
	Refused   bool      // the authority was reached, and did not give one
	NotBefore time.Time // when the authority wants to be asked again; zero: it has not said
	Advice    string    // what the operator can do; empty: nothing is known
	Err       error
}

func (e *Error) Error() string {
	if e.Advice == "" {
		return fmt.Sprintf("certificate for %s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("certificate for %s: %s: %v", e.Name, e.Advice, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// explain makes an Error of what went wrong during a visit.
func (m *Manager) explain(name string, v *visit, err error) *Error {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := &Error{Name: name, NotBefore: v.notBefore, Err: err}
	if p, ok := errors.AsType[acme.Problem](err); ok {
		e.Refused = true
		e.Err = p
		e.Advice = m.advice(name, p)
	} else if _, ok := errors.AsType[*url.Error](err); ok {
		e.Advice = "the ACME server cannot be reached"
	}
	return e
}

// advice is about the problem types of RFC 8555 §6.7.
func (m *Manager) advice(name string, p acme.Problem) string {
	switch p.Type {
	case acme.ProblemTypeRateLimited:
		return "the authority has given too many, or seen too many failures, and asks to wait"
	case acme.ProblemTypeRejectedIdentifier, acme.ProblemTypeUnsupportedIdentifier:
		return "the authority gives none for this name"
	case acme.ProblemTypeCAA:
		return "the CAA records of " + name + " must name this authority, or be absent"
	case acme.ProblemTypeExternalAccountRequired:
		return "the authority wants an account that was made elsewhere, which is not supported"
	case acme.ProblemTypeInvalidContact, acme.ProblemTypeUnsupportedContact:
		return "the authority does not take the e-mail address " + m.opts.Email
	case acme.ProblemTypeUserActionRequired:
		return "the authority's terms of service have changed"
	case acme.ProblemTypeServerInternal:
		return "the authority has a fault"
	}
	authz, _ := p.Resource.(acme.Authorization)
	for _, ch := range authz.Challenges {
		if ch.Error != nil {
			return m.lead(name, ch.Type)
		}
	}
	return ""
}

// lead says what a challenge of a type needs.
func (m *Manager) lead(name, challenge string) string {
	switch challenge {
	case acme.ChallengeTypeHTTP01:
		return "port 80 of " + name + " must lead here"
	case acme.ChallengeTypeTLSALPN01:
		return "port 443 of " + name + " must lead here, past nothing that ends TLS"
	case acme.ChallengeTypeDNS01:
		return "the records that " + m.opts.DNS01.Server + " is told must be what the world sees of " + name
	default:
		return ""
	}
}
