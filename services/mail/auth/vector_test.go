package auth

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// The keys, records and signatures of RFC 8463, appendix A.
const (
	rfc8463Seed    = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
	rfc8463Ed      = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	rfc8463RSA     = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
	rfc8463Message = `DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.

`
)

func TestRFC8463(t *testing.T) {
	z := &zone{txt: map[string][]string{
		"brisbane._domainkey.football.example.com": {rfc8463Ed},
		"test._domainkey.football.example.com":     {rfc8463RSA},
	}}
	r := testChecker(z).Check(t.Context(), Source{IP: netip.MustParseAddr("192.0.2.1")}, lines(rfc8463Message))
	if got, want := verdicts(r.DKIM), "pass pass"; got != want {
		t.Fatalf("got %s, want %s: %+v", got, want, r.DKIM)
	}
	ed, rsa := r.DKIM[0], r.DKIM[1]
	if got, want := rsa.Bits, 1024; got != want {
		t.Errorf("RSA key of %d bits, want %d", got, want)
	}
	if got, want := ed.Identity, "@football.example.com"; got != want {
		t.Errorf("i= is %s, want %s", got, want)
	}
	if got, want := ed.Time, time.Unix(1528637909, 0); !got.Equal(want) {
		t.Errorf("t= is %v, want %v", got, want)
	}
	if got, want := ed.tag, "/gCrinpc"; got != want {
		t.Errorf("tag is %s, want %s", got, want)
	}
}

// TestRFC8463Key signs with the private key of the appendix; its record is the one there.
func TestRFC8463Key(t *testing.T) {
	seed, err := base64.StdEncoding.DecodeString(rfc8463Seed)
	if err != nil {
		t.Fatal(err)
	}
	key := ed25519.NewKeyFromSeed(seed)
	record, err := KeyRecord(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := record, rfc8463Ed; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s := &Signer{Domain: "football.example.com", Keys: []Key{{"brisbane", key}}}
	z := &zone{txt: map[string][]string{"brisbane._domainkey.football.example.com": {record}}}
	unsigned := lines(rfc8463Message[strings.Index(rfc8463Message, "From:"):])
	fields, err := s.Sign(unsigned)
	if err != nil {
		t.Fatal(err)
	}
	r := testChecker(z).Check(t.Context(), Source{}, append(fields, unsigned...))
	if got, want := verdicts(r.DKIM), "pass"; got != want {
		t.Errorf("got %s, want %s: %+v", got, want, r.DKIM)
	}
}
