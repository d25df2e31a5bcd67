package queue

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/mem"
)

// A world is a DNS and hosts that connections can be made to, all in memory, so that tests run under
// synctest.
type world struct {
	mu    sync.Mutex
	mx    map[string][]*net.MX
	hosts map[string][]netip.Addr
	txt   map[string][]string
	dials []string
	// listeners by address and port; one that is absent refuses connections.
	listeners map[string]*pipes
	dnsError  error
}

func newWorld() *world {
	return &world{mx: map[string][]*net.MX{}, hosts: map[string][]netip.Addr{}, txt: map[string][]string{}, listeners: map[string]*pipes{}}
}

// serve gives a domain one host, "mx." and the domain, at an address of its own.
func (w *world) serve(t testing.TB, domain, address string, b *sink) *smtp.Server {
	t.Helper()
	w.mu.Lock()
	w.mx[domain] = append(w.mx[domain], &net.MX{Host: "mx." + domain + ".", Pref: 10})
	w.hosts["mx."+domain] = append(w.hosts["mx."+domain], netip.MustParseAddr(address))
	w.mu.Unlock()
	return w.listen(t, net.JoinHostPort(address, "25"), b)
}

// listen has a server at an address and port.
func (w *world) listen(t testing.TB, at string, b *sink) *smtp.Server {
	t.Helper()
	s := smtp.NewServer(b)
	s.Domain = "mx.test"
	s.AllowInsecureAuth = true
	s.EnableSMTPUTF8 = !b.old
	s.EnableDSN = b.dsn
	s.EnableREQUIRETLS = b.tls != nil
	s.TLSConfig = b.tls
	s.MaxMessageBytes = b.limit
	s.ErrorLog = quiet{}
	go s.Serve(w.raw(t, at))
	t.Cleanup(func() { s.Close() })
	return s
}

// raw returns a listener at an address and port.
func (w *world) raw(t testing.TB, at string) net.Listener {
	p := &pipes{at: at, conns: make(chan net.Conn), closed: make(chan struct{})}
	t.Cleanup(func() { p.Close() })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listeners[at] = p
	return p
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// pipes is a listener in memory.
type pipes struct {
	at     string
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

var errRefused = errors.New("connection refused")

func (w *world) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	w.dials = append(w.dials, address)
	p := w.listeners[address]
	w.mu.Unlock()
	if p == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errRefused}
	}
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, &net.OpError{Op: "dial", Net: network, Err: errRefused}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// dialled returns the addresses that connections were made to.
func (w *world) dialled() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.dials)
}

func lookup[T any](w *world, m map[string][]T, name string) ([]T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dnsError != nil {
		return nil, w.dnsError
	}
	if found := m[strings.TrimSuffix(name, ".")]; len(found) > 0 {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (w *world) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return lookup(w, w.mx, name)
}

func (w *world) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return lookup(w, w.hosts, host)
}

func (w *world) LookupTXT(_ context.Context, name string) ([]string, error) {
	return lookup(w, w.txt, name)
}

// A sink is a server that keeps what it gets. Its hooks, when set, answer instead of it.
type sink struct {
	old   bool // knows no SMTPUTF8
	dsn   bool
	limit int64
	tls   *tls.Config

	mu       sync.Mutex
	got      []mailed
	sessions int

	onMail func(from string) error
	onRcpt func(to string) error
	onData func(from string, to []string, data []byte) error
	login  func(user, password string) error
	auth   *mechanic
}

// A mechanic is a mechanism by which a sink lets alice log in whose password is "secret".
type mechanic struct {
	name   string
	server func() (sasl.Server, error)
}

type mailed struct {
	From    string
	To      []string
	Data    string
	Options smtp.MailOptions
	Rcpt    []smtp.RcptOptions
	TLS     bool
	User    string
	At      time.Time
}

// all returns what has come so far.
func (s *sink) all() []mailed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]mailed(nil), s.got...)
}

// recipients counts how often each recipient got something.
func (s *sink) recipients() map[string]int {
	n := map[string]int{}
	for _, m := range s.all() {
		for _, to := range m.To {
			n[to]++
		}
	}
	return n
}

func (s *sink) NewSession(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	s.sessions++
	s.mu.Unlock()
	return &session{sink: s, conn: c}, nil
}

type session struct {
	*sink
	conn *smtp.Conn
	mail mailed
}

func (s *session) Reset()        { s.mail = mailed{User: s.mail.User} }
func (s *session) Logout() error { return nil }

func (s *session) AuthMechanisms() []string {
	if s.sink.login == nil {
		return nil
	}
	if s.auth != nil {
		return []string{s.auth.name, "NTLM"}
	}
	return []string{"NTLM", sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	if s.auth != nil {
		s.mail.User = "alice"
		return s.auth.server()
	}
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.mail.User = user
		return s.sink.login(user, password)
	}), nil
}

func (s *session) Mail(from string, o *smtp.MailOptions) error {
	s.mail.From, s.mail.Options = from, *o
	if s.onMail != nil {
		return s.onMail(from)
	}
	return nil
}

func (s *session) Rcpt(to string, o *smtp.RcptOptions) error {
	if s.onRcpt != nil {
		if err := s.onRcpt(to); err != nil {
			return err
		}
	}
	s.mail.To = append(s.mail.To, to)
	s.mail.Rcpt = append(s.mail.Rcpt, *o)
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.onData != nil {
		if err := s.onData(s.mail.From, s.mail.To, data); err != nil {
			return err
		}
	}
	s.mail.Data = string(data)
	_, s.mail.TLS = s.conn.TLSConnectionState()
	s.mail.At = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, s.mail)
	return nil
}

// A house is a repository with a queue that may run.
type house struct {
	t       testing.TB
	world   *world
	backend store.Backend
	repo    *store.Repo
	o       Options
	q       *Queue
	cancel  context.CancelFunc
	done    chan error
	inbox   []mailed // what was delivered here
	mu      sync.Mutex
}

var testSeed = [32]byte{7}

// newHouse returns one whose queue does not run yet.
func newHouse(t testing.TB, w *world, b store.Backend) *house {
	t.Helper()
	h := &house{t: t, world: w, backend: b}
	h.o = Options{
		Hostname: func() string { return "mail.home.test" }, Resolver: w, Dial: w.Dial, Sole: true,
		Allow:   func(netip.Addr) bool { return true },
		Local:   func(_ context.Context, domain string) (bool, error) { return domain == "home.test", nil },
		Deliver: h.deliver,
		Log:     slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	h.open()
	return h
}

// open makes the queue anew, as a start of the program does.
func (h *house) open() {
	h.t.Helper()
	h.repo = store.New(h.backend, store.Options{})
	s, err := secrets.Open(h.repo.Branch("secrets"), testSeed)
	if err != nil {
		h.t.Fatal(err)
	}
	h.q = Open(h.repo, s, h.o)
}

func (h *house) start() {
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel, h.done = cancel, make(chan error, 1)
	q, done := h.q, h.done
	go func() { done <- q.Run(ctx) }()
	h.t.Cleanup(cancel)
}

// stop ends the Run and waits for that.
func (h *house) stop() {
	h.t.Helper()
	h.cancel()
	if err := <-h.done; err != nil {
		h.t.Errorf("run: %v", err)
	}
}

func (h *house) deliver(_ context.Context, from string, to []string, raw []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inbox = append(h.inbox, mailed{From: from, To: to, Data: string(raw), At: time.Now()})
	return nil
}

// mail returns what was delivered here.
func (h *house) mail() []mailed {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]mailed(nil), h.inbox...)
}

const text = "From: alice@home.test\r\nTo: bob@example.test\r\nSubject: lunch\r\nMessage-ID: <1@home.test>\r\n\r\nAt noon.\r\n.\r\n..\r\n"

// letter returns a message from alice.
func letter(to ...string) Message {
	m := Message{From: "alice@home.test", Raw: []byte(text)}
	for _, a := range to {
		m.To = append(m.To, Recipient{Address: a})
	}
	return m
}

func (h *house) put(m Message) string {
	h.t.Helper()
	var id string
	err := h.repo.Branch(Branch).Update(h.t.Context(), store.Change{Message: "put"}, func(tx *store.Tx) (err error) {
		id, err = h.q.Put(tx, m)
		return err
	})
	if err != nil {
		h.t.Fatalf("put: %v", err)
	}
	return id
}

// list returns what waits.
func (h *house) list() []Item {
	h.t.Helper()
	var all []Item
	for i, err := range h.q.List(context.Background()) {
		if err != nil {
			h.t.Fatalf("list: %v", err)
		}
		all = append(all, i)
	}
	return all
}

// empty waits until nothing waits any more.
func (h *house) empty() {
	h.t.Helper()
	until(h.t, "an empty queue", func() bool { return len(h.list()) == 0 })
}

// until polls. Under synctest its minutes are no time.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// testLog writes what is logged to the test's log.
type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

func newBackend() store.Backend { return mem.New() }

func addresses(n int, domain string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("user%d@%s", i, domain)
	}
	return all
}
