package mail

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"cairn/services/mail/auth"
)

// surelyJunk is a score of Service.Junk that needs nothing else, and junkWith those that need one, two
// and three suspicions beside them. 0.5 is that of a filter which has not been taught yet.
const surelyJunk = 0.9

var junkWith = [3]float64{0.85, 0.7, 0.5}

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
	suspicions := t.suspicions()
	switch {
	case t.result != nil && (t.result.DMARC.Action == auth.Quarantine || t.result.DMARC.Action == auth.Reject) && !t.vouched():
		return score, "DMARC asks for it"
	case len(t.in.Listed) > 0:
		return score, "listed by " + strings.Join(t.in.Listed, ", ")
	case score >= surelyJunk:
		return score, strings.Join(append(suspicions, "its words"), ", ")
	case len(suspicions) > 0 && score >= junkWith[min(len(suspicions), len(junkWith))-1]:
		return score, strings.Join(suspicions, ", ")
	}
	return score, ""
}

// suspicions are what speaks against a client. Of one in this house nothing can be asked: what it calls
// itself, no DNS of the world knows.
func (t *task) suspicions() []string {
	var all []string
	if c := t.in.Client; c.IsValid() && !c.IsLoopback() && !c.IsPrivate() && !c.IsLinkLocalUnicast() {
		if v := t.in.Reverse.Verdict; v == auth.Fail || v == auth.PermError {
			all = append(all, "its address has no name")
		}
		if !t.knownName() {
			all = append(all, "the name that it gives is not its own")
		}
	}
	if t.result != nil && (t.result.SPF.Verdict == auth.Fail || t.result.SPF.Verdict == auth.SoftFail) {
		all = append(all, "SPF "+string(t.result.SPF.Verdict))
	}
	return all
}

// knownName reports whether the client may be what it calls itself.
func (t *task) knownName() bool {
	switch {
	case t.result == nil:
		return strings.HasPrefix(t.in.Helo, "[") || strings.Contains(t.in.Helo, ".")
	case t.result.Helo.Verdict == auth.Fail:
		return false
	}
	return t.result.Helo.Leads || t.in.Reverse.Verdict == auth.TempError // when the DNS does not answer, nobody knows
}
