package dns

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// udpSize is how large an answer by UDP may be, in bytes: what passes without being
// cut on every link. Some servers send more than they were asked to.
const (
	udpSize   = 1232
	udpBuffer = 4096
)

// maxWrong is how many wrong answers by UDP are heard. More are an attack, which TCP
// withstands (RFC 5452 §9.3).
const maxWrong = 20

// errTruncated says that the answer has to be asked for by TCP.
var errTruncated = errors.New("truncated")

// exchange asks one server within d and returns its answer, not a refusal.
func (r *Resolver) exchange(ctx context.Context, server netip.AddrPort, q question, d time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	m, err := r.attempt(ctx, server, q, true)
	if refused := (refusal{}); errors.As(err, &refused) && noEDNS[refused.rcode] {
		m, err = r.attempt(ctx, server, q, false)
	}
	if err != nil {
		return nil, err
	}
	r.judge(server, true)
	return m, nil
}

// noEDNS are the answers of servers that do not know EDNS0 (RFC 6891 §7).
var noEDNS = map[int]bool{dns.RcodeFormatError: true, dns.RcodeNotImplemented: true, dns.RcodeBadVers: true}

// attempt asks by UDP, and by TCP if need be.
func (r *Resolver) attempt(ctx context.Context, server netip.AddrPort, q question, edns bool) (*dns.Msg, error) {
	m, err := r.talk(ctx, "udp", server, q, edns)
	if errors.Is(err, errTruncated) {
		m, err = r.talk(ctx, "tcp", server, q, edns)
	}
	if err != nil {
		return nil, err
	}
	if err := accept(m); err != nil {
		return nil, err
	}
	return m, nil
}

// talk sends a question over a connection of its own and waits for the answer.
func (r *Resolver) talk(ctx context.Context, network string, server netip.AddrPort, q question, edns bool) (*dns.Msg, error) {
	conn, err := r.opts.Dial(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	asked := r.compose(q, edns)
	packed, err := asked.Pack()
	if err != nil {
		return nil, err
	}
	if network == "udp" {
		return talkUDP(conn, asked, packed)
	}
	return talkTCP(conn, asked, packed)
}

// compose makes the message that asks a question, under a random id.
func (r *Resolver) compose(q question, edns bool) *dns.Msg {
	var id [2]byte
	rand.Read(id[:])
	name := q.name
	if r.opts.MixCase {
		name = mixCase(name)
	}
	m := &dns.Msg{Question: []dns.Question{{Name: name, Qtype: q.qtype, Qclass: dns.ClassINET}}}
	m.Id = binary.BigEndian.Uint16(id[:])
	m.RecursionDesired = true
	if edns {
		m.SetEdns0(udpSize, false)
	}
	return m
}

// talkUDP hears datagrams until one is the answer.
func talkUDP(conn net.Conn, asked *dns.Msg, packed []byte) (*dns.Msg, error) {
	if _, err := conn.Write(packed); err != nil {
		return nil, err
	}
	buf := make([]byte, udpBuffer)
	for range maxWrong {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		m, ok := match(asked, buf[:n])
		if !ok {
			continue
		}
		if m.Truncated || !sameLetters(asked, m) {
			break
		}
		return m, nil
	}
	return nil, errTruncated
}

// errWrongAnswer is what a server gives that answers something else by TCP.
var errWrongAnswer = errors.New("answer to another question")

// talkTCP exchanges messages that have their length in front (RFC 1035 §4.2.2).
func talkTCP(conn net.Conn, asked *dns.Msg, packed []byte) (*dns.Msg, error) {
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...)
	if _, err := conn.Write(framed); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return nil, err
	}
	m, ok := match(asked, buf)
	if !ok || m.Truncated {
		return nil, errWrongAnswer
	}
	return m, nil
}

// match parses a message if it is an answer to what was asked. A server that did not
// understand may leave the question out.
func match(asked *dns.Msg, b []byte) (*dns.Msg, bool) {
	if len(b) < 12 || binary.BigEndian.Uint16(b) != asked.Id {
		return nil, false
	}
	m := new(dns.Msg)
	if err := m.Unpack(b); err != nil && !m.Truncated || !m.Response || m.Opcode != dns.OpcodeQuery {
		return nil, false
	}
	if len(m.Question) == 0 {
		return m, noEDNS[m.Rcode] && len(m.Answer) == 0
	}
	got, want := m.Question[0], asked.Question[0]
	return m, len(m.Question) == 1 && got.Qtype == want.Qtype && got.Qclass == want.Qclass && strings.EqualFold(got.Name, want.Name)
}

// sameLetters reports whether the answer has the question's letters as they were. They
// are all small unless Options.MixCase.
func sameLetters(asked, m *dns.Msg) bool {
	return len(m.Question) == 0 || m.Question[0].Name == asked.Question[0].Name
}
