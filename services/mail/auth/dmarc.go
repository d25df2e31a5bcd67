package auth

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// judge weighs what was found out about a message against what its authors'
// domains have published. Of several domains the one that asks for most counts.
func (as authors) judge(r *Result, raw []byte) DMARC {
	if as.err != nil {
		verdict, reason := judged(as.err)
		return DMARC{Verdict: verdict, Policy: Deliver, Action: as.action, Reason: reason}
	}
	worst := as.all[0].judge(r, raw)
	for i := range as.all[1:] {
		if d := as.all[i+1].judge(r, raw); d.weight() > worst.weight() {
			worst = d
		}
	}
	return worst
}

// weight orders outcomes by what they ask for, and then by how little they vouch for.
func (d DMARC) weight() int {
	actions := map[Disposition]int{Deliver: 0, Quarantine: 10, Reject: 20}
	verdicts := map[Verdict]int{Pass: 0, None: 1, PermError: 2, TempError: 3, Fail: 4}
	return actions[d.Action] + verdicts[d.Verdict]
}

func (a *author) judge(r *Result, raw []byte) DMARC {
	d := DMARC{Domain: a.domain, Org: a.org, Policy: a.policy, Action: Deliver, Record: a.record}
	if a.err != nil {
		d.Verdict, d.Reason = judged(a.err)
		return d
	}
	if a.record == nil {
		d.Verdict = None
		return d
	}
	d.Verdict, d.Aligned = a.aligned(r)
	if d.Verdict == Fail {
		d.Action = a.policy
		if a.record.Testing || a.record.Percent < 100 && sample(raw) >= a.record.Percent {
			d.Action = a.policy.lesser()
		}
	}
	return d
}

// aligned looks for somebody in a's organisation who vouches for the message (RFC 7489 §3.1).
// What could not be found out of them leaves the question open.
func (a *author) aligned(r *Result) (Verdict, string) {
	verdict := Fail
	if a.same(r.SPF.Domain, a.record.StrictSPF) {
		switch r.SPF.Verdict {
		case Pass:
			return Pass, r.SPF.Domain
		case TempError:
			verdict = TempError
		}
	}
	for _, s := range r.DKIM {
		if !a.same(s.Domain, a.record.StrictDKIM) {
			continue
		}
		switch s.Verdict {
		case Pass:
			return Pass, s.Domain
		case TempError:
			verdict = TempError
		}
	}
	return verdict, ""
}

func (a *author) same(domain string, strict bool) bool {
	if strict || domain == a.domain {
		return domain == a.domain
	}
	return (domain == a.org || strings.HasSuffix(domain, "."+a.org)) && organisation(domain) == a.org
}

// sample returns 0 to 99, the same for the same message: trying again changes nothing.
func sample(raw []byte) int {
	sum := sha256.Sum256(raw)
	return int(binary.BigEndian.Uint32(sum[:]) % 100)
}
