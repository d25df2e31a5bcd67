package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"strconv"
	"strings"

	"cairn/services/mail/message"
)

// MaxSets is how many ARC sets a message may have (RFC 8617 §4.2.1).
const MaxSets = 50

// arcSet is the three fields that one server added.
type arcSet struct {
	results, message, seal []byte
	ams, as                stamp
	Set
}

// checkARC validates a message's chain (RFC 8617 §5.2).
func checkARC(ctx context.Context, l *letter, ask *asker) Chain {
	sets, err := readSets(l)
	c := Chain{Verdict: Pass}
	for i := range sets {
		c.Sets = append(c.Sets, sets[i].Set)
	}
	switch {
	case err == nil && len(sets) == 0:
		c.Verdict = None
	case err == nil:
		c.Oldest, err = verifySets(ctx, l, sets, ask)
	}
	if err != nil {
		verdict, reason := judged(err)
		c.Verdict, c.Temporary, c.Reason = Fail, verdict == TempError, reason
	}
	return c
}

// arcFields are the fields of a set, in the order in which a seal signs them.
var arcFields = [...]string{"arc-authentication-results", "arc-message-signature", "arc-seal"}

// readSets collects the sets, by instance: each has to be whole, and none missing.
func readSets(l *letter) ([]arcSet, error) {
	n := len(l.named[arcFields[0]])
	for _, part := range arcFields {
		if len(l.named[part]) != n {
			return nil, failed(Fail, "ARC sets are not whole")
		}
	}
	if n > MaxSets {
		return nil, failed(Fail, "%d ARC sets", n)
	}
	sets := make([]arcSet, n)
	for i, part := range arcFields {
		for _, f := range l.of(part) {
			k, rest, ok := instance(f)
			if !ok || k > n || sets[k-1].part(i) != nil {
				return nil, failed(Fail, "ARC sets are not one after the other")
			}
			sets[k-1].Instance = k
			sets[k-1].put(i, f.Raw, rest)
		}
	}
	for i := range sets {
		if err := sets[i].parse(); err != nil {
			return sets, err
		}
	}
	return sets, nil
}

func (s *arcSet) part(i int) []byte { return [...][]byte{s.results, s.message, s.seal}[i] }

func (s *arcSet) put(i int, raw []byte, rest string) {
	switch i {
	case 0:
		s.results, s.Results = raw, rest
	case 1:
		s.message = raw
	case 2:
		s.seal = raw
	}
}

// instance reads the i= that a field of a set begins with or holds, and returns what
// stands behind it.
func instance(f message.Field) (n int, rest string, ok bool) {
	value := f.Value()
	if strings.EqualFold(f.Name, "ARC-Authentication-Results") {
		value, rest, _ = strings.Cut(value, ";")
	}
	tags, err := parseTags(value)
	v := tags.get("i")
	if err != nil || len(v) > 2 || strings.Trim(v, "0123456789") != "" {
		return 0, "", false
	}
	n, err = strconv.Atoi(v)
	return n, strings.TrimSpace(rest), err == nil && n >= 1
}

// parse reads the two signatures of a set.
func (s *arcSet) parse() (err error) {
	if s.as, err = parseStamp(s.seal); err != nil {
		return failed(Fail, "ARC-Seal %d: %v", s.Instance, err)
	}
	s.as.headRelaxed = true // always (§5.1.1)
	s.Domain, s.Selector, s.CV = s.as.domain, s.as.selector, strings.ToLower(s.as.tags.get("cv"))
	want := "pass"
	if s.Instance == 1 {
		want = "none"
	}
	switch {
	case s.as.tags.has("h"):
		return failed(Fail, "ARC-Seal %d has h=", s.Instance)
	case s.CV != want:
		return failed(Fail, "ARC-Seal %d says %q of the chain before it", s.Instance, s.CV)
	}
	if s.ams, err = parseStamp(s.message); err == nil {
		err = s.ams.parseCover()
	}
	if err != nil {
		return failed(Fail, "ARC-Message-Signature %d: %v", s.Instance, err)
	}
	for _, name := range s.ams.names {
		if strings.EqualFold(name, "arc-seal") {
			return failed(Fail, "ARC-Message-Signature %d signs a seal", s.Instance)
		}
	}
	return nil
}

// verifySets checks the newest signature over the message and every seal, and finds
// out since when the message is as it is now.
func verifySets(ctx context.Context, l *letter, sets []arcSet, ask *asker) (oldest int, err error) {
	messages, seals := make([]error, len(sets)), make([]error, len(sets))
	digests := sealDigests(sets)
	var wg group
	for i := range sets {
		wg.Go(func() { _, messages[i] = sets[i].ams.verify(ctx, l, ask) })
		wg.Go(func() { seals[i] = sets[i].as.verifyDigest(ctx, digests[i], ask) })
	}
	wg.Wait()
	last := len(sets) - 1
	if err := messages[last]; err != nil {
		return 0, wrapped(err, "ARC-Message-Signature", last+1)
	}
	for i := last; i >= 0; i-- {
		if seals[i] != nil {
			return 0, wrapped(seals[i], "ARC-Seal", i+1)
		}
	}
	for i := last - 1; i >= 0; i-- {
		if messages[i] != nil {
			return i + 2, nil
		}
	}
	return 0, nil
}

func wrapped(err error, what string, instance int) error {
	verdict, reason := judged(err)
	return failed(verdict, "%s %d: %s", what, instance, reason)
}

func (s *stamp) verifyDigest(ctx context.Context, digest [sha256.Size]byte, ask *asker) error {
	key, err := s.lookup(ctx, ask)
	if err == nil && !key.verifies(digest, s.signature) {
		err = failed(Fail, "a set was changed, or the key")
	}
	return err
}

// sealDigests returns what each seal signs: all sets up to its own, in the order
// results, message, seal, relaxed, and the seal itself as a DKIM-Signature (§5.1.1).
func sealDigests(sets []arcSet) [][sha256.Size]byte {
	out := make([][sha256.Size]byte, len(sets))
	h := sha256.New()
	var buf []byte
	for i, s := range sets {
		buf = appendRelaxed(appendRelaxed(buf[:0], s.results), s.message)
		h.Write(buf)
		own, _ := h.(hash.Cloner).Clone() // of SHA-256, which can
		own.Write(bytes.TrimSuffix(appendRelaxed(nil, s.as.unsigned), crlf))
		own.Sum(out[i][:0])
		h.Write(appendRelaxed(nil, s.seal))
	}
	return out
}
