package auth

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// A nameserver serves a zone on loopback.
type nameserver struct {
	udp, tcp string // addresses
}

func serve(t *testing.T, z dns.Handler) nameserver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{PacketConn: pc, Handler: z}, {Listener: l, Handler: z}} {
		started, done := make(chan bool), make(chan error)
		s.NotifyStartedFunc = func() { close(started) }
		go func() { done <- s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			s.Shutdown()
			<-done
		})
	}
	return nameserver{pc.LocalAddr().String(), l.Addr().String()}
}

func (n nameserver) port() string {
	_, port, _ := net.SplitHostPort(n.tcp)
	return port
}

// resolver is Go's, asking this server only.
func (n nameserver) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		addr := n.udp
		if strings.HasPrefix(network, "tcp") {
			addr = n.tcp
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
}

// ServeDNS answers from the zone: SERVFAIL for the names that fail, and long
// answers over TCP only.
func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(q)
	m.Compress = true
	question := q.Question[0]
	name := strings.ToLower(strings.TrimSuffix(question.Name, "."))
	texts := map[uint16][]string{dns.TypeTXT: z.txt[name], dns.TypeMX: z.mx[name], dns.TypePTR: z.ptr[unreverse(name)]}
	known := false
	for _, all := range texts {
		known = known || len(all) > 0
	}
	for _, s := range texts[question.Qtype] {
		h := dns.RR_Header{Name: question.Name, Rrtype: question.Qtype, Class: dns.ClassINET, Ttl: 1}
		switch question.Qtype {
		case dns.TypeTXT:
			var parts []string
			for ; len(s) > 255; s = s[255:] {
				parts = append(parts, s[:255])
			}
			m.Answer = append(m.Answer, &dns.TXT{Hdr: h, Txt: append(parts, s)})
		case dns.TypeMX:
			m.Answer = append(m.Answer, &dns.MX{Hdr: h, Preference: 10, Mx: s + "."})
		case dns.TypePTR:
			m.Answer = append(m.Answer, &dns.PTR{Hdr: h, Ptr: s + "."})
		}
	}
	for _, s := range z.ip[name] {
		known = true
		h := dns.RR_Header{Name: question.Name, Rrtype: question.Qtype, Class: dns.ClassINET, Ttl: 1}
		ip := net.ParseIP(s)
		switch {
		case question.Qtype == dns.TypeA && ip.To4() != nil:
			m.Answer = append(m.Answer, &dns.A{Hdr: h, A: ip})
		case question.Qtype == dns.TypeAAAA && ip.To4() == nil:
			m.Answer = append(m.Answer, &dns.AAAA{Hdr: h, AAAA: ip})
		}
	}
	switch {
	case z.fail[name]:
		m.Rcode, m.Answer = dns.RcodeServerFailure, nil
	case !known:
		m.Rcode = dns.RcodeNameError
	}
	if w.LocalAddr().Network() == "udp" {
		m.Truncate(512)
	}
	w.WriteMsg(m)
}

// unreverse returns the address whose reverse name this is, of IPv4 only.
func unreverse(name string) string {
	name, ok := strings.CutSuffix(name, ".in-addr.arpa")
	p := strings.Split(name, ".")
	if !ok || len(p) != 4 {
		return ""
	}
	return p[3] + "." + p[2] + "." + p[1] + "." + p[0]
}

const python = "/usr/bin/python3" // Debian's, which has Debian's packages

// A judge is testdata/judge.py, and so Debian's python3-dkim and its kin.
type judge struct {
	t   *testing.T
	dir string
	in  *json.Encoder
	out *json.Decoder
}

func newJudge(t *testing.T, n nameserver) judge {
	t.Helper()
	if err := exec.Command(python, "-c", "import dkim, nacl, dns, authres, spf").Run(); err != nil {
		missing(t, "one of python3-dkim python3-nacl python3-authres python3-spf python3-dnspython")
	}
	cmd := exec.Command(python, "testdata/judge.py", n.port())
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1"}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	return judge{t, t.TempDir(), json.NewEncoder(in), json.NewDecoder(out)}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CAIRN_CI") == "1" {
		t.Fatalf("%s is not installed", what)
	}
	t.Skipf("%s is not installed", what)
}

func (j judge) ask(raw []byte, do string, args ...string) string {
	j.t.Helper()
	question := struct {
		Do   string   `json:"do"`
		Raw  []byte   `json:"raw"`
		Args []string `json:"args"`
	}{do, raw, args}
	var answer string
	if err := j.in.Encode(question); err != nil {
		j.t.Fatal(err)
	}
	if err := j.out.Decode(&answer); err != nil {
		j.t.Fatalf("%s: %v", do, err)
	}
	return answer
}

// keyFile writes a key as python3-dkim reads it.
func (j judge) keyFile(k Key) string {
	j.t.Helper()
	var data []byte
	switch key := k.Key.(type) {
	case *rsa.PrivateKey:
		data = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	case ed25519.PrivateKey:
		data = []byte(base64.StdEncoding.EncodeToString(key.Seed()))
	}
	name := filepath.Join(j.dir, k.Selector)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		j.t.Fatal(err)
	}
	return name
}

// pemFile writes a key as everybody else reads it.
func pemFile(t *testing.T, k Key) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k.Key)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

var specimens = map[string][]byte{
	"plain":    plain,
	"no body":  lines("From: alice@example.org\nSubject: nothing\n\n"),
	"one line": []byte("From: alice@example.org\r\n\r\nno line end"),
	"white":    lines("From:  Alice\t<alice@example.org> \nSubject:  a\n\t  b  \nTO: bob@example.net\n\n \n\t\n a  b \t c\t\n\n \n"),
	"twice":    lines("From: alice@example.org\nReceived: a\nReceived: b\nList-Id: x\nList-Id: y\nSubject: one\nSubject: two\n\nbody\n"),
	"utf8":     lines("From: alice@example.org\nSubject: Grüße\n\nGrüße\n"),
}

func TestJudgeVerifies(t *testing.T) {
	z := &zone{}
	s := testSigner("example.org")
	z.publish(t, s)
	j := newJudge(t, serve(t, z))
	for name, raw := range specimens {
		fields, err := s.Sign(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := j.ask(append(fields, raw...), "verify"), "pass pass"; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		changed := bytes.Replace(append(fields, raw...), []byte("alice@"), []byte("malice@"), 1)
		if got, want := j.ask(changed, "verify"), "fail fail"; got != want {
			t.Errorf("%s, changed: got %s, want %s", name, got, want)
		}
	}
}

func TestJudgeSigns(t *testing.T) {
	z := &zone{}
	s := testSigner("example.org")
	z.publish(t, s)
	n := serve(t, z)
	j := newJudge(t, n)
	c := &Checker{Resolver: n.resolver(), ID: "mx.example.net"}
	for name, raw := range specimens {
		for i, k := range s.Keys {
			head, body := []string{"relaxed", "simple"}[i], []string{"simple", "relaxed"}[i]
			field := j.ask(raw, "sign", s.Domain, k.Selector, j.keyFile(k), algorithm(k.Key.Public()), head, body, "")
			r := c.Check(t.Context(), testSource, append([]byte(field), raw...))
			if got, want := verdicts(r.DKIM), "pass"; got != want {
				t.Errorf("%s, %s/%s: got %s, want %s: %+v\n%s", name, head, body, got, want, r.DKIM, field)
			}
		}
	}
}

// TestJudgeLength has l= of the whole body pass, and of a part of it fail.
func TestJudgeLength(t *testing.T) {
	z := &zone{}
	s := testSigner("example.org")
	z.publish(t, s)
	n := serve(t, z)
	j := newJudge(t, n)
	c := &Checker{Resolver: n.resolver(), ID: "mx.example.net"}
	field := []byte(j.ask(plain, "sign", s.Domain, "rsa", j.keyFile(s.Keys[0]), "rsa-sha256", "relaxed", "relaxed", "l"))
	whole := append(field, plain...)
	if r := c.Check(t.Context(), testSource, whole); r.DKIM[0].Verdict != Pass || r.DKIM[0].Reason == "" {
		t.Errorf("whole: got %+v, want pass with a note", r.DKIM)
	}
	longer := append(bytes.TrimRight(whole, "\r\n"), "\r\nmore\r\n"...)
	if got, want := j.ask(longer, "verify"), "pass"; got != want {
		t.Errorf("the judge, longer: got %s, want %s", got, want)
	}
	if r := c.Check(t.Context(), testSource, longer); r.DKIM[0].Verdict != Fail {
		t.Errorf("longer: got %+v, want fail", r.DKIM)
	}
}

// TestJudgeARC passes a message through seven hands, ours and the judge's in turn.
func TestJudgeARC(t *testing.T) {
	z := &zone{ip: map[string][]string{"mail.example.org": {"192.0.2.1"}}, ptr: map[string][]string{"192.0.2.1": {"mail.example.org"}}}
	author, hop, theirs := testSigner("example.org"), testSigner("hop.example"), testSigner("theirs.example")
	for _, s := range []*Signer{author, hop, theirs} {
		z.publish(t, s)
	}
	n := serve(t, z)
	j := newJudge(t, n)
	c := &Checker{Resolver: n.resolver(), ID: "mx.example.net"}
	fields, err := author.Sign(plain)
	if err != nil {
		t.Fatal(err)
	}
	raw := append(fields, plain...)
	for i := range 7 {
		r := c.Check(t.Context(), testSource, raw)
		want := Pass
		if i == 0 {
			want = None
		}
		if r.ARC.Verdict != want || len(r.ARC.Sets) != i || r.ARC.Oldest != 0 {
			t.Fatalf("hop %d: got %+v, want %s", i, r.ARC, want)
		}
		if got := j.ask(raw, "arcverify"); got != string(want) {
			t.Fatalf("hop %d: the judge says %s, want %s", i, got, want)
		}
		var set []byte
		if i%2 == 0 {
			if set, err = hop.Seal(raw, r); err != nil {
				t.Fatal(err)
			}
		} else {
			sealed := append(r.Header(), raw...)
			set = []byte(j.ask(sealed, "arcsign", theirs.Domain, "rsa", j.keyFile(theirs.Keys[0]), "mx.example.net"))
		}
		raw = append(set, raw...)
	}
	broken := bytes.Replace(raw, []byte("four"), []byte("five"), 1)
	r := c.Check(t.Context(), testSource, broken)
	if got, want := j.ask(broken, "arcverify"), "fail"; got != want || r.ARC.Verdict != Fail {
		t.Errorf("broken: we say %s, the judge %s, want %s", r.ARC.Verdict, got, want)
	}
	set, err := hop.Seal(broken, r)
	if err != nil {
		t.Fatal(err)
	}
	ended := append(set, broken...)
	if r := c.Check(t.Context(), testSource, ended); r.ARC.Verdict != Fail {
		t.Errorf("ended: got %+v, want fail", r.ARC)
	}
	if got, want := j.ask(ended, "arcverify"), "ended"; got != want {
		t.Errorf("the judge, ended: got %s, want %s", got, want)
	}
}

func TestJudgeResults(t *testing.T) {
	z := &zone{}
	n := serve(t, z)
	j := newJudge(t, n)
	s := testSigner("example.org")
	z.publish(t, s)
	fields, err := s.Sign(plain)
	if err != nil {
		t.Fatal(err)
	}
	from := testSource
	from.MailFrom = `"a b"; dkim=pass` + "\r\nX: y (" + strconv.Itoa(1) + ")@example.org"
	r := testChecker(z).Check(t.Context(), from, append(fields, plain...))
	t.Logf("%s", r.Header())
	got := strings.Split(strings.TrimSpace(j.ask(r.Header(), "authres")), "\n")
	if len(got) != 7 || got[0] != "mx.example.net" || !strings.HasPrefix(got[2], "spf none smtp.mailfrom=") || !strings.HasPrefix(got[4], "dkim pass header.d=example.org header.i=@example.org") {
		t.Errorf("the judge read %q", got)
	}
}
