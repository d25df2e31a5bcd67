package managesieve

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"cairn/services/accounts"
	"cairn/services/mail"
	"cairn/services/mail/login"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/scripts"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

const alicePassword = "correct horse battery"

var (
	root    = object.Signature{Name: "Root", Email: "root@localhost"}
	discard = slog.New(slog.DiscardHandler)
)

// A house is a server with alice in it.
type house struct {
	*Server
	t    testing.TB
	addr string
	app  string // an app password of alice's
}

func newHouse(t testing.TB, change func(*Server)) *house {
	t.Helper()
	repo := store.New(mem.New(), store.Options{})
	people := accounts.New(repo.Branch("accounts"))
	check(t, people.Add(t.Context(), root, "alice", alicePassword, true))
	app, err := people.NewAppPassword(t.Context(), root, "alice", "laptop")
	check(t, err)
	service := &mail.Service{Boxes: mailbox.Open(repo, mailbox.Options{Now: time.Now})}
	h := &house{t: t, app: app, Server: &Server{
		Login: &login.Login{Accounts: people}, Shelf: &scripts.Shelf{Mail: service}, Log: discard,
		TLS: &tls.Config{Certificates: []tls.Certificate{certificate(t)}},
	}}
	if change != nil {
		change(h.Server)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	h.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return h
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// patience is how long a client waits for what has to come: long, as test machines are slow.
const patience = 2 * time.Minute

// A client says and hears lines.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func (h *house) dial() *client {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.addr)
	check(h.t, err)
	conn.SetDeadline(time.Now().Add(patience))
	h.t.Cleanup(func() { conn.Close() })
	return &client{h.t, conn, bufio.NewReader(conn)}
}

func (c *client) write(s string) {
	c.t.Helper()
	_, err := io.WriteString(c.conn, s)
	check(c.t, err)
}

func (c *client) line() string {
	c.t.Helper()
	s, err := c.r.ReadString('\n')
	check(c.t, err)
	return strings.TrimSuffix(s, "\r\n")
}

// answer hears lines up to one that is OK, NO or BYE, and returns that.
func (c *client) answer() string {
	c.t.Helper()
	for {
		s := c.line()
		switch word, _, _ := strings.Cut(s, " "); word {
		case "OK", "NO", "BYE":
			return s
		}
	}
}

// do says a command and hears how it ends.
func (c *client) do(command string) string {
	c.t.Helper()
	c.write(command + "\r\n")
	return c.answer()
}

// rest is what comes until the connection ends.
func (c *client) rest() string {
	c.t.Helper()
	b, err := io.ReadAll(c.r)
	if err != nil && len(b) == 0 {
		return "" // reset, with what was on its way
	}
	return string(b)
}

// secure begins TLS.
func (c *client) secure() {
	c.t.Helper()
	conn := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	check(c.t, conn.Handshake())
	c.conn, c.r = conn, bufio.NewReader(conn)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
