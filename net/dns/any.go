package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// LookupRecords returns the records of a name and type ("MX", "CAA", "TLSA" …), each as its value
// stands in a zone file, but names in lower case and without their last dot, and a TXT in one piece
// without quotes. Where there are none it returns none and no error. An alias is followed, unless
// CNAME itself is asked for.
func (r *Resolver) LookupRecords(ctx context.Context, name, kind string) ([]string, error) {
	if kind == "TXT" {
		texts, err := r.LookupTXT(ctx, name)
		return texts, unlessAbsent(err)
	}
	t, ok := dns.StringToType[kind]
	if !ok {
		return nil, &net.DNSError{Err: fmt.Sprintf("%q is no type of record", kind), Name: name}
	}
	a, err := r.lookup(ctx, name, t)
	if err = unlessAbsent(err); err != nil {
		return nil, err
	}
	var all []string
	for _, rr := range a.records {
		if rr.Header().Rrtype == t {
			all = append(all, value(rr))
		}
	}
	slices.Sort(all)
	return all, nil
}

// value is what stands behind the type in a zone file.
func value(rr dns.RR) string {
	text := strings.TrimPrefix(rr.String(), rr.Header().String())
	switch rr.(type) {
	case *dns.MX, *dns.SRV, *dns.CNAME, *dns.PTR, *dns.NS:
		return strings.ToLower(strings.TrimSuffix(text, "."))
	}
	return text
}

// unlessAbsent is err, unless that says that there is nothing.
func unlessAbsent(err error) error {
	if e := (*net.DNSError)(nil); errors.As(err, &e) && e.IsNotFound {
		return nil
	}
	return err
}
