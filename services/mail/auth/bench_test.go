package auth

import (
	"bytes"
	"context"
	"net/netip"
	"testing"
)

// BenchmarkCheck is what an ordinary message of 4 KB costs, signed with both keys,
// with a resolver that knows the answers.
func BenchmarkCheck(b *testing.B) {
	z := &zone{
		txt: map[string][]string{},
		ip:  map[string][]string{"mail.example.org": {"192.0.2.1"}},
		ptr: map[string][]string{"192.0.2.1": {"mail.example.org"}},
	}
	s := testSigner("example.org")
	z.publish(b, s)
	z.put("example.org v=spf1 ip4:192.0.2.1 -all\nmail.example.org v=spf1 a -all\n_dmarc.example.org v=DMARC1; p=reject")
	raw := append(bytes.Clone(plain), bytes.Repeat([]byte("The quick brown fox jumps over the lazy dog, again and again.\r\n"), 62)...)
	for _, c := range []struct {
		name string
		keys []Key
	}{{"unsigned", nil}, {"ed25519", s.Keys[1:]}, {"rsa", s.Keys[:1]}, {"both", s.Keys}} {
		fields, err := (&Signer{Domain: s.Domain, Keys: c.keys}).Sign(raw)
		if err != nil {
			b.Fatal(err)
		}
		signed := append(fields, raw...)
		from := Source{IP: netip.MustParseAddr("192.0.2.1"), Helo: "mail.example.org", MailFrom: "alice@example.org"}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(signed)))
			for b.Loop() {
				z.names = z.names[:0]
				if r := testChecker(z).Check(context.Background(), from, signed); r.DMARC.Verdict != Pass {
					b.Fatalf("%+v", r)
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	s := testSigner("example.org")
	raw := append(bytes.Clone(plain), bytes.Repeat([]byte("The quick brown fox jumps over the lazy dog, again and again.\r\n"), 62)...)
	for b.Loop() {
		if _, err := s.Sign(raw); err != nil {
			b.Fatal(err)
		}
	}
}
