package mail

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"cairn/services/mail/auth"
)

const (
	surelyJunk = 0.9 // of a score of Service.Junk
	maybeJunk  = 0.5 // is junk when there are suspicions, too
)

// check asks who has sent the message, and refuses what the owner of its From's domain wants
// refused (RFC 7489 §10.3).
func (t *task) check(ctx context.Context) error {
	in := t.in
	source := auth.Source{IP: in.Client, Helo: in.Helo, MailFrom: in.From}
	if in.Reverse.Verdict != "" {
		source.Reverse = &in.Reverse
	}
	checker := *t.Checker
	checker.ID = cmp.Or(checker.ID, t.Host(ctx))
	t.result = checker.Check(ctx, source, t.raw)
	t.checked = t.result.Header()
	if t.result.DMARC.Action == auth.Reject && !t.vouched() {
		return refuse(550, 7, 1, fmt.Sprintf("the domain %s says that this message is not from there (DMARC), "+
			"and no server that is trusted here has vouched for it (ARC)", t.result.DMARC.Domain))
	}
	return nil
}

// vouched reports whether a server that is trusted has passed the message on and found it to be
// genuine (RFC 8617 §7.2.1): forwarding and mailing lists break SPF, and often DKIM.
func (t *task) vouched() bool {
	sealers := t.result.ARC.Sealers()
	if len(sealers) == 0 {
		return false
	}
	for _, domain := range sealers {
		if !slices.Contains(t.Sealers, domain) {
			return false
		}
	}
	return t.result.ARC.Sets[0].Verdict("dmarc") == auth.Pass
}

// judge says how much a message looks like junk to its user, and, if that is enough, why.
func (t *task) judge(ctx context.Context, d *Delivery) (score float64, because string) {
	if !t.in.fromOutside() {
		return 0, ""
	}
	if t.Junk != nil {
		var err error
		if score, err = t.Junk(ctx, d.User, d.Trace, d.Raw); err != nil {
			t.Log.Warn("mail: junk filter", "user", d.User, "id", t.in.ID, "err", err)
		}
	}
	suspicions := slices.Clone(t.in.Suspicions)
	if t.result != nil {
		if v := t.result.SPF.Verdict; v == auth.Fail || v == auth.SoftFail {
			suspicions = append(suspicions, "SPF "+string(v))
		}
		if h := t.result.Helo; h.Verdict == auth.Fail || !h.Leads {
			suspicions = append(suspicions, "the name that it gives is not its own")
		}
		if t.result.DMARC.Action != auth.Deliver && t.result.DMARC.Action != "" && !t.vouched() {
			return score, "DMARC asks for it"
		}
	}
	switch {
	case t.in.Listed:
		return score, strings.Join(suspicions, ", ")
	case score >= surelyJunk:
		return score, strings.Join(append(suspicions, "its words"), ", ")
	case score >= maybeJunk && len(suspicions) > 1:
		return score, strings.Join(suspicions, ", ")
	}
	return score, ""
}
