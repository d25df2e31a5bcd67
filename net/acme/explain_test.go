package acme

import (
	"errors"
	"fmt"
	"net/url"
	"testing"

	"github.com/mholt/acmez/v3/acme"
)

// A port that leads elsewhere is named; once it leads here all is well.
func TestWrongPort(t *testing.T) {
	t.Parallel()
	l := newLab(t, 90*days)
	m := l.manager(func(o *Options) { o.TLSALPN01 = false })
	l.http.Store(nil)
	l.run(m)
	eventually(t, "trouble", func() bool { return m.Status()[0].Err != nil })
	e, ok := errors.AsType[*Error](m.Status()[0].Err)
	if want := "port 80 of example.org must lead here"; !ok || e.Advice != want {
		t.Errorf("got %v, want the advice %q", m.Status()[0].Err, want)
	}
	l.http.Store(m)
	l.await(m)
}

func TestExplain(t *testing.T) {
	m := &Manager{opts: Options{Email: "alice@example.org", DNS01: &DNS01{Server: "ns.example.org:53"}}}
	failed := func(kind string) error {
		authz := acme.Authorization{Challenges: []acme.Challenge{{Type: "other"}, {Type: kind, Error: &acme.Problem{}}}}
		return acme.Problem{Type: acme.ProblemTypeConnection, Resource: authz}
	}
	for _, c := range []struct {
		err    error
		advice string
	}{
		{failed(acme.ChallengeTypeHTTP01), "port 80 of example.org must lead here"},
		{failed(acme.ChallengeTypeTLSALPN01), "port 443 of example.org must lead here, past nothing that ends TLS"},
		{failed(acme.ChallengeTypeDNS01), "the records that ns.example.org:53 is told must be what the world sees of example.org"},
		{failed("other-01"), ""},
		{acme.Problem{Type: acme.ProblemTypeCAA}, "the CAA records of example.org must name this authority, or be absent"},
		{acme.Problem{Type: acme.ProblemTypeInvalidContact}, "the authority does not take the e-mail address alice@example.org"},
		{acme.Problem{Type: acme.ProblemTypeMalformed}, ""},
		{&url.Error{Op: "Get", URL: "https://x", Err: errTooMuch}, "the ACME server cannot be reached"},
		{errTooMuch, ""},
	} {
		_, refusal := errors.AsType[acme.Problem](c.err)
		e := m.explain("example.org", &visit{}, fmt.Errorf("around it: %w", c.err))
		if e.Advice != c.advice || e.Refused != refusal || e.Name != "example.org" {
			t.Errorf("%v: got %+v, want the advice %q", c.err, e, c.advice)
		}
	}
}
