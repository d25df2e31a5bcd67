package smtp

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/services/mail"
	"cairn/services/mail/login"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/queue"
	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A house is a mail service with some people, and servers on loopback.
type house struct {
	t         testing.TB
	repo      *store.Repo
	server    *Server
	mail      *mail.Service
	passwords map[string]string // user → app password
	roots     *x509.CertPool
}

// open makes a house with alice, bob and carol, who serve example.org.
func open(t testing.TB) *house { return openOn(t, mem.New()) }

func openOn(t testing.TB, b store.Backend) *house {
	t.Helper()
	h := wire(t, b)
	ctx := context.Background()
	for _, name := range []string{"alice", "bob", "carol"} {
		check(t, h.repo.Branch("accounts").Update(ctx, store.Change{Message: "Add " + name}, func(tx *store.Tx) error {
			return tx.Put("users/"+name+".toml", []byte("admin = true\n"))
		}))
		password, err := h.mail.Accounts.NewAppPassword(ctx, object.Signature{}, name, "test")
		check(t, err)
		h.passwords[name] = password
	}
	check(t, h.mail.Config.AddDomain(ctx, object.Signature{}, config.Domain{Name: "example.org", Aliases: map[string][]string{
		"info": {"alice", "bob"},
		"away": {"carol@elsewhere.example"},
	}}))
	return h
}

// wire makes a house of what there is in a repository.
func wire(t testing.TB, b store.Backend) *house {
	t.Helper()
	ctx := context.Background()
	repo := store.New(b, store.Options{})
	h := &house{t: t, repo: repo, passwords: map[string]string{}, roots: x509.NewCertPool()}
	sec, err := secrets.Open(repo.Branch("secrets"), [32]byte{1})
	check(t, err)
	conf := config.Open(repo.Branch("config"))
	people := accounts.New(repo.Branch("accounts"))
	h.mail = &mail.Service{
		Repo: repo, Accounts: people, Config: conf, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Boxes: mailbox.Open(repo, mailbox.Options{Now: time.Now, Quota: func(user string) mailbox.Quota {
			m, err := conf.Mail(ctx)
			if err != nil {
				return mailbox.Quota{}
			}
			return mailbox.Quota{Bytes: m.QuotaOf(user)}
		}}),
		Queue: queue.Open(repo, sec, queue.Options{Hostname: func() string { return "mail.example.org" }}),
	}
	h.server = &Server{
		Mail: h.mail, Login: &login.Login{Accounts: people, Name: h.mail.LoginName}, Log: h.mail.Log,
		TLS:    &tls.Config{Certificates: []tls.Certificate{h.certificate()}},
		Limits: Limits{Tarpit: -1, UserMessages: 1e6, UserRecipients: 1e6},
	}
	return h
}

// listen serves on loopback until the test ends and returns the address.
func (h *house) listen(kind Kind) string {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(h.t, err)
	return h.serve(l, kind)
}

func (h *house) serve(l net.Listener, kind Kind) string {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.server.Serve(ctx, l, kind) }()
	h.t.Cleanup(func() {
		cancel()
		check(h.t, <-done)
	})
	return l.Addr().String()
}

func (h *house) certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(h.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example.org"}, DNSNames: []string{"mail.example.org", "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(h.t, err)
	cert, err := x509.ParseCertificate(der)
	check(h.t, err)
	h.roots.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// got returns the messages in a mailbox, as they are served, oldest first.
func (h *house) got(user, box string) []string {
	h.t.Helper()
	s, err := h.mail.Boxes.Box(user).Snapshot(context.Background())
	check(h.t, err)
	m, err := s.Mailbox(box)
	check(h.t, err)
	var all []string
	for _, msg := range m.From(0) {
		c, err := m.Content(context.Background(), msg)
		check(h.t, err)
		all = append(all, string(c.Bytes()))
	}
	return all
}

// queued returns what waits to be carried away.
func (h *house) queued() []queue.Item {
	h.t.Helper()
	var all []queue.Item
	for item, err := range h.mail.Queue.List(context.Background()) {
		check(h.t, err)
		all = append(all, item)
	}
	slices.SortFunc(all, func(a, b queue.Item) int { return strings.Compare(a.To[0].Address, b.To[0].Address) })
	return all
}

// A talk is a client that says what it is told to.
type talk struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func dial(t testing.TB, addr string) *talk {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	check(t, err)
	return newTalk(t, conn)
}

func newTalk(t testing.TB, conn net.Conn) *talk {
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	return &talk{t, conn, bufio.NewReader(conn)}
}

// send writes as it is.
func (c *talk) send(s string) {
	c.t.Helper()
	_, err := io.WriteString(c.conn, s)
	check(c.t, err)
}

// reply reads one reply, with its lines joined by a space.
func (c *talk) reply() string {
	c.t.Helper()
	var all []string
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("no reply: %v (so far %q)", err, all)
		}
		line = strings.TrimRight(line, "\r\n")
		all = append(all, line)
		if len(line) < 4 || line[3] != '-' {
			return strings.Join(all, " ")
		}
	}
}

// do says a line and expects a reply that begins with want.
func (c *talk) do(line, want string) string {
	c.t.Helper()
	c.send(line + "\r\n")
	return c.want(want, line)
}

func (c *talk) want(want string, after ...string) string {
	c.t.Helper()
	got := c.reply()
	if !strings.HasPrefix(got, want) {
		c.t.Fatalf("after %q: got %q, want %q", after, got, want)
	}
	return got
}

// gone expects the end of the connection.
func (c *talk) gone() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err != io.EOF {
		c.t.Fatalf("got %q, %v; want the end of the connection", b, err)
	}
}

// startTLS goes on under TLS.
func (c *talk) startTLS(h *house) tls.ConnectionState {
	c.t.Helper()
	c.do("STARTTLS", "220")
	return c.shake(h)
}

func (c *talk) shake(h *house) tls.ConnectionState {
	c.t.Helper()
	conn := tls.Client(c.conn, &tls.Config{RootCAs: h.roots, ServerName: "mail.example.org"})
	check(c.t, conn.Handshake())
	c.conn, c.r = conn, bufio.NewReader(conn)
	return conn.ConnectionState()
}

const letter = "From: Bob <bob@elsewhere.example>\r\nTo: alice@example.org\r\nSubject: hello\r\n\r\nHow are you?\r\n.. two dots\r\n"

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// alias adds an alias to example.org.
func (h *house) alias(t testing.TB, local string, to ...string) {
	t.Helper()
	check(t, h.mail.Config.EditDomain(context.Background(), object.Signature{}, "example.org", "Add an alias", func(d *config.Domain) error {
		d.Aliases[local] = to
		return nil
	}))
}

// pem writes the certificate into a file.
func (h *house) pem(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "roots.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: h.server.TLS.Certificates[0].Certificate[0]}
	check(t, os.WriteFile(name, pem.EncodeToMemory(block), 0o600))
	return name
}

func newReader(conn net.Conn) *bufio.Reader { return bufio.NewReader(conn) }

func mustAddr(ip string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(ip), 25) }

// submit logs alice in.
func (h *house) submit(t testing.TB) *talk {
	t.Helper()
	c := dial(t, h.listen(Submission))
	c.want("220")
	c.do("EHLO laptop", "250")
	c.do("AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00alice\x00"+h.passwords["alice"])), "235")
	return c
}
