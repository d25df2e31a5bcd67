package acme

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"github.com/miekg/dns"

	"cairn/libos"
)

// DNS01 is how TXT records are set: by dynamic updates (RFC 2136) over TCP to the
// primary server of the zones that the names are in, signed with a key that it
// shares (TSIG, RFC 8945).
type DNS01 struct {
	// Server is the primary's address, host:port.
	Server string
	// Key is the name of the key, and Secret the key in base64, as in the server's
	// configuration.
	Key, Secret string
	// Algorithm is "hmac-sha256", which empty means, "hmac-sha384", "hmac-sha512",
	// "hmac-sha224" or "hmac-sha1".
	Algorithm string
	// Visible are the addresses of the servers that the world asks, host:port. The
	// authority is told to look when all of them have the record, or after two
	// minutes. None means Server.
	Visible []string
}

var algorithms = []string{dns.HmacSHA256, dns.HmacSHA384, dns.HmacSHA512, dns.HmacSHA224, dns.HmacSHA1}

func (d *DNS01) check() error {
	for _, addr := range append([]string{d.Server}, d.Visible...) {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("DNS server %q: %w", addr, err)
		}
	}
	if _, ok := dns.IsDomainName(d.Key); !ok || d.Key == "" {
		return fmt.Errorf("DNS update key %q: %w: it has a domain name", d.Key, fs.ErrInvalid)
	}
	if secret, err := base64.StdEncoding.DecodeString(d.Secret); err != nil || len(secret) == 0 {
		return fmt.Errorf("DNS update key %q: %w: its secret is in base64", d.Key, fs.ErrInvalid)
	}
	if !slices.Contains(algorithms, d.algorithm()) {
		return fmt.Errorf("DNS update key %q: %w: algorithm %q is not known", d.Key, fs.ErrInvalid, d.Algorithm)
	}
	return nil
}

func (d *DNS01) algorithm() string {
	if d.Algorithm == "" {
		return dns.HmacSHA256
	}
	return dns.CanonicalName(d.Algorithm)
}

// dnsSolver solves DNS-01 challenges (RFC 8555 §8.4).
type dnsSolver struct {
	conf *DNS01
	net  libos.Net
	log  *slog.Logger
}

const (
	dnsTime    = 20 * time.Second // for one exchange
	dnsVisible = 2 * time.Minute
	dnsTTL     = 60 // seconds
)

// Present implements acmez.Solver.
func (s *dnsSolver) Present(ctx context.Context, ch acme.Challenge) error {
	return s.update(ctx, ch, (*dns.Msg).Insert)
}

// CleanUp implements acmez.Solver. It removes only the record of this challenge: the
// same name may have others (RFC 8555 §8.4).
func (s *dnsSolver) CleanUp(ctx context.Context, ch acme.Challenge) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	return s.update(ctx, ch, (*dns.Msg).Remove)
}

func (s *dnsSolver) update(ctx context.Context, ch acme.Challenge, change func(*dns.Msg, []dns.RR)) error {
	zone, err := s.zone(ctx, recordName(ch))
	if err != nil {
		return err
	}
	m := new(dns.Msg)
	m.SetUpdate(zone)
	change(m, []dns.RR{record(ch)})
	if _, err := s.exchange(ctx, s.conf.Server, m, true); err != nil {
		return fmt.Errorf("update of zone %s: %w", zone, err)
	}
	return nil
}

func recordName(ch acme.Challenge) string {
	return dns.CanonicalName("_acme-challenge." + strings.TrimPrefix(ch.Identifier.Value, "*."))
}

func record(ch acme.Challenge) *dns.TXT {
	return &dns.TXT{
		Hdr: dns.RR_Header{Name: recordName(ch), Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: dnsTTL},
		Txt: []string{ch.DNS01KeyAuthorization()},
	}
}

// zone returns the zone of the server that name is in: the first of its parents
// that has a SOA record (RFC 1035 §4.3.4).
func (s *dnsSolver) zone(ctx context.Context, name string) (string, error) {
	for _, i := range dns.Split(name) {
		m := new(dns.Msg)
		m.SetQuestion(name[i:], dns.TypeSOA)
		answer, err := s.exchange(ctx, s.conf.Server, m, true)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("find the zone of %s: %w", name, err)
		}
		for _, rr := range answer.Answer {
			if rr, ok := rr.(*dns.SOA); ok && dns.CanonicalName(rr.Hdr.Name) == name[i:] {
				return name[i:], nil
			}
		}
	}
	return "", fmt.Errorf("find the zone of %s: server %s has none: %w", name, s.conf.Server, fs.ErrNotExist)
}

// Wait implements acmez.Waiter.
func (s *dnsSolver) Wait(ctx context.Context, ch acme.Challenge) error {
	servers := s.conf.Visible
	if len(servers) == 0 {
		servers = []string{s.conf.Server}
	}
	deadline := time.Now().Add(dnsVisible)
	for _, server := range servers {
		for {
			ok, err := s.visible(ctx, server, ch)
			if ok {
				break
			}
			if time.Now().After(deadline) {
				s.log.Warn("the record of a challenge is not visible yet", "record", recordName(ch), "server", server, "err", err)
				return nil
			}
			if err := sleep(ctx, time.Second); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *dnsSolver) visible(ctx context.Context, server string, ch acme.Challenge) (bool, error) {
	m := new(dns.Msg)
	m.SetQuestion(recordName(ch), dns.TypeTXT)
	answer, err := s.exchange(ctx, server, m, false)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(answer.Answer, func(rr dns.RR) bool {
		txt, ok := rr.(*dns.TXT)
		return ok && strings.Join(txt.Txt, "") == ch.DNS01KeyAuthorization()
	}), nil
}

// errUnsigned says that an answer to a signed message is not signed: anybody may
// have sent it (RFC 8945 §5.3).
var errUnsigned = errors.New("the answer is not signed")

// exchange sends m to a server and returns its answer. An answer that the name
// does not exist, or is in no zone of the server's, is fs.ErrNotExist; any other
// that is not a success is an error too.
func (s *dnsSolver) exchange(ctx context.Context, server string, m *dns.Msg, signed bool) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, dnsTime)
	defer cancel()
	raw, err := s.net.Dial(ctx, "tcp", server)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })()
	conn := &dns.Conn{Conn: raw}
	if signed {
		key := dns.CanonicalName(s.conf.Key)
		conn.TsigSecret = map[string]string{key: s.conf.Secret}
		m.SetTsig(key, s.conf.algorithm(), 300, time.Now().Unix())
	}
	if err := conn.WriteMsg(m); err != nil {
		return nil, fmt.Errorf("DNS server %s: %w", server, err)
	}
	answer, err := conn.ReadMsg()
	if answer == nil {
		return nil, fmt.Errorf("DNS server %s: %w", server, err)
	}
	if err = judge(m, answer, signed, err); err != nil {
		return nil, fmt.Errorf("DNS server %s: %w", server, err)
	}
	return answer, nil
}

// judge returns what is wrong with an answer to m, the reading of which ended
// with err.
func judge(m, answer *dns.Msg, signed bool, err error) error {
	switch tsig := answer.IsTsig(); {
	case answer.Id != m.Id || !answer.Response:
		return errors.New("an answer to another question")
	case signed && tsig != nil && tsig.Error != dns.RcodeSuccess:
		return fmt.Errorf("the update key is not accepted: %s", dns.RcodeToString[int(tsig.Error)])
	case err != nil:
		return err
	case signed && tsig == nil:
		return fmt.Errorf("%w (%s)", errUnsigned, dns.RcodeToString[answer.Rcode])
	case answer.Rcode == dns.RcodeNameError, answer.Rcode == dns.RcodeNotZone, answer.Rcode == dns.RcodeNotAuth:
		return fmt.Errorf("%s: %w", dns.RcodeToString[answer.Rcode], fs.ErrNotExist)
	case answer.Rcode != dns.RcodeSuccess:
		return errors.New(dns.RcodeToString[answer.Rcode])
	}
	return nil
}
