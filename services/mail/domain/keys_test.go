package domain

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"cairn/services/config"
	"cairn/services/mail/auth"
	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// TestKeys: what is made signs, and who looks at the records sees that.
func TestKeys(t *testing.T) {
	sec, err := secrets.Open(store.New(mem.New(), store.Options{}).Branch("secrets"), [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	k := Keys{sec}
	d := &config.Domain{Name: "example.org"}
	if s, err := k.Signer(t.Context(), d); s != nil || err != nil {
		t.Errorf("without keys: got %v, %v", s, err)
	}
	if d.DKIM, err = k.Make(t.Context(), object.Signature{}, d.Name, time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(d.DKIM) != "[c20261121120000e c20261121120000r]" {
		t.Errorf("selectors %q", d.DKIM)
	}
	if d.DKIMNext, err = k.Make(t.Context(), object.Signature{}, d.Name, time.Date(2026, 12, 21, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	records, err := k.Records(t.Context(), d)
	if err != nil || len(records) != 4 {
		t.Fatalf("got %v, %v", records, err)
	}
	w := map[string][]string{}
	for _, r := range records {
		w[r.Selector+"._domainkey.example.org TXT"] = []string{r.Text}
	}
	signer, err := k.Signer(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte("From: alice@example.org\r\nTo: bob@example.net\r\nSubject: Hello\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nHello!\r\n")
	fields, err := signer.Sign(raw)
	if err != nil {
		t.Fatal(err)
	}
	c := &auth.Checker{Resolver: resolver{query: query(w)}, ID: "mx.example.net"}
	r := c.Check(t.Context(), auth.Source{}, bytes.Join([][]byte{fields, raw}, nil))
	if len(r.DKIM) != 2 || r.DKIM[0].Verdict != auth.Pass || r.DKIM[1].Verdict != auth.Pass {
		t.Errorf("got %+v", r.DKIM)
	}
}

// A resolver knows texts only.
type resolver struct {
	auth.Resolver
	query func(context.Context, string, string) ([]string, error)
}

func (r resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return r.query(ctx, strings.TrimSuffix(name, "."), "TXT")
}
