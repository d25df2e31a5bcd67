package auth

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// costs checks a message and says how often the DNS was asked and how much memory allocated, in MiB.
func costs(t *testing.T, z *zone, from Source, raw []byte) (r *Result, asked int, mib uint64) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r = testChecker(z).Check(t.Context(), from, raw)
	runtime.ReadMemStats(&after)
	return r, int(z.asked.Load()), (after.TotalAlloc - before.TotalAlloc) >> 20
}

// TestHostile has messages and records that are made to cost the server more than the sender.
func TestHostile(t *testing.T) {
	s := testSigner("example.org")
	signed, err := s.Sign(plain)
	if err != nil {
		t.Fatal(err)
	}
	first := string(signed[:bytes.Index(signed, []byte("\r\nDKIM"))+2])
	set := func(i int) string {
		return fmt.Sprintf("ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=%d.example; s=s; b=AAAA\r\n"+
			"ARC-Message-Signature: i=%d; a=rsa-sha256; c=relaxed/relaxed; d=%d.example; s=m; h=from; bh=%s; b=AAAA\r\n"+
			"ARC-Authentication-Results: i=%d; x; none\r\n", i, i, i, i, strings.Repeat("A", 43)+"=", i)
	}
	sets := func(n int) string {
		var b strings.Builder
		for i := 1; i <= n; i++ {
			b.WriteString(strings.Replace(set(i), "cv=pass", map[bool]string{true: "cv=none", false: "cv=pass"}[i == 1], 1))
		}
		return b.String()
	}
	long := func(n int) string { return strings.Repeat("x", n) }
	many := map[string]func(z *zone){
		"nothing": func(*zone) {},
		"SPF that includes itself twice": func(z *zone) {
			z.put("example.com v=spf1 include:example.com include:example.com -all")
		},
		"SPF of many exchangers": func(z *zone) {
			z.put("example.com v=spf1" + strings.Repeat(" mx", 10) + " -all")
			z.mx = map[string][]string{}
			for i := range 200 {
				z.mx["example.com"] = append(z.mx["example.com"], fmt.Sprintf("m%d.example.com", i))
			}
		},
		"SPF of a megabyte": func(z *zone) { z.put("example.com v=spf1 " + strings.Repeat("a ", 1<<19) + "-all") },
		"many names": func(z *zone) {
			z.ptr = map[string][]string{}
			for i := range 10_000 {
				z.ptr["192.0.2.1"] = append(z.ptr["192.0.2.1"], fmt.Sprintf("n%d.example.com", i))
			}
		},
		"a DMARC record of a megabyte":     func(z *zone) { z.put("_dmarc.example.org v=DMARC1; p=reject; x=" + long(1<<20)) },
		"a DMARC record of many tags":      func(z *zone) { z.put("_dmarc.example.org v=DMARC1; p=reject" + strings.Repeat("; a=b", 1000)) },
		"a key of many tags":               func(z *zone) { z.put("rsa._domainkey.example.org v=DKIM1" + strings.Repeat("; a=b", 1000)) },
		"an RSA key of a hundred kilobits": func(z *zone) { z.put("rsa._domainkey.example.org p=" + longRSA(100_000)) },
	}
	for name, do := range many {
		z := &zone{txt: map[string][]string{}}
		do(z)
		from := Source{IP: netip.MustParseAddr("192.0.2.1"), Helo: "example.com", MailFrom: "alice@example.com"}
		r, asked, mib := costs(t, z, from, append(bytes.Clone(signed), plain...))
		if asked > MaxQuestions || mib > 20 || r.SPF.Verdict == Pass || r.DMARC.Verdict == Pass {
			t.Errorf("%s: %d questions, %d MiB, %+v", name, asked, mib, r)
		}
	}
	for name, head := range map[string]string{
		"a thousand signatures":          strings.Repeat(first, 1000),
		"a signature of a megabyte":      strings.Replace(first, "v=1;", "v=1; z="+long(900<<10)+";", 1),
		"a signature of all names":       strings.Replace(first, "h=", "h="+strings.Repeat("x:", 20_000), 1),
		"a signature of many tags":       strings.Replace(first, "v=1;", "v=1;"+strings.Repeat("q=1;", 10_000), 1),
		"fifty sets":                     sets(50),
		"fifty-one sets":                 sets(51),
		"a thousand sets":                sets(1000),
		"a thousand times set one":       strings.Repeat(sets(1), 1000),
		"sets of nothing":                strings.Repeat("ARC-Seal:\r\nARC-Message-Signature:\r\nARC-Authentication-Results:\r\n", 1000),
		"fifty long sets":                strings.ReplaceAll(sets(50), "; none", "; none ("+long(15_000)+")"),
		"set number 99999999999":         strings.ReplaceAll(sets(1), "i=1", "i=99999999999"),
		"set number 0":                   strings.ReplaceAll(sets(1), "i=1", "i=0"),
		"ten thousand results":           strings.Repeat("Authentication-Results: mx.example.net; none\r\n", 9000),
		"an endless field name":          long(900<<10) + ": x\r\n",
		"nine hundred kilobytes of From": "From: " + strings.Repeat("a@b.example,", 75_000) + "c@d.example\r\n",
		"From of many":                   "From: " + strings.Join(numbered(30_000), ", ") + "\r\n",
		"From in From":                   "From: " + strings.Repeat("x:", 100_000) + "a@b.example\r\n",
		"comments in comments":           "From: " + strings.Repeat("(", 400_000) + "\r\n",
		"no header":                      "\r\n",
	} {
		z := &zone{txt: map[string][]string{}}
		z.publish(t, s)
		r, asked, mib := costs(t, z, testSource, append([]byte(head), plain...))
		if asked > MaxQuestions || mib > 64 || r.ARC.Verdict == Pass || len(r.DKIM) > MaxSignatures {
			t.Errorf("%s: %d questions, %d MiB, %+v", name, asked, mib, r.ARC)
		}
	}
}

func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("<a@b%d.example>", i)
	}
	return out
}

// longRSA is the base64 of an RSAPublicKey with a modulus of so many bits.
func longRSA(bits int) string {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	return base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: n.Sub(n, big.NewInt(1)), E: 65537}))
}

// TestTimeout has a resolver that never answers: the message is judged all the same,
// when the time is up, and by what was known.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, slow := range []string{"", "example.org", "_dmarc.example.org", "rsa._domainkey.example.org"} {
			s := testSigner("example.org")
			fields, err := s.Sign(plain)
			if err != nil {
				t.Fatal(err)
			}
			z := &zone{txt: map[string][]string{}, delay: func(ctx context.Context, name string) error {
				if slow != "" && name != slow {
					return nil
				}
				<-ctx.Done()
				return &net.DNSError{Err: ctx.Err().Error(), Name: name, IsTimeout: true}
			}}
			z.publish(t, s)
			z.put("_dmarc.example.org v=DMARC1; p=reject")
			start := time.Now()
			r := testChecker(z).Check(t.Context(), testSource, append(fields, plain...))
			if took := time.Since(start); took > DefaultTimeout {
				t.Errorf("%q is slow: it took %v", slow, took)
			}
			want := Pass
			if slow == "" || slow == "_dmarc.example.org" {
				want = TempError
			}
			if r.DMARC.Verdict != want {
				t.Errorf("%q is slow: got %+v, want %s", slow, r.DMARC, want)
			}
		}
	})
}

// TestExhaust spends all questions on a sender's own records: the From domain's
// policy is found all the same.
func TestExhaust(t *testing.T) {
	z := &zone{txt: map[string][]string{}, mx: map[string][]string{}}
	for _, name := range []string{"example.com", "helo.example.com"} {
		z.put(name + " v=spf1" + strings.Repeat(" mx", 10) + " +all")
		for i := range 10 {
			z.mx[name] = append(z.mx[name], fmt.Sprintf("m%d.example.com", i))
		}
	}
	z.put("_dmarc.example.org v=DMARC1; p=reject")
	from := Source{IP: netip.MustParseAddr("192.0.2.1"), Helo: "helo.example.com", MailFrom: "x@example.com"}
	r, asked, _ := costs(t, z, from, plain)
	if r.DMARC.Action != Reject || asked > MaxQuestions {
		t.Errorf("%d questions, got %+v, want reject", asked, r.DMARC)
	}
}

// TestCancelled ends checking with its context.
func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		z := &zone{delay: func(ctx context.Context, name string) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		start := time.Now()
		r := testChecker(z).Check(ctx, testSource, plain)
		if took := time.Since(start); took != time.Second || r.SPF.Verdict != TempError || !r.Temporary() {
			t.Errorf("after %v: got %+v", took, r)
		}
	})
}

func FuzzCheck(f *testing.F) {
	s := testSigner("example.org")
	z := &zone{}
	z.publish(f, s)
	fields, err := s.Sign(plain)
	if err != nil {
		f.Fatal(err)
	}
	raw := append(fields, plain...)
	c := testChecker(z)
	f.Add(raw)
	for range 2 {
		set, err := s.Seal(raw, c.Check(f.Context(), testSource, raw))
		if err != nil {
			f.Fatal(err)
		}
		raw = append(set, raw...)
		f.Add(raw)
	}
	f.Add(lines(rfc8463Message))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := c.Check(t.Context(), testSource, raw)
		if len(r.DKIM) > MaxSignatures || len(r.ARC.Sets) > MaxSets {
			t.Errorf("got %d signatures and %d sets", len(r.DKIM), len(r.ARC.Sets))
		}
		if fields, err := s.Seal(raw, r); err == nil && fields != nil && r.ARC.Verdict != Fail {
			again := c.Check(t.Context(), testSource, append(fields, raw...))
			if again.ARC.Verdict != Pass {
				t.Errorf("sealed, and it is %+v", again.ARC)
			}
		}
	})
}
