package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"cairn/net/certs"
	"cairn/net/dns"
	"cairn/net/host"
	"cairn/services/mail/domain"
)

type domainCheck struct {
	domainFlags
	Name string `arg:""`

	DNS     []string `name:"dns" placeholder:"ADDR[:PORT]" help:"Who resolves names, in place of whom this machine asks."`
	List    []string `placeholder:"NAME" default:"zen.spamhaus.org,bl.spamcop.net,psbl.surriel.com" help:"Block lists to ask; none: --list=''."`
	Outward string   `placeholder:"HOST:PORT" default:"${outward}" help:"A server of mail to which port 25 has to be open."`
}

// errUnwell says that a check has found something, which was told already.
var errUnwell = errors.New("the domain is not yet set up as it should be")

func (c *domainCheck) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		s, err := c.setup(ctx, house, c.Name)
		if err != nil {
			return err
		}
		checker, err := c.checker()
		if err != nil {
			return err
		}
		bad := false
		for f := range checker.Check(ctx, s) {
			mark := map[domain.State]string{domain.OK: "ok ", domain.Missing: "no ", domain.Wrong: "bad", domain.Unknown: "?  "}[f.State]
			if f.Need == domain.May && f.State != domain.OK {
				mark = "-  " // nobody needs it
			}
			fmt.Fprintf(term.out, "%s  %s: %s\n", mark, f.What, f.Words)
			bad = bad || f.Need == domain.Must && (f.State == domain.Missing || f.State == domain.Wrong)
		}
		if bad {
			return errUnwell
		}
		return ctx.Err()
	})
}

func (c *domainCheck) checker() (*domain.Checker, error) {
	servers, err := resolvers(c.DNS)
	if err != nil {
		return nil, err
	}
	world := host.New(host.Options{DNS: servers})
	resolver := dns.New(dns.Options{
		Servers: func() []netip.AddrPort { return servers },
		Dial: func(ctx context.Context, network string, server netip.AddrPort) (net.Conn, error) {
			return world.Dial(ctx, network, server.String())
		},
	})
	lists := c.List
	if len(lists) == 1 && lists[0] == "" {
		lists = nil
	}
	return &domain.Checker{
		Query:   resolver.LookupRecords,
		Dial:    world.Dial,
		Client:  &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: world.Dial, TLSClientConfig: certs.ClientConfig(nil)}},
		Lists:   lists,
		Outward: c.Outward,
	}, nil
}

// resolvers are those that were named, or else the machine's.
func resolvers(said []string) (list []netip.AddrPort, err error) {
	if len(said) == 0 {
		if said, err = machineResolvers(); err != nil {
			return nil, err
		}
	}
	for _, text := range said {
		if a, err := netip.ParseAddr(text); err == nil {
			list = append(list, netip.AddrPortFrom(a, 53))
			continue
		}
		a, err := netip.ParseAddrPort(text)
		if err != nil {
			return nil, fmt.Errorf("--dns is an address such as 9.9.9.9 or 127.0.0.1:5353, not %q", text)
		}
		list = append(list, a)
	}
	return list, nil
}

// machineResolvers are the name servers in resolv.conf(5).
func machineResolvers() (list []string, err error) {
	f, err := os.Open("/etc/resolv.conf")
	if err != nil {
		return nil, fmt.Errorf("%w: say with --dns who resolves names", err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) >= 2 && words[0] == "nameserver" {
			list = append(list, words[1])
		}
	}
	if len(list) == 0 {
		return nil, errors.New("/etc/resolv.conf names no server: say with --dns who resolves names")
	}
	return list, nil
}
