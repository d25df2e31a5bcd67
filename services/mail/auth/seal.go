package auth

import (
	"crypto/rsa"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Seal returns the ARC set for a message that is passed on (RFC 8617 §5.1), to be put in
// front of it: who receives it can see what Check had found when it came here, although
// SPF no longer passes and whatever was changed in it since. r is that Result, and raw
// the message as it leaves, with the sets that it came with.
//
// The set says cv=fail where the chain had failed. There is none, and no error, where no
// set may follow or it would be wrong for ever: behind one that said so already,
// behind MaxSets, and where the chain failed only because the DNS did not answer.
func (s *Signer) Seal(raw []byte, r *Result) ([]byte, error) {
	key, err := s.sealKey()
	if err != nil {
		return nil, err
	}
	l := newLetter(raw)
	names, err := l.signable()
	if err != nil {
		return nil, err
	}
	sets, n, ok := before(l, r)
	if !ok {
		return nil, nil
	}
	cv := string(r.ARC.Verdict)
	i := " i=" + strconv.Itoa(n) + ";"

	results := []byte("ARC-Authentication-Results:" + i + " " + r.text() + "\r\n")
	for range l.named["dkim-signature"] {
		names = append(names, "dkim-signature")
	}
	signature, err := s.cover(l, key, "ARC-Message-Signature:"+i, names)
	if err != nil {
		return nil, err
	}
	var signed []byte
	for _, set := range sets {
		signed = appendRelaxed(appendRelaxed(appendRelaxed(signed, set.results), set.message), set.seal)
	}
	signed = appendRelaxed(appendRelaxed(signed, results), signature)
	seal, err := key.complete(signed, s.head("ARC-Seal:"+i+" cv="+cv+";", key))
	if err != nil {
		return nil, err
	}
	return slices.Concat(seal, signature, results), nil
}

// sealKey returns the key that seals: RSA, as not everybody who verifies ARC knows
// Ed25519, and a set has one signature of each kind only.
func (s *Signer) sealKey() (Key, error) {
	if len(s.Keys) == 0 {
		return Key{}, fmt.Errorf("seal for %s: no key", s.Domain)
	}
	for _, k := range s.Keys {
		if _, ok := k.Key.Public().(*rsa.PublicKey); ok {
			return k, nil
		}
	}
	return s.Keys[0], nil
}

// before returns the sets that a new seal covers, which are none where the chain had
// failed (RFC 8617 §5.1.2), and the number of the new one; not ok if there must be none.
func before(l *letter, r *Result) (sets []arcSet, n int, ok bool) {
	switch {
	case r.ARC.Verdict == Pass || r.ARC.Verdict == None:
		sets, err := readSets(l)
		return sets, len(sets) + 1, err == nil && len(sets) == len(r.ARC.Sets) && len(sets) < MaxSets
	case r.ARC.Temporary:
		return nil, 0, false
	}
	for _, part := range arcFields {
		for _, f := range l.of(part) {
			if i, _, ok := instance(f); ok {
				n = max(n, i)
			}
		}
	}
	for _, f := range l.of("arc-seal") {
		i, _, _ := instance(f)
		if tags, _ := parseTags(f.Value()); i == n && strings.EqualFold(tags.get("cv"), "fail") {
			return nil, 0, false
		}
	}
	return nil, n + 1, n < MaxSets
}
