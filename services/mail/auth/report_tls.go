package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// A TLSReport is how connections to the servers of our domains were encrypted (RFC 8460 §4.4).
type TLSReport struct {
	Org, Contact, ID string // who reports
	Begin, End       time.Time
	Policies         []TLSPolicy
}

// A TLSPolicy is a domain's policy and what came of it.
type TLSPolicy struct {
	Kind      string // "sts", "tlsa" or "no-policy-found"
	Domain    string
	Text      []string // the policy as the reporter saw it
	MX        []string
	Succeeded int64 // sessions
	Failed    int64
	Failures  []TLSFailure
}

// A TLSFailure is sessions that failed in one way.
type TLSFailure struct {
	Result   string `json:"result-type"`    // RFC 8460 §4.3: "certificate-expired", …
	From     string `json:"sending-mta-ip"` // the reporter's server
	MX       string `json:"receiving-mx-hostname"`
	Helo     string `json:"receiving-mx-helo"`
	To       string `json:"receiving-ip"`
	Sessions int64  `json:"failed-session-count"`
	Reason   string `json:"failure-reason-code"`    // the reporter's
	More     string `json:"additional-information"` // where to read more
}

// Bounds of a TLS report: they are short, except those that are made to be long.
const (
	maxTLS      = 4 << 20
	maxPolicies = 100
	maxFailures = 1000
)

// The JSON of a report.
type (
	tlsJSON struct {
		Org     string `json:"organization-name"`
		Range   dates  `json:"date-range"`
		Contact string `json:"contact-info"`
		ID      string `json:"report-id"`

		Policies policiesJSON `json:"policies"`
	}
	dates struct {
		Begin time.Time `json:"start-datetime"`
		End   time.Time `json:"end-datetime"`
	}
	policyJSON struct {
		Policy struct {
			Kind   string `json:"policy-type"`
			Text   texts  `json:"policy-string"`
			Domain string `json:"policy-domain"`
			MX     texts  `json:"mx-host"`
		} `json:"policy"`
		Summary struct {
			Succeeded int64 `json:"total-successful-session-count"`
			Failed    int64 `json:"total-failure-session-count"`
		} `json:"summary"`
		Failures failuresJSON `json:"failure-details"`
	}
)

// readTLS reads the JSON of a report.
func readTLS(in io.Reader) (*TLSReport, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxTLS+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxTLS {
		return nil, fmt.Errorf("more than %d bytes", maxTLS)
	}
	var j tlsJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return nil, err
	}
	if j.Policies == nil {
		return nil, ErrNoReport // some other JSON
	}
	r := &TLSReport{Org: j.Org, Contact: j.Contact, ID: j.ID, Begin: j.Range.Begin.UTC(), End: j.Range.End.UTC()}
	for _, p := range j.Policies {
		r.Policies = append(r.Policies, p.policy())
	}
	return r, nil
}

func (j policyJSON) policy() TLSPolicy {
	p := TLSPolicy{
		Kind: j.Policy.Kind, Domain: strings.ToLower(j.Policy.Domain), Text: j.Policy.Text, MX: j.Policy.MX,
		Succeeded: max(j.Summary.Succeeded, 0), Failed: max(j.Summary.Failed, 0),
	}
	for _, f := range j.Failures {
		f.Sessions = max(f.Sessions, 0)
		p.Failures = append(p.Failures, f)
	}
	return p
}

// The lists in a report: a bound each, because an empty element of two bytes becomes
// one of hundreds.
type (
	policiesJSON []policyJSON
	failuresJSON []TLSFailure
	texts        []string
)

func (l *policiesJSON) UnmarshalJSON(b []byte) error {
	return unmarshalList(b, (*[]policyJSON)(l), maxPolicies)
}
func (l *failuresJSON) UnmarshalJSON(b []byte) error {
	return unmarshalList(b, (*[]TLSFailure)(l), maxFailures)
}

// UnmarshalJSON takes a single text too, as some send.
func (l *texts) UnmarshalJSON(b []byte) error {
	if b[0] != '"' {
		return unmarshalList(b, (*[]string)(l), maxList)
	}
	*l = texts{""}
	return json.Unmarshal(b, &(*l)[0])
}

func unmarshalList[T any](b []byte, to *[]T, bound int) error {
	if b[0] != '[' { // null
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return err
	}
	*to = []T{}
	for d.More() {
		if len(*to) == bound {
			return fmt.Errorf("more than %d elements in a list", bound)
		}
		var one T
		if err := d.Decode(&one); err != nil {
			return err
		}
		*to = append(*to, one)
	}
	return nil
}

func (r *TLSReport) summary(w io.Writer) {
	for _, p := range r.Policies {
		fmt.Fprintf(w, "TLS report of %s for %s, %s: %s encrypted, %s.\n", visible(r.Org), visible(p.Domain), days(r.Begin, r.End),
			counted(p.Succeeded, "connection", "connections"), p.failed())
		for i, f := range p.Failures {
			if i == shown {
				fmt.Fprintf(w, "and %s more.\n", counted(int64(len(p.Failures)-shown), "kind of failure", "kinds of failure"))
				break
			}
			fmt.Fprintln(w, f.line())
		}
	}
	if len(r.Policies) == 0 {
		fmt.Fprintf(w, "TLS report of %s, %s: no connections.\n", visible(r.Org), days(r.Begin, r.End))
	}
}

func (p TLSPolicy) failed() string {
	if p.Failed == 0 {
		return "none failed"
	}
	return fmt.Sprintf("%d failed", p.Failed)
}

// failures says in words what RFC 8460 §4.3 has names for.
var failures = map[string]string{
	"starttls-not-supported":    "our server did not offer STARTTLS",
	"certificate-host-mismatch": "our certificate is not for that name",
	"certificate-expired":       "our certificate had expired",
	"certificate-not-trusted":   "our certificate is of an authority that they do not trust",
	"validation-failure":        "TLS failed",
	"tlsa-invalid":              "our TLSA record does not fit our certificate",
	"dnssec-invalid":            "our DNSSEC is broken",
	"dane-required":             "they ask for DANE, and we have none",
	"sts-policy-fetch-error":    "they could not fetch our MTA-STS policy",
	"sts-policy-invalid":        "our MTA-STS policy is not valid",
	"sts-webpki-invalid":        "the certificate of our MTA-STS host is not valid",
}

func (f TLSFailure) line() string {
	what, ok := failures[f.Result]
	if !ok {
		what = visible(f.Result)
	}
	line := counted(f.Sessions, "connection", "connections") + ": " + what
	for _, part := range [...][2]string{{"at", f.MX}, {"from", f.From}, {"code", f.Reason}} {
		if part[1] != "" {
			line += ", " + part[0] + " " + visible(part[1])
		}
	}
	return line
}
