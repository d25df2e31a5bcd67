package auth

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"cairn/services/mail/message"
)

// maxAuthors is how many different domains in From are asked about.
const maxAuthors = 10

// authors is what the domains in From have published.
type authors struct {
	all    []author
	err    error       // why there are none
	action Disposition // in that case
}

type author struct {
	domain, org string
	record      *Record
	policy      Disposition // of record, for this domain
	err         error       // why it is not known whether there is a record
}

// readAuthors asks for the DMARC records of all domains in From. RFC 7489 §6.6.1
// leaves open what to do when there are several: all have to pass. More of them than
// anybody needs are there to hide one.
func readAuthors(ctx context.Context, l *letter, ask *asker) authors {
	if !l.whole {
		return authors{err: failed(PermError, "header is too long"), action: Reject}
	}
	var a authors
	for _, domain := range fromDomains(l.header) {
		name, ok := hostname(domain)
		if !ok || slices.ContainsFunc(a.all, func(b author) bool { return b.domain == name }) {
			continue
		}
		if len(a.all) == maxAuthors {
			return authors{err: failed(PermError, "From has more than %d domains", maxAuthors), action: Reject}
		}
		a.all = append(a.all, author{domain: name, org: organisation(name)})
	}
	if len(a.all) == 0 {
		return authors{err: failed(PermError, "From has no domain"), action: Deliver}
	}
	var wg group
	for i := range a.all {
		wg.Go(func() { a.all[i].read(ctx, ask) })
	}
	wg.Wait()
	return a
}

// fromDomains returns the domains of all addresses in From, also of those in angle
// brackets that stand behind others without a comma: who knows which a program shows.
func fromDomains(h message.Header) []string {
	var out []string
	for _, addr := range h.Addresses("From") {
		out = append(out, addr.Domain)
	}
	for _, v := range h.All("From") {
		parts, _ := splitResults(v)
		for i, text := range strings.Split(strings.Join(parts, ";"), `"`) {
			if i%2 == 0 { // not in quotation marks
				out = append(out, angleDomains(text)...)
			}
		}
	}
	return out
}

func angleDomains(text string) []string {
	var out []string
	for _, part := range strings.Split(text, "<")[1:] {
		inside, _, _ := strings.Cut(part, ">")
		if _, domain, ok := cutLast(inside); ok {
			out = append(out, strings.TrimSpace(domain))
		}
	}
	return out
}

// organisation returns the part of a domain that somebody registered (RFC 7489 §3.2).
func organisation(domain string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain // it is a public suffix itself
}

// read finds the record of a domain, or else of the organisational domain (RFC 7489 §6.6.3).
func (a *author) read(ctx context.Context, ask *asker) {
	a.policy = Deliver
	if a.record, a.err = lookupRecord(ctx, a.domain, ask); a.err != nil {
		return
	}
	if a.record != nil {
		a.policy = a.record.Policy
		return
	}
	if a.org == a.domain {
		return
	}
	if a.record, a.err = lookupRecord(ctx, a.org, ask); a.err != nil || a.record == nil {
		return
	}
	a.policy = a.record.Subdomains
	if a.record.NonExistent != a.policy && !exists(ctx, a.domain, ask) {
		a.policy = a.record.NonExistent
	}
}

// lookupRecord returns a domain's own record, nil where it has none or several.
func lookupRecord(ctx context.Context, domain string, ask *asker) (*Record, error) {
	texts, err := ask.LookupTXT(ctx, "_dmarc."+domain)
	if err != nil && !notFound(err) {
		return nil, failed(errorVerdict(err), "%v", err)
	}
	var found *Record
	for _, text := range texts {
		record, err := ParseRecord(text)
		switch {
		case errors.Is(err, ErrNoRecord):
			continue
		case err != nil:
			return nil, failed(PermError, "DMARC record of %s: %v", domain, err)
		case found != nil:
			return nil, nil
		}
		found = &record
	}
	return found, nil
}

// exists says whether mail could be from a domain: it has an address or an exchanger
// (RFC 9989 §3.2.13).
func exists(ctx context.Context, domain string, ask *asker) bool {
	_, err := ask.LookupNetIP(ctx, "ip", domain)
	if !notFound(err) {
		return true
	}
	_, err = ask.LookupMX(ctx, domain)
	return !notFound(err)
}
