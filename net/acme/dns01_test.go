package acme

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mholt/acmez/v3/acme"
	"github.com/miekg/dns"
)

// The updates are taken by Knot DNS, which somebody else has written.
func TestKnot(t *testing.T) {
	t.Parallel()
	server := knot(t)
	l := newLabAt(t, 90*days, server)
	m := l.manager(func(o *Options) {
		o.HTTP01, o.TLSALPN01 = false, false
		o.DNS01 = &DNS01{Server: server, Key: keyName, Secret: keySecret}
		o.Names = []string{"*.example.org", "www.sub.example.org"}
	})
	l.run(m)
	l.await(m)
	l.leaf("mail.example.org", l.pebble.roots())
	l.leaf("www.sub.example.org", l.pebble.roots())

	s := &dnsSolver{conf: m.opts.DNS01, net: loopbackNet{}, log: m.log}
	ch := challengeFor("example.org", "a token")
	visible := func(want bool) {
		t.Helper()
		eventually(t, fmt.Sprintf("the record is there: %v", want), func() bool {
			got, err := s.visible(t.Context(), server, ch)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			return got == want
		})
	}
	visible(false)
	if err := s.Present(t.Context(), ch); err != nil {
		t.Fatal(err)
	}
	visible(true)
	other := challengeFor("example.org", "another token")
	if err := errors.Join(s.Present(t.Context(), other), s.CleanUp(t.Context(), other)); err != nil {
		t.Fatal(err)
	}
	visible(true)
	if err := s.CleanUp(t.Context(), ch); err != nil {
		t.Fatal(err)
	}
	visible(false)

	for what, conf := range map[string]DNS01{
		"another secret": {Server: server, Key: keyName, Secret: "d3Jvbmc="},
		"another key":    {Server: server, Key: "nobody.", Secret: keySecret},
	} {
		s := &dnsSolver{conf: &conf, net: loopbackNet{}, log: m.log}
		if err := s.Present(t.Context(), ch); err == nil {
			t.Errorf("update with %s: got no error", what)
		}
	}
	if err := s.Present(t.Context(), challengeFor("example.net", "a token")); err == nil {
		t.Error("update of a zone that the server does not have: got no error")
	}
	visible(false)
}

func challengeFor(name, token string) acme.Challenge {
	return acme.Challenge{
		Type:             acme.ChallengeTypeDNS01,
		Token:            token,
		KeyAuthorization: token + ".thumbprint",
		Identifier:       acme.Identifier{Type: "dns", Value: name},
	}
}

// knot runs Knot DNS as the primary of the zone example.org, and returns its
// address. A port is not looked for: there are 2²⁴ addresses to take one of.
func knot(t testing.TB) string {
	t.Helper()
	binary, err := exec.LookPath("knotd")
	if err != nil {
		binary, err = exec.LookPath("/usr/sbin/knotd")
	}
	if err != nil {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatalf("Knot DNS is needed (Debian's package knot): %v", err)
		}
		t.Skipf("Knot DNS is not there: %v", err)
	}
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.N(254), rand.N(256), 1+rand.N(254))
	folder := t.TempDir()
	write := func(name, content string) string {
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write("example.org.zone", `$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
@ A 127.0.0.1
* A 127.0.0.1
*.sub A 127.0.0.1
`)
	conf := write("knot.conf", fmt.Sprintf(`
server:
    rundir: %[1]q
    listen: %[2]s@5300
log:
  - target: stderr
    any: info
database:
    storage: %[1]q
key:
  - id: %[3]s
    algorithm: hmac-sha256
    secret: %[4]s
acl:
  - id: update
    key: %[3]s
    action: update
zone:
  - domain: example.org
    storage: %[1]q
    file: example.org.zone
    acl: update
`, folder, host, keyName, keySecret))
	log := &output{}
	cmd := exec.Command(binary, "-c", conf)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = []string{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("knot:\n%s", log)
		}
	})
	address := host + ":5300"
	s := &dnsSolver{net: loopbackNet{}}
	eventually(t, "Knot answers", func() bool {
		m := new(dns.Msg)
		m.SetQuestion(zone, dns.TypeSOA)
		_, err := s.exchange(t.Context(), address, m, false)
		return err == nil
	})
	return address
}

// An answer counts only if it is to our question, and signed where we signed.
func TestJudge(t *testing.T) {
	question := new(dns.Msg)
	question.SetUpdate(zone)
	for _, c := range []struct {
		what string
		edit func(*dns.Msg)
		want error // nil: any error
	}{
		{"another id", func(m *dns.Msg) { m.Id++ }, nil},
		{"no answer", func(m *dns.Msg) { m.Response = false }, nil},
		{"not signed", func(m *dns.Msg) { m.Extra = nil }, errUnsigned},
		{"not signed, a failure", func(m *dns.Msg) { m.Extra, m.Rcode = nil, dns.RcodeNameError }, errUnsigned},
		{"no such name", func(m *dns.Msg) { m.Rcode = dns.RcodeNameError }, fs.ErrNotExist},
		{"refused", func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }, nil},
		{"key refused", func(m *dns.Msg) { m.IsTsig().Error = dns.RcodeBadKey }, nil},
	} {
		answer := new(dns.Msg)
		answer.SetReply(question)
		answer.SetTsig(keyName, dns.HmacSHA256, 300, 0)
		if err := judge(question, answer, true, nil); err != nil {
			t.Errorf("a good answer: %v", err)
		}
		c.edit(answer)
		if err := judge(question, answer, true, nil); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want an error (%v)", c.what, err, c.want)
		}
	}
}
