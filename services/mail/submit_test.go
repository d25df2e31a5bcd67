package mail

import (
	"bytes"
	"context"
	"crypto"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"cairn/services/mail/auth"
	"cairn/services/mail/message"
	"cairn/store"

	"github.com/emersion/go-msgauth/dkim"
)

func TestSubmission(t *testing.T) {
	h := open(t)
	h.accept(h.by("alice", "From: alice@example.org\r\nBcc: carol@example.net,\r\n bob@example.org\r\nSubject: secret\r\nbcc: x\r\n\r\nBcc: stays\r\n",
		"bob@example.org", "carol@elsewhere.example"))
	got := h.got("bob", "INBOX")
	if len(got) != 1 || !strings.HasSuffix(got[0], "From: alice@example.org\r\nSubject: secret\r\n\r\nBcc: stays\r\n") {
		t.Fatalf("bob got %q", got)
	}
	head := message.ParseHeader([]byte(got[0]))
	if _, ok := head.Date(); !ok || !strings.HasSuffix(head.MessageID(), "@mail.example.net") {
		t.Errorf("got %q, want a Date and a Message-ID", got[0])
	}
	if strings.Contains(got[0], "192.0.2.1") || strings.Contains(got[0], "client.elsewhere") {
		t.Errorf("got %q, want nothing of where alice's program was", got[0])
	}
	if q := h.queued(); len(q) != 1 || q[0].From != "alice@example.org" {
		t.Errorf("queued: got %+v, want one from alice", q)
	}
	h.accept(h.by("alice", "From: alice@example.org\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@laptop>\r\n\r\n", "bob@example.org"))
	if got := h.got("bob", "INBOX")[1]; strings.Count(got, "Date:") != 1 || strings.Count(got, "Message-ID:") != 1 {
		t.Errorf("got %q, want Date and Message-ID once", got)
	}
	for _, raw := range []string{
		"Subject: no From\r\n\r\n", "From: bob@example.org\r\n\r\n", "From: alice@elsewhere.example\r\n\r\n", "From: alice@gone.example\r\n\r\n",
		"From: alice@example.org\r\nFrom: bob@example.org\r\n\r\n", "From: alice@example.org, bob@example.org\r\n\r\n",
		"From: alice@example.org\r\nSender: bob@example.org\r\n\r\n", "From: undisclosed:;\r\n\r\n", "From : bob@example.org\r\n\r\n", "From: alice@example.org\r\nFROM : bob@example.org\r\n\r\n",
	} {
		h.refused(h.by("alice", raw, "bob@example.org"), "550 5.")
	}
	h.accept(h.by("alice", "From: lis+x@example.org\r\nSender: ALICE@example.net\r\n\r\n", "bob")) // the catch-all is carol's, and alice is alice everywhere
}

// A zone is a DNS that knows what a test says.
type zone struct {
	mu  sync.Mutex
	txt map[string]string
	ip  map[string]string
}

func missing(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (z *zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if s, ok := z.txt[strings.TrimSuffix(name, ".")]; ok {
		return []string{s}, nil
	}
	return nil, missing(name)
}

func (z *zone) LookupMX(_ context.Context, name string) ([]*net.MX, error) { return nil, missing(name) }

func (z *zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if s, ok := z.ip[strings.TrimSuffix(host, ".")]; ok {
		return []netip.Addr{netip.MustParseAddr(s)}, nil
	}
	return nil, missing(host)
}

func (z *zone) LookupAddr(_ context.Context, addr string) ([]string, error) {
	return nil, missing(addr)
}
func (z *zone) LookupCNAME(_ context.Context, host string) (string, error) { return host + ".", nil }

// keys are made once: an RSA key takes its time.
var keys = sync.OnceValue(func() map[string]crypto.Signer {
	r, e, err := auth.NewKeys()
	if err != nil {
		panic(err)
	}
	return map[string]crypto.Signer{"r": r, "e": e}
})

// signer publishes keys for a domain.
func (z *zone) signer(t *testing.T, domain string) *auth.Signer {
	t.Helper()
	s := &auth.Signer{Domain: domain}
	for selector, key := range keys() {
		record, err := auth.KeyRecord(key.Public())
		check(t, err)
		z.txt[selector+"._domainkey."+domain] = record
		s.Keys = append(s.Keys, auth.Key{Selector: selector, Key: key})
	}
	return s
}

// TestSigned submits a message and has go-msgauth verify what leaves and what bob gets.
func TestSigned(t *testing.T) {
	h := open(t)
	z := &zone{txt: map[string]string{}}
	signer := z.signer(t, "example.org")
	h.Signer = func(_ context.Context, domain string) (*auth.Signer, error) {
		if domain != "example.org" {
			return nil, nil
		}
		return signer, nil
	}
	h.accept(h.by("alice", "From: alice@example.org\r\nBcc: x@example.net\r\nSubject: signed\r\n\r\nhi\r\n", "bob@example.org"))
	h.accept(h.by("alice", "From: alice@localhost\r\nSubject: not signed\r\n\r\nhi\r\n", "bob@example.org"))
	check(t, h.Send(context.Background(), "", []string{"bob@example.org"}, []byte("From: postmaster@example.org\r\n\r\nours\r\n")))
	for i, want := range []int{2, 0, 2} {
		got := h.got("bob", "INBOX")[i]
		verified, err := dkim.VerifyWithOptions(bytes.NewReader([]byte(got)), &dkim.VerifyOptions{
			LookupTXT: func(name string) ([]string, error) { return z.LookupTXT(context.Background(), name) },
		})
		check(t, err)
		verified = slices.DeleteFunc(verified, func(v *dkim.Verification) bool { return v.Err != nil })
		if len(verified) != want {
			t.Errorf("message %d: %d signatures verify, want %d:\n%s", i, len(verified), want, got)
		}
	}
}

func TestChecked(t *testing.T) {
	const spoofed = "From: ceo@strict.example\r\nSubject: urgent\r\n\r\npay\r\n"
	z := &zone{txt: map[string]string{
		"strict.example": "v=spf1 -all", "_dmarc.strict.example": "v=DMARC1; p=reject",
		"soft.example": "v=spf1 -all", "_dmarc.soft.example": "v=DMARC1; p=quarantine",
		"good.example": "v=spf1 ip4:192.0.2.1 -all", "_dmarc.good.example": "v=DMARC1; p=reject",
	}}
	h := open(t)
	h.Checker = &auth.Checker{Resolver: z, ID: "mail.example.org"}
	h.refused(from("ceo@strict.example", spoofed, "alice@example.org"), "550 5.7.1 the domain strict.example says")

	h.accept(from("ceo@soft.example", strings.ReplaceAll(spoofed, "strict", "soft"), "alice@example.org"))
	if got := h.got("alice", "Junk"); len(got) != 1 || !strings.Contains(got[0], "X-Spam-Status: Yes") || !strings.Contains(got[0], "dmarc=fail") {
		t.Errorf("quarantine: got %q in Junk", got)
	}

	forged := "Authentication-Results: mail.example.org; dmarc=pass\r\nAuthentication-Results: other.example; spf=pass\r\n"
	h.accept(from("ceo@good.example", forged+strings.ReplaceAll(spoofed, "strict", "good"), "alice@example.org"))
	got := h.got("alice", "INBOX")
	if len(got) != 1 || strings.Count(got[0], "Authentication-Results: mail.example.org") != 1 || !strings.Contains(got[0], "other.example") ||
		strings.Contains(got[0], "mail.example.org; dmarc=pass\r\nAuth") {
		t.Errorf("got %q, want our result and the other server's, and not the forged one", got)
	}
}

// TestForwarderTrusted has a message come through a server that has broken SPF and DKIM, and sealed it.
func TestForwarderTrusted(t *testing.T) {
	z := &zone{txt: map[string]string{
		"strict.example": "v=spf1 ip4:198.51.100.1 -all", "_dmarc.strict.example": "v=DMARC1; p=reject",
	}}
	signer := z.signer(t, "list.example")
	original := []byte("From: ceo@strict.example\r\nSubject: news\r\n\r\nhi\r\n")
	there := &auth.Checker{Resolver: z, ID: "list.example"}
	result := there.Check(context.Background(), auth.Source{IP: netip.MustParseAddr("198.51.100.1"), Helo: "strict.example", MailFrom: "ceo@strict.example"}, original)
	seal, err := signer.Seal(original, result)
	check(t, err)
	passedOn := string(seal) + string(original)
	h := open(t)
	h.Checker = &auth.Checker{Resolver: z, ID: "mail.example.org"}
	h.refused(from("bounce@list.example", passedOn, "alice@example.org"), "550 5.7.1")
	h.Sealers = []string{"list.example"}
	h.accept(from("bounce@list.example", passedOn, "alice@example.org"))
	h.refused(from("bounce@list.example", strings.Replace(passedOn, "hi", "ha", 1), "alice@example.org"), "550 5.7.1")
	if got := h.counts("INBOX"); got != [3]int{1, 0, 0} {
		t.Errorf("got %v messages, want 1 for alice", got)
	}
}

// TestForwardSealed makes sure that what an alias passes on carries our word on what it was.
func TestForwardSealed(t *testing.T) {
	z := &zone{txt: map[string]string{"good.example": "v=spf1 ip4:192.0.2.1 -all"}}
	h := open(t)
	h.Checker = &auth.Checker{Resolver: z, ID: "mail.example.org"}
	signer := z.signer(t, "example.org")
	h.Signer = func(context.Context, string) (*auth.Signer, error) { return signer, nil }
	in := from("ceo@good.example", "From: ceo@good.example\r\nSubject: news\r\n\r\nhi\r\n", "away@example.org")
	task, err := h.begin(context.Background(), in, NewPlan(store.Change{Message: "Deliver"}))
	check(t, err)
	check(t, task.reach(context.Background(), in.To[0], 0))
	check(t, task.settle(context.Background()))
	if len(task.plan.queue) != 1 {
		t.Fatalf("%d messages leave, want 1", len(task.plan.queue))
	}
	leaves := task.plan.queue[0]
	next := &auth.Checker{Resolver: z, ID: "elsewhere.example"}
	r := next.Check(context.Background(), auth.Source{IP: netip.MustParseAddr("203.0.113.1"), Helo: "mail.example.org", MailFrom: leaves.From}, leaves.Raw)
	if got := r.ARC.Sealers(); len(got) != 1 || got[0] != "example.org" {
		t.Errorf("sealed by %v (%s), want example.org:\n%s", got, r.ARC.Reason, leaves.Raw)
	}
}

func TestJunk(t *testing.T) {
	const noName, badName, spf = 1, 2, 4
	for _, c := range []struct {
		name   string
		score  float64
		listed []string
		what   int // of the client
		client string
		junk   bool
	}{
		{"nothing", 0, nil, 0, "192.0.2.1", false},
		{"its words", 0.95, nil, 0, "192.0.2.1", true},
		{"perhaps its words", 0.86, nil, 0, "192.0.2.1", false},
		{"perhaps its words, and no name", 0.86, nil, noName, "192.0.2.1", true},
		{"not taught, and no name", 0.5, nil, noName, "192.0.2.1", false},
		{"not taught, and two reasons", 0.5, nil, noName | badName, "192.0.2.1", false},
		{"doubtful, and two reasons", 0.7, nil, noName | badName, "192.0.2.1", true},
		{"not taught, and three reasons", 0.5, nil, noName | badName | spf, "192.0.2.1", true},
		{"three reasons only", 0.1, nil, noName | badName | spf, "192.0.2.1", false},
		{"not taught, on this machine", 0.5, nil, noName | badName, "127.0.0.1", false},
		{"not taught, in this house", 0.7, nil, noName | badName, "192.168.1.2", false},
		{"listed", 0, []string{"zen.example"}, 0, "192.0.2.1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t)
			h.Junk = func(_ context.Context, user string, trace, raw []byte) (float64, error) {
				if user != "alice" || string(raw) != letter || !bytes.HasPrefix(trace, []byte("Return-Path:")) {
					t.Errorf("asked about %s, %q, %q", user, trace, raw)
				}
				return c.score, nil
			}
			z := &zone{txt: map[string]string{}, ip: map[string]string{"client.elsewhere.example": c.client}}
			h.Checker = &auth.Checker{Resolver: z, ID: "mail.example.org"}
			in := from("bob@elsewhere.example", letter, "alice@example.org")
			in.Listed, in.Client = c.listed, netip.MustParseAddr(c.client)
			in.Reverse = auth.IPRev{Verdict: auth.Pass, Name: "client.elsewhere.example"}
			if c.what&noName != 0 {
				in.Reverse = auth.IPRev{Verdict: auth.Fail}
			}
			if c.what&badName != 0 {
				in.Helo = "pc"
			}
			if c.what&spf != 0 {
				z.txt["elsewhere.example"] = "v=spf1 -all"
			}
			h.accept(in)
			if got := len(h.got("alice", "Junk")) == 1; got != c.junk {
				t.Errorf("in Junk: got %v, want %v", got, c.junk)
			}
		})
	}
}
