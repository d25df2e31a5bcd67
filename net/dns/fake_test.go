package dns_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	wire "github.com/miekg/dns"

	"cairn/net/dns"
)

// A fake is a set of servers in memory. answer is called for each question and returns the
// datagrams, or TCP messages, that come back; none means silence.
type fake struct {
	answer func(network string, server netip.AddrPort, q *wire.Msg) [][]byte
	after  time.Duration // what an answer takes

	mu    sync.Mutex
	asked []asked
	open  int // connections
}

// asked is a question as a server saw it.
type asked struct {
	network string
	server  netip.AddrPort
	at      time.Time
	msg     *wire.Msg
}

func (f *fake) questions() []asked {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]asked(nil), f.asked...)
}

func (f *fake) dial(_ context.Context, network string, server netip.AddrPort) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open++
	return &fakeConn{fake: f, network: network, server: server, arrived: make(chan []byte, 100), expired: make(chan struct{})}, nil
}

// resolver asks the servers of a fake.
func (f *fake) resolver(o dns.Options, servers ...string) *dns.Resolver {
	var all []netip.AddrPort
	for _, s := range servers {
		all = append(all, netip.MustParseAddrPort(s))
	}
	if o.Servers == nil {
		o.Servers = func() []netip.AddrPort { return all }
	}
	o.Dial = f.dial
	return dns.New(o)
}

// fakeConn is a connection to a server of a fake. It expires when a deadline in the past is set.
type fakeConn struct {
	net.Conn
	fake    *fake
	network string
	server  netip.AddrPort
	arrived chan []byte
	rest    []byte // of a TCP stream
	once    sync.Once
	expired chan struct{}
}

func (c *fakeConn) Write(p []byte) (int, error) {
	body := p
	if c.network == "tcp" {
		body = p[2:]
	}
	m := new(wire.Msg)
	if err := m.Unpack(body); err != nil {
		return 0, err
	}
	c.fake.mu.Lock()
	c.fake.asked = append(c.fake.asked, asked{c.network, c.server, time.Now(), m})
	c.fake.mu.Unlock()
	for _, b := range c.fake.answer(c.network, c.server, m) {
		if c.network == "tcp" {
			b = append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
		}
		c.arrived <- b
	}
	return len(p), nil
}

func (c *fakeConn) Read(p []byte) (int, error) {
	if len(c.rest) > 0 {
		n := copy(p, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	if c.fake.after > 0 {
		select {
		case <-time.After(c.fake.after):
		case <-c.expired:
			return 0, os.ErrDeadlineExceeded
		}
	}
	select {
	case b := <-c.arrived:
		n := copy(p, b)
		if c.network == "tcp" {
			c.rest = b[n:]
		}
		return n, nil
	case <-c.expired:
		return 0, os.ErrDeadlineExceeded
	}
}

func (c *fakeConn) Close() error {
	c.fake.mu.Lock()
	defer c.fake.mu.Unlock()
	c.fake.open--
	return nil
}

func (c *fakeConn) SetDeadline(t time.Time) error {
	if t.Before(time.Now()) {
		c.once.Do(func() { close(c.expired) })
	}
	return nil
}

// reply makes the answer to a question from lines of a zone; those that begin with SOA go
// into the authority section.
func reply(q *wire.Msg, rcode int, lines ...string) *wire.Msg {
	m := new(wire.Msg).SetRcode(q, rcode)
	m.RecursionAvailable = true
	for _, line := range lines {
		rr, err := wire.NewRR(line)
		if err != nil {
			panic(err)
		}
		if rr.Header().Rrtype == wire.TypeSOA {
			m.Ns = append(m.Ns, rr)
		} else {
			m.Answer = append(m.Answer, rr)
		}
	}
	return m
}

func pack(all ...*wire.Msg) [][]byte {
	var packed [][]byte
	for _, m := range all {
		b, err := m.Pack()
		if err != nil {
			panic(err)
		}
		packed = append(packed, b)
	}
	return packed
}

// always answers every question in the same way, over UDP and TCP.
func always(rcode int, lines ...string) *fake {
	return &fake{answer: func(_ string, _ netip.AddrPort, q *wire.Msg) [][]byte {
		return pack(reply(q, rcode, lines...))
	}}
}

// lookup4 looks up the IPv4 addresses of www.example.
func lookup4(t *testing.T, r *dns.Resolver) (string, error) {
	t.Helper()
	found, err := r.LookupNetIP(t.Context(), "ip4", "www.example")
	var b bytes.Buffer
	for i, a := range found {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(a.String())
	}
	return b.String(), err
}
