package auth

import (
	"errors"
	"strconv"
	"strings"
)

// A Record is a DMARC policy record (RFC 7489 §6.3, RFC 9989 §4.7).
type Record struct {
	Policy      Disposition // p=, Deliver where it is missing
	Subdomains  Disposition // sp=, else Policy
	NonExistent Disposition // np=, else Subdomains: for subdomains that the DNS does not know
	StrictDKIM  bool        // adkim=s
	StrictSPF   bool        // aspf=s
	Percent     int         // pct=, of the messages that fail, how many the policy is for
	Testing     bool        // t=y: do one step less than the policy says
	Reports     []string    // rua=, as written: "mailto:…"
	Failures    []string    // ruf=
}

// maxReports bounds the addresses that are read of a record.
const maxReports = 50

// ErrNoRecord says that a text is no DMARC record, and not that it is a wrong one.
var ErrNoRecord = errors.New("not a DMARC record")

// ParseRecord reads the TXT record of a _dmarc name. Tags that it does not know, or
// whose value means nothing, are as if they were not there.
func ParseRecord(text string) (Record, error) {
	v, _, _ := strings.Cut(text, ";")
	if name, version, ok := strings.Cut(v, "="); !ok || trim(name) != "v" || trim(version) != "DMARC1" {
		return Record{}, ErrNoRecord
	}
	tags, err := parseTags(text)
	if err != nil {
		return Record{}, err
	}
	r := Record{Policy: Deliver, Percent: 100}
	disposition(tags, "p", &r.Policy)
	r.Subdomains = r.Policy
	disposition(tags, "sp", &r.Subdomains)
	r.NonExistent = r.Subdomains
	disposition(tags, "np", &r.NonExistent)
	r.StrictDKIM = strings.EqualFold(tags.get("adkim"), "s")
	r.StrictSPF = strings.EqualFold(tags.get("aspf"), "s")
	r.Testing = strings.EqualFold(tags.get("t"), "y")
	if n, err := strconv.Atoi(tags.get("pct")); err == nil && n >= 0 && n < 100 {
		r.Percent = n
	}
	r.Reports, r.Failures = addresses(tags.get("rua")), addresses(tags.get("ruf"))
	return r, nil
}

func disposition(tags tagList, name string, to *Disposition) {
	switch d := Disposition(strings.ToLower(tags.get(name))); d {
	case Deliver, Quarantine, Reject:
		*to = d
	}
}

func addresses(v string) []string {
	if v == "" {
		return nil
	}
	all := strings.SplitN(v, ",", maxReports+1)
	return all[:min(len(all), maxReports)]
}

// lesser is what is done instead of d where the owner is still trying it out
// (RFC 7489 §6.6.4, RFC 9989 §4.7 t=).
func (d Disposition) lesser() Disposition {
	if d == Reject {
		return Quarantine
	}
	return Deliver
}
