package auth

import (
	"context"
	"slices"
	"strings"
	"time"

	"cairn/services/mail/message"
)

// MaxSignatures is how many DKIM-Signature fields of a message are looked at, from the top.
const MaxSignatures = 10

// checkDKIM verifies the message's signatures, all at once.
func checkDKIM(ctx context.Context, l *letter, ask *asker, now time.Time) []Signature {
	fields := l.of("dkim-signature")
	fields = fields[:min(len(fields), MaxSignatures)]
	all := make([]Signature, len(fields))
	var wg group
	for i, f := range fields {
		wg.Go(func() { all[i] = checkSignature(ctx, l, f, ask, now) })
	}
	wg.Wait()
	return all
}

func checkSignature(ctx context.Context, l *letter, f message.Field, ask *asker, now time.Time) Signature {
	s, err := parseStamp(f.Raw)
	b := s.tags.get("b")
	out := Signature{
		Domain: s.domain, Selector: s.selector, Algorithm: s.algorithm, Time: s.time,
		Identity: s.identity(), tag: b[:min(len(b), 8)],
	}
	if err == nil {
		out.Expires, err = s.parseDKIM(out.Identity, now)
	}
	if err == nil {
		var key publicKey
		key, err = s.verify(ctx, l, ask)
		if key.key != nil {
			out.Bits, out.Testing = key.bits(), key.testing
		}
		if err == nil && key.strict && domainOf(out.Identity) != s.domain {
			err = failed(PermError, "i= is not of d= itself, which the key asks for")
		}
	}
	out.Verdict, out.Reason = judged(err)
	if err == nil && s.tags.has("l") {
		out.Reason = "l= ignored, the whole body is signed"
	}
	return out
}

// identity is on whose behalf the domain signed (RFC 6376 §3.5, i=).
func (s *stamp) identity() string {
	if i := s.tags.get("i"); i != "" {
		return i
	}
	return "@" + s.domain
}

// parseDKIM reads the tags that only a DKIM-Signature has (RFC 6376 §6.1.1).
func (s *stamp) parseDKIM(identity string, now time.Time) (expires time.Time, err error) {
	if s.tags.get("v") != "1" {
		return expires, failed(PermError, "unknown v=")
	}
	if of := domainOf(identity); of != s.domain && !strings.HasSuffix(of, "."+s.domain) {
		return expires, failed(PermError, "i= is not of d=")
	}
	if q := s.tags.list("q"); q != nil && !slices.Contains(q, "dns/txt") {
		return expires, failed(PermError, "unknown q=")
	}
	expires, err = s.tags.time("x")
	switch {
	case err != nil:
		return expires, failed(PermError, "x= is %v", err)
	case !expires.IsZero() && expires.Before(s.time):
		return expires, failed(PermError, "expired before it was made")
	case !expires.IsZero() && now.After(expires):
		return expires, failed(PermError, "expired %s", expires.Format(time.DateOnly))
	}
	return expires, s.parseCover()
}

// domainOf returns the domain of an address as the DNS knows it, "" if it has none.
func domainOf(addr string) string {
	_, domain, _ := cutLast(addr)
	name, _ := hostname(domain)
	return name
}

// cutLast cuts an address at its last @.
func cutLast(addr string) (local, domain string, ok bool) {
	if i := strings.LastIndexByte(addr, '@'); i >= 0 {
		return addr[:i], addr[i+1:], true
	}
	return addr, "", false
}
