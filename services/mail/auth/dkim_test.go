package auth

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// TestMutations changes one bit of each byte of a signed message, or all eight in
// turn if there is time: where a signature passes all the same, its canonical form is the same.
func TestMutations(t *testing.T) {
	z := &zone{}
	s := testSigner("example.org")
	z.publish(t, s)
	fields, err := s.Sign(plain)
	if err != nil {
		t.Fatal(err)
	}
	raw := append(fields, plain...)
	masks := 1
	if os.Getenv("CAIRN_LONG") == "1" {
		masks = 8
	}
	c := testChecker(z)
	passed := 0
	for i := range raw {
		for m := range masks {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << ((i + m) % 8)
			for n, sig := range c.Check(t.Context(), testSource, changed).DKIM {
				if sig.Verdict != Pass {
					continue
				}
				passed++
				own := func(_, value string) string { // the other signature is not signed
					if !strings.Contains(strings.ToLower(value), sig.Algorithm) {
						return ""
					}
					return decoded(value)
				}
				if strings.ReplaceAll(essence(changed, own), "dkim-signature:\n", "") != strings.ReplaceAll(essence(raw, own), "dkim-signature:\n", "") {
					t.Errorf("byte %d, %q: signature %d passes, and the message is another", i, changed[max(0, i-20):i+1], n)
				}
			}
		}
	}
	t.Logf("%d signatures passed of %d mutations", passed, masks*len(raw))
}

// essence is what a message says but for white space, told in another way than the
// code under test does: the fields that are signed, those of signatures as the caller tells them.
func essence(raw []byte, told func(name, value string) string) string {
	head, body, _ := strings.Cut(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n\n")
	var kept []string
	for f := range strings.SplitSeq(regexp.MustCompile(`\n([ \t])`).ReplaceAllString(head, "$1"), "\n") {
		name, value, _ := strings.Cut(f, ":")
		name, value = strings.ToLower(strings.TrimRight(name, " \t")), strings.Join(strings.Fields(value), " ")
		switch name {
		case "from", "to", "subject", "date", "message-id":
			kept = append(kept, name+":"+value)
		case "dkim-signature", "arc-seal", "arc-message-signature", "arc-authentication-results":
			kept = append(kept, name+":"+told(name, value))
		}
	}
	body = regexp.MustCompile(`[ \t]+(\n|$)`).ReplaceAllString(body, "$1")
	body = regexp.MustCompile(`[ \t]+`).ReplaceAllString(body, " ")
	return strings.Join(kept, "\n") + "\n\n" + strings.TrimRight(body, "\n")
}

// decoded is a field whose b= comes last with that decoded.
func decoded(value string) string {
	at := strings.LastIndex(value, "b=") + 2
	sig, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(value[at:], " ", ""))
	return fmt.Sprintf("%s%x%v", value[:at], sig, err)
}

// TestAdded adds fields to a signed message: none that people see or that say how to read it.
func TestAdded(t *testing.T) {
	z := &zone{}
	s := testSigner("example.org")
	z.publish(t, s)
	for _, c := range []struct {
		field string
		want  string
	}{
		{"Received: from somewhere", "pass pass"},
		{"List-Id: <garden.example.net>", "pass pass"},
		{"Subject: other", "fail fail"},
		{"From: mallory@example.com", "fail fail"},
		{"To: carol@example.com", "fail fail"},
		{"Date: Sat, 21 Nov 2026 13:00:00 +0000", "fail fail"},
		{"Reply-To: mallory@example.com", "fail fail"},
		{"Content-Type: text/html", "fail fail"},
		{"MIME-Version: 1.0", "fail fail"},
		{"content-transfer-ENCODING : base64", "fail fail"},
	} {
		fields, err := s.Sign(plain)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range [][]byte{
			append([]byte(c.field+"\r\n"), append(fields, plain...)...),
			bytes.Replace(append(fields, plain...), []byte("\r\n\r\n"), []byte("\r\n"+c.field+"\r\n\r\n"), 1),
		} {
			if got := verdicts(testChecker(z).Check(t.Context(), testSource, raw).DKIM); got != c.want {
				t.Errorf("with %q: got %s, want %s", c.field, got, c.want)
			}
		}
	}
}

// A forger signs what a Signer would not: any tags, any fields.
type forger struct {
	tags  string // all but bh and b
	names []string
	simpl bool
}

func (f forger) sign(t *testing.T, k Key, raw []byte) []byte {
	t.Helper()
	l := newLetter(raw)
	sum := l.body.sum(!f.simpl)
	head := "DKIM-Signature: " + f.tags + "; h=" + strings.Join(f.names, ":") + "; bh=" + base64.StdEncoding.EncodeToString(sum[:]) + ";"
	field, err := k.complete(l.appendSigned(nil, f.names, true), head)
	if err != nil {
		t.Fatal(err)
	}
	return append(field, raw...)
}

// TestTags has signatures that are right but for one tag (RFC 6376 §6.1.1).
func TestTags(t *testing.T) {
	ed := testKeys()[1]
	record, err := KeyRecord(ed.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	const good = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=ed"
	past, future := fmt.Sprint(testTime.Add(-time.Hour).Unix()), fmt.Sprint(testTime.Add(time.Hour).Unix())
	for _, c := range []struct {
		name, tags, record string
		want               Verdict
	}{
		{"good", good, "", Pass},
		{"spaces", "v = 1 ;\r\n\ta = ed25519-sha256 ; c = relaxed/relaxed ; d = example.org ; s = ed", "", Pass},
		{"unknown tag", good + "; zz=1", "", Pass},
		{"z=", good + "; z=From:a=20b", "", Pass},
		{"q=", good + "; q=dns/txt", "", Pass},
		{"q= of several", good + "; q=x/y:dns/txt", "", Pass},
		{"unknown q=", good + "; q=x/y", "", PermError},
		{"i=", good + "; i=alice@example.org", "", Pass},
		{"i= below", good + "; i=alice@mail.example.org", "", Pass},
		{"i= without local part", good + "; i=@example.org", "", Pass},
		{"i= of another", good + "; i=alice@badexample.org", "", PermError},
		{"i= above", good + "; i=alice@org", "", PermError},
		{"i= that ends so", good + "; i=alice.example.org", "", PermError},
		{"expires", good + "; t=" + past + "; x=" + future, "", Pass},
		{"expired", good + "; x=" + past, "", PermError},
		{"expired before it was made", good + "; t=" + future + "; x=" + past, "", PermError},
		{"x= no time", good + "; x=tomorrow", "", PermError},
		{"t= no time", good + "; t=-1", "", PermError},
		{"t= too far", good + "; t=9999999999999", "", PermError},
		{"no v=", strings.Replace(good, "v=1; ", "", 1), "", PermError},
		{"v=2", strings.Replace(good, "v=1", "v=2", 1), "", PermError},
		{"no d=", strings.Replace(good, "d=example.org; ", "", 1), "", PermError},
		{"no s=", strings.Replace(good, "; s=ed", "", 1), "", PermError},
		{"no a=", strings.Replace(good, "a=ed25519-sha256; ", "", 1), "", PermError},
		{"a= of the other", strings.Replace(good, "ed25519-", "rsa-", 1), "", PermError},
		{"a= of a weak hash", strings.Replace(good, "ed25519-sha256", "rsa-sha1", 1), "", PermError},
		{"d= twice", good + "; d=example.org", "", PermError},
		{"c= unknown", strings.Replace(good, "relaxed/relaxed", "relaxed/loose", 1), "", PermError},
		{"d= of dots", strings.Replace(good, "d=example.org", "d=example..org", 1), "", PermError},
		{"s= of the root", strings.Replace(good, "s=ed", "s=.", 1), "", PermError},
		{"l=", good + "; l=0", "", Pass},

		{"record for mail", good, record + "; s=email", Pass},
		{"record for anything", good, record + "; s=x:*", Pass},
		{"record for something else", good, record + "; s=tlsrpt", PermError},
		{"record for another hash", good, record + "; h=sha1", PermError},
		{"record for several hashes", good, record + "; h=sha1:sha256", Pass},
		{"record without v=", good, strings.TrimPrefix(record, "v=DKIM1; "), Pass},
		{"record of another version", good, strings.Replace(record, "DKIM1", "DKIM2", 1), PermError},
		{"record with v= behind", good, strings.TrimPrefix(record, "v=DKIM1; ") + "; v=DKIM1", PermError},
		{"record that is revoked", good, "v=DKIM1; k=ed25519; p=", PermError},
		{"record without a key", good, "v=DKIM1; k=ed25519", PermError},
		{"record with half a key", good, "v=DKIM1; k=ed25519; p=AAAA", PermError},
		{"record of no base64", good, "v=DKIM1; k=ed25519; p=***", PermError},
		{"record of another kind", good, "v=DKIM1; k=rsa; p=" + record[len(record)-44:], PermError},
		{"record of no kind", good, "v=DKIM1; k=pqc; p=" + record[len(record)-44:], PermError},
		{"record that is strict", good + "; i=a@example.org", record + "; t=s", Pass},
		{"record that is strict, i= below", good + "; i=a@mail.example.org", record + "; t=y:s", PermError},
		{"no record", good, "-", PermError},
		{"too long a record", good, record + "; n=" + strings.Repeat("x", 1<<20), PermError},
		{"two records", good, record + "\n" + record, PermError},
		{"a record beside another text", good, "v=spf1 -all\n" + record, Pass},
	} {
		z := &zone{txt: map[string][]string{"ed._domainkey.example.org": {record}}}
		if c.record != "" {
			z.txt["ed._domainkey.example.org"] = strings.Split(c.record, "\n")
		}
		if c.record == "-" {
			z.txt = nil
		}
		raw := forger{tags: c.tags, names: []string{"from", "subject"}}.sign(t, ed, plain)
		got := testChecker(z).Check(t.Context(), testSource, raw).DKIM
		if len(got) != 1 || got[0].Verdict != c.want {
			t.Errorf("%s: got %+v, want %s", c.name, got, c.want)
		}
	}
	if r := testChecker(&zone{txt: map[string][]string{"ed._domainkey.example.org": {record}}}).Check(t.Context(), testSource,
		forger{tags: good, names: []string{"subject"}}.sign(t, ed, plain)); r.DKIM[0].Verdict != PermError {
		t.Errorf("From not signed: got %+v, want permerror", r.DKIM)
	}
}

// TestShortRSA has keys that anybody can compute, and one that is as long as it must be.
func TestShortRSA(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	for bits, want := range map[int]Verdict{512: PermError, 1023: PermError, 1024: Pass} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		bare := x509.MarshalPKCS1PublicKey(&key.PublicKey)
		for _, p := range [][]byte{der, bare} {
			z := &zone{txt: map[string][]string{"k._domainkey.example.org": {"p=" + base64.StdEncoding.EncodeToString(p)}}}
			signature, err := dkimSign(plain, &dkim.SignOptions{Domain: "example.org", Selector: "k", Signer: key})
			if err != nil {
				t.Fatal(err)
			}
			if got := testChecker(z).Check(t.Context(), testSource, signature).DKIM; len(got) != 1 || got[0].Verdict != want {
				t.Errorf("%d bits: got %+v, want %s", bits, got, want)
			}
		}
		if _, err := (&Signer{Domain: "example.org", Keys: []Key{{"k", key}}}).Sign(plain); (err == nil) != (want == Pass) {
			t.Errorf("%d bits: signed with error %v", bits, err)
		}
	}
}

func dkimSign(raw []byte, o *dkim.SignOptions) ([]byte, error) {
	var out bytes.Buffer
	err := dkim.Sign(&out, bytes.NewReader(raw), o)
	return out.Bytes(), err
}

// TestLibrary has go-msgauth as a judge, both ways and in all canonicalisations.
func TestLibrary(t *testing.T) {
	z := &zone{}
	s := testSigner("example.org")
	z.publish(t, s)
	options := &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) { return z.LookupTXT(t.Context(), name) }}
	for name, raw := range specimens {
		fields, err := s.Sign(raw)
		if err != nil {
			t.Fatal(err)
		}
		all, err := dkim.VerifyWithOptions(bytes.NewReader(append(fields, raw...)), options)
		if err != nil || len(all) != 2 || all[0].Err != nil || all[1].Err != nil {
			t.Errorf("%s: go-msgauth says %v, %+v of ours", name, err, all)
		}
		for _, head := range []dkim.Canonicalization{"simple", "relaxed"} {
			for _, body := range []dkim.Canonicalization{"simple", "relaxed"} {
				signed, err := dkimSign(raw, &dkim.SignOptions{
					Domain: "example.org", Selector: "ed", Signer: s.Keys[1].Key,
					HeaderCanonicalization: head, BodyCanonicalization: body,
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := verdicts(testChecker(z).Check(t.Context(), testSource, signed).DKIM); got != "pass" {
					t.Errorf("%s, %s/%s: got %s of its, want pass", name, head, body, got)
				}
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	s := testSigner("example.org")
	for _, raw := range []string{"", "Subject: x\r\n\r\n", strings.Repeat("X: y\r\n", 10_001) + "From: a@example.org\r\n\r\n",
		strings.Repeat("To: b@example.org\r\n", 2000) + "From: a@example.org\r\n\r\n", " x\r\nFrom: a@example.org\r\n\r\n",
	} {
		if fields, err := s.Sign([]byte(raw)); err == nil {
			t.Errorf("%.30q: got %s, want an error", raw, fields)
		}
	}
	if fields, err := (&Signer{Domain: "example.org"}).Sign(plain); err != nil || len(fields) != 0 {
		t.Errorf("without keys: got %s, %v, want nothing", fields, err)
	}
}
