package auth

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
)

var testSource = Source{IP: netip.MustParseAddr("192.0.2.1"), Helo: "mail.example.org", MailFrom: "alice@example.org"}

// sealed passes a signed message through hands that add a set each, and returns it
// with what is asked about it.
func sealed(t testing.TB, hands ...string) ([]byte, *zone) {
	t.Helper()
	z := &zone{}
	author := testSigner("example.org")
	z.publish(t, author)
	fields, err := author.Sign(plain)
	if err != nil {
		t.Fatal(err)
	}
	raw := append(fields, plain...)
	for _, name := range hands {
		s := testSigner(name)
		z.publish(t, s)
		raw = seal(t, s, raw, testChecker(z).Check(t.Context(), testSource, raw))
	}
	return raw, z
}

func seal(t testing.TB, s *Signer, raw []byte, r *Result) []byte {
	t.Helper()
	set, err := s.Seal(raw, r)
	if err != nil {
		t.Fatal(err)
	}
	return append(set, raw...)
}

func TestSeal(t *testing.T) {
	raw, z := sealed(t, "one.example", "two.example", "three.example")
	r := testChecker(z).Check(t.Context(), testSource, raw)
	if got, want := r.ARC.Sealers(), []string{"three.example", "two.example", "one.example"}; r.ARC.Verdict != Pass || !slices.Equal(got, want) {
		t.Errorf("got %+v by %v, want pass by %v", r.ARC, got, want)
	}
	for i, s := range r.ARC.Sets {
		want := map[bool]string{true: "none", false: "pass"}[i == 0]
		if s.Instance != i+1 || s.CV != want || !strings.HasPrefix(s.Results, "mx.example.net;") || !strings.Contains(s.Results, "dkim=pass") {
			t.Errorf("set %d is %+v", i+1, s)
		}
	}
	if got := r.Header(); !bytes.Contains(got, []byte("arc=pass (sealed by three.example, two.example, one.example)")) {
		t.Errorf("results are %s", got)
	}
}

// TestSealChanged changes a message, as a mailing list does, and seals it then: the
// chain passes and tells since when the message is as it is.
func TestSealChanged(t *testing.T) {
	raw, z := sealed(t, "one.example", "two.example")
	r := testChecker(z).Check(t.Context(), testSource, raw)
	changed := append(bytes.Replace(raw, []byte("Subject: "), []byte("Subject: [list] "), 1), "-- \r\nA footer\r\n"...)
	list := testSigner("list.example")
	z.publish(t, list)
	changed = seal(t, list, changed, r)
	got := testChecker(z).Check(t.Context(), testSource, changed)
	if verdicts(got.DKIM) != "fail fail" || got.ARC.Verdict != Pass || got.ARC.Oldest != 3 || got.ARC.Sealers()[0] != "list.example" {
		t.Errorf("got %+v and %s, want pass since 3", got.ARC, verdicts(got.DKIM))
	}
	if !strings.Contains(got.ARC.Sets[2].Results, "dkim=pass") {
		t.Errorf("the list says %q", got.ARC.Sets[2].Results)
	}
}

// TestSealFailed seals a message whose chain is broken: it says so, and nobody may
// seal it again.
func TestSealFailed(t *testing.T) {
	raw, z := sealed(t, "one.example", "two.example")
	broken := bytes.Replace(raw, []byte("four"), []byte("five"), 1)
	r := testChecker(z).Check(t.Context(), testSource, broken)
	s := testSigner("three.example")
	z.publish(t, s)
	ended := seal(t, s, broken, r)
	if !bytes.HasPrefix(ended, []byte("ARC-Seal: i=3; cv=fail;")) {
		t.Fatalf("got %.80q", ended)
	}
	r = testChecker(z).Check(t.Context(), testSource, ended)
	if r.ARC.Verdict != Fail || r.ARC.Sealers() != nil {
		t.Errorf("got %+v, want fail", r.ARC)
	}
	if set, err := s.Seal(ended, r); set != nil || err != nil {
		t.Errorf("sealed again: %s, %v", set, err)
	}
}

func TestSealNot(t *testing.T) {
	raw, z := sealed(t, "one.example")
	s := testSigner("two.example")
	z.fail = map[string]bool{"rsa._domainkey.one.example": true}
	r := testChecker(z).Check(t.Context(), testSource, raw)
	if r.ARC.Verdict != Fail || !r.ARC.Temporary {
		t.Errorf("the DNS is away: got %+v, want a temporary failure", r.ARC)
	}
	if set, err := s.Seal(raw, r); set != nil || err != nil {
		t.Errorf("the DNS is away: got %s, %v, want no set", set, err)
	}
	z.fail = nil
	r = testChecker(z).Check(t.Context(), testSource, raw)
	if set, err := s.Seal(plain, r); set != nil || err != nil {
		t.Errorf("another message: got %s, %v, want no set", set, err)
	}
	if set, err := (&Signer{Domain: "two.example"}).Seal(raw, r); err == nil {
		t.Errorf("no key: got %s, want an error", set)
	}
	if set, err := s.Seal([]byte("X: y\r\n\r\n"), &Result{ARC: Chain{Verdict: None}}); err == nil {
		t.Errorf("no From: got %s, want an error", set)
	}
}

// TestSealLimit seals until no set may follow.
func TestSealLimit(t *testing.T) {
	raw, z := sealed(t, "hand0.example")
	r := &Result{ID: "mx.example.net", ARC: Chain{Verdict: Pass, Sets: make([]Set, 1)}}
	for n := 1; n < MaxSets; n++ {
		s := testSigner(fmt.Sprintf("hand%d.example", n))
		z.publish(t, s)
		raw = seal(t, s, raw, r)
		r.ARC.Sets = append(r.ARC.Sets, Set{})
	}
	z.asked.Store(0)
	r = testChecker(z).Check(t.Context(), testSource, raw)
	if r.ARC.Verdict != Pass || len(r.ARC.Sets) != MaxSets || r.ARC.Oldest != 0 {
		t.Fatalf("got %s of %d sets: %s", r.ARC.Verdict, len(r.ARC.Sets), r.ARC.Reason)
	}
	if asked := z.asked.Load(); asked > MaxQuestions {
		t.Errorf("%d questions, want at most %d", asked, MaxQuestions)
	}
	if set, err := testSigner("last.example").Seal(raw, r); set != nil || err != nil {
		t.Errorf("got %s, %v, want no set", set, err)
	}
}

// TestChain breaks chains in the ways of RFC 8617 §5.2.
func TestChain(t *testing.T) {
	raw, z := sealed(t, "one.example", "two.example")
	fields := func(raw []byte, name string) [][]byte {
		var out [][]byte
		for _, f := range newLetter(raw).of(name) {
			out = append(out, f.Raw)
		}
		return out
	}
	replace := func(old, new string) func([]byte) []byte {
		return func(raw []byte) []byte {
			if !bytes.Contains(raw, []byte(old)) {
				t.Fatalf("no %q in the message", old)
			}
			return bytes.Replace(raw, []byte(old), []byte(new), 1)
		}
	}
	without := func(name string, n int) func([]byte) []byte {
		return func(raw []byte) []byte { return bytes.Replace(raw, fields(raw, name)[n], nil, 1) }
	}
	twice := func(name string, n int) func([]byte) []byte {
		return func(raw []byte) []byte { return append(bytes.Clone(fields(raw, name)[n]), raw...) }
	}
	for name, change := range map[string]func([]byte) []byte{
		"body":            replace("four", "five"),
		"Subject":         replace("the garden", "the house"),
		"DKIM-Signature":  replace("d=example.org", "d=example.com"),
		"newest results":  replace("ARC-Authentication-Results: i=2; mx.example.net;", "ARC-Authentication-Results: i=2; mx.example.com;"),
		"oldest results":  replace("ARC-Authentication-Results: i=1; mx.example.net;", "ARC-Authentication-Results: i=1; mx.example.com;"),
		"no newest seal":  without("arc-seal", 0),
		"no oldest seal":  without("arc-seal", 1),
		"no signature":    without("arc-message-signature", 0),
		"no results":      without("arc-authentication-results", 1),
		"seal twice":      twice("arc-seal", 0),
		"signature twice": twice("arc-message-signature", 1),
		"results twice":   twice("arc-authentication-results", 1),
		"no first set": func(raw []byte) []byte {
			for _, part := range arcFields {
				raw = without(part, 1)(raw)
			}
			return raw
		},
		"another number":        replace("ARC-Seal: i=2", "ARC-Seal: i=3"),
		"number 0":              replace("ARC-Seal: i=1", "ARC-Seal: i=0"),
		"no number":             replace("ARC-Seal: i=1;", "ARC-Seal:"),
		"letters":               replace("ARC-Seal: i=1", "ARC-Seal: i=x"),
		"first says pass":       replace("i=1; cv=none", "i=1; cv=pass"),
		"second says none":      replace("i=2; cv=pass", "i=2; cv=none"),
		"second says fail":      replace("i=2; cv=pass", "i=2; cv=fail"),
		"second says nothing":   replace("i=2; cv=pass;", "i=2;"),
		"seal with h=":          replace("i=2; cv=pass;", "i=2; cv=pass; h=from;"),
		"signature of the seal": replace("h=from:", "h=arc-seal:from:"),
		"other sealer":          replace("cv=pass; a=rsa-sha256; d=two.example", "cv=pass; a=rsa-sha256; d=one.example"),
		"unknown sealer":        replace("cv=pass; a=rsa-sha256; d=two.example", "cv=pass; a=rsa-sha256; d=no.example"),
	} {
		r := testChecker(z).Check(t.Context(), testSource, change(bytes.Clone(raw)))
		if r.ARC.Verdict != Fail || r.ARC.Reason == "" || r.ARC.Temporary {
			t.Errorf("%s: got %+v, want fail", name, r.ARC)
		}
	}
	// And what a chain may go through.
	for name, change := range map[string]func([]byte) []byte{
		"nothing":     bytes.Clone,
		"a new field": func(raw []byte) []byte { return append([]byte("Received: from x\r\n"), raw...) },
		"folding":     replace("\r\n\ts=rsa; t=", " s=rsa;\r\n \tt="),
		"lower case":  replace("ARC-Seal:", "arc-seal:"),
	} {
		r := testChecker(z).Check(t.Context(), testSource, change(bytes.Clone(raw)))
		if r.ARC.Verdict != Pass || r.ARC.Oldest != 0 {
			t.Errorf("%s: got %+v, want pass", name, r.ARC)
		}
	}
}

// TestChainMutations changes one bit of every third byte of a chain, of each if there
// is time: where it passes, it says the same.
func TestChainMutations(t *testing.T) {
	raw, z := sealed(t, "one.example", "two.example")
	c := testChecker(z)
	told := func(name, value string) string {
		if name == "arc-seal" && strings.Contains(value, "cv=pass") {
			return decoded(value) // of the newest seal, how b= is written is not signed
		}
		return value
	}
	step := 3
	if os.Getenv("CAIRN_LONG") == "1" {
		step = 1
	}
	for i := 0; i < len(raw); i += step {
		changed := bytes.Clone(raw)
		changed[i] ^= 1 << (i % 7)
		if r := c.Check(t.Context(), testSource, changed); r.ARC.Verdict == Pass && essence(changed, told) != essence(raw, told) {
			t.Errorf("byte %d, %q: the chain passes, and is another", i, changed[max(0, i-20):i+1])
		}
	}
}
