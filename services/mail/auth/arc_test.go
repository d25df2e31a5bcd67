package auth

import (
	"net/netip"
	"testing"
)

var testSource = Source{IP: netip.MustParseAddr("192.0.2.1"), Helo: "mail.example.org", MailFrom: "alice@example.org"}

func TestSeal(t *testing.T) {
	z := &zone{}
	c := testChecker(z)
	signer := testSigner("example.org")
	z.publish(t, signer)
	raw := append([]byte{}, plain...)
	fields, err := signer.Sign(raw)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", fields)
	raw = append(fields, raw...)
	for i := range 4 {
		r := c.Check(t.Context(), testSource, raw)
		t.Logf("%s", r.Header())
		if got, want := verdicts(r.DKIM), "pass pass"; got != want {
			t.Fatalf("got %s, want %s: %+v", got, want, r.DKIM)
		}
		want := Pass
		if i == 0 {
			want = None
		}
		if r.ARC.Verdict != want || len(r.ARC.Sets) != i {
			t.Fatalf("got %+v, want %v with %d sets", r.ARC, want, i)
		}
		s := testSigner("hop.example")
		z.publish(t, s)
		set, err := s.Seal(raw, r)
		if err != nil {
			t.Fatal(err)
		}
		raw = append(set, raw...)
	}
	t.Logf("%s", raw)
}
