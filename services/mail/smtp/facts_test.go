package smtp

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"cairn/services/config"
	"cairn/services/mail/auth"
	"cairn/store/object"
)

// A zone is a DNS that knows these addresses and names of addresses.
type zone struct{ ip, ptr map[string]string }

func missing(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (z *zone) LookupTXT(_ context.Context, name string) ([]string, error) { return nil, missing(name) }
func (z *zone) LookupMX(_ context.Context, name string) ([]*net.MX, error) { return nil, missing(name) }
func (z *zone) LookupCNAME(_ context.Context, host string) (string, error) { return host + ".", nil }

func (z *zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if s, ok := z.ip[strings.TrimSuffix(host, ".")]; ok {
		return []netip.Addr{netip.MustParseAddr(s)}, nil
	}
	return nil, missing(host)
}

func (z *zone) LookupAddr(_ context.Context, addr string) ([]string, error) {
	if s, ok := z.ptr[addr]; ok {
		return []string{s + "."}, nil
	}
	return nil, missing(addr)
}

// TestClients has clients that the DNS knows in different ways.
func TestClients(t *testing.T) {
	h := open(t)
	check(t, h.mail.Config.EditMail(context.Background(), object.Signature{}, "Set block lists", func(m *config.Mail) error {
		m.DNSBL = []string{"list.example", "second.example"}
		return nil
	}))
	h.mail.Checker = &auth.Checker{ID: "mail.example.org", Resolver: &zone{
		ptr: map[string]string{"192.0.2.1": "good.example", "192.0.2.2": "bad.example", "192.0.2.3": "liar.example", "2001:db8::1": "six.example"},
		ip: map[string]string{
			"good.example": "192.0.2.1", "bad.example": "192.0.2.2", "liar.example": "192.0.2.1", "six.example": "2001:db8::1",
			"2.2.0.192.list.example":   "127.0.0.2",
			"1.2.0.192.list.example":   "127.255.255.254", // means that the list was asked wrongly
			"1.2.0.192.second.example": "203.0.113.1",     // an invented answer
			"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.second.example": "127.0.0.4",
		},
	}}
	w := newExchange()
	h.serve(w, Relay)
	for _, c := range []struct{ from, box, want string }{
		{"192.0.2.1", "INBOX", "(good.example [192.0.2.1])"},
		{"192.0.2.2", "Junk", "listed by list.example"},
		{"192.0.2.3", "INBOX", "([192.0.2.3])"},
		{"192.0.2.4", "INBOX", "([192.0.2.4])"},
		{"2001:db8::1", "Junk", "(six.example [IPv6:2001:db8::1])"},
	} {
		t.Run(c.from, func(t *testing.T) {
			before := len(h.got("alice", c.box))
			talk := w.dial(t, c.from)
			talk.want("220")
			talk.do("EHLO client.elsewhere.example", "250")
			talk.do("MAIL FROM:<bob@elsewhere.example>", "250")
			talk.do("RCPT TO:<alice@example.org>", "250")
			talk.do("DATA", "354")
			talk.send(letter + ".\r\n")
			talk.want("250")
			got := h.got("alice", c.box)
			if len(got) != before+1 || !strings.Contains(strings.ReplaceAll(got[before], "\r\n ", " "), c.want) {
				t.Errorf("got %q in %s, want one more, with %s", got, c.box, c.want)
			}
		})
	}
}

func TestReversed(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":        "1.2.0.192",
		"::ffff:192.0.2.1": "1.2.0.192",
		"2001:db8::1f":     "f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
	} {
		if got := reversed(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
