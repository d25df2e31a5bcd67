package dns_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"cairn/libos"
)

// dnsmasq starts Debian's name server on an address of loopback that is nobody else's,
// and returns it when it answers.
func dnsmasq(t *testing.T, records ...string) netip.AddrPort {
	t.Helper()
	path, err := exec.LookPath("dnsmasq")
	if err != nil {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatal("dnsmasq is not installed: apt-get install dnsmasq-base")
		}
		t.Skip("dnsmasq is not installed: the resolver goes without its judge")
	}
	addr := netip.AddrFrom4([4]byte{127, byte(rand.IntN(250) + 2), byte(rand.IntN(256)), byte(rand.IntN(254) + 1)})
	server := netip.AddrPortFrom(addr, 15353)
	args := append([]string{
		"--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--no-daemon", "--pid-file=",
		"--bind-interfaces", fmt.Sprintf("--listen-address=%v", addr), fmt.Sprintf("--port=%d", server.Port()),
		"--local-ttl=300", "--neg-ttl=60", "--local=/example/", "--local=/2.0.192.in-addr.arpa/",
	}, records...)
	var log bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("dnsmasq: %s", log.String())
		}
	})
	for start := time.Now(); time.Since(start) < time.Minute; {
		if found, err := ask(server).LookupNetIP(t.Context(), "ip4", "www.example"); err == nil && len(found) > 0 {
			return server
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("dnsmasq does not answer: %s", log.String())
	return server
}

// TestAgainstDnsmasq asks a real server, and expects what the standard library hears from it.
func TestAgainstDnsmasq(t *testing.T) {
	records := []string{
		"--host-record=www.example,192.0.2.1,2001:db8::1",
		"--host-record=four.example,192.0.2.4",
		"--cname=alias.example,hop.example", "--cname=hop.example,www.example",
		"--mx-host=example,mx1.example,10", "--mx-host=example,mx2.example,20",
		`--txt-record=example,v=spf1 -all`, `--txt-record=long.example,` + strings.Repeat("x", 200) + `,` + strings.Repeat("y", 200),
		"--srv-host=_imaps._tcp.example,imap.example,993,10,0", "--srv-host=_imaps._tcp.example,first.example,993,5,0",
		"--ptr-record=7.2.0.192.in-addr.arpa,seven.example",
	}
	for i := range 100 { // more than fits a datagram
		records = append(records, fmt.Sprintf("--host-record=many.example,10.0.0.%d", i))
	}
	server := dnsmasq(t, records...)
	ours, theirs := libos.Resolver(ask(server)), libos.Resolver(system(server))
	ctx := t.Context()
	hosts := []string{"www.example", "WWW.EXAMPLE.", "four.example", "alias.example", "hop.example", "many.example", "nobody.example", "example",
		"long.example", "_imaps._tcp.example", "192.0.2.7", "192.0.2.1", "192.0.2.8"}
	for _, host := range hosts {
		for range 2 { // the second time from memory
			for _, network := range []string{"ip", "ip4", "ip6"} {
				if network == "ip6" && net.ParseIP(host) != nil {
					continue // which the standard library refuses in other words
				}
				same(t, network+" of "+host, func(r libos.Resolver) (any, error) {
					all, err := r.LookupNetIP(ctx, network, host)
					return texts(all), err
				}, ours, theirs)
			}
			same(t, "CNAME of "+host, func(r libos.Resolver) (any, error) {
				if net.ParseIP(host) != nil || host == "alias.example" {
					return "", nil // of an address the standard library says that it is its own name, of two aliases now the one, now the other
				}
				name, err := r.LookupCNAME(ctx, host)
				return strings.ToLower(name), err
			}, ours, theirs)
			same(t, "MX of "+host, func(r libos.Resolver) (any, error) {
				all, err := r.LookupMX(ctx, host)
				var s []string
				for _, m := range all {
					s = append(s, fmt.Sprint(*m))
				}
				return s, err
			}, ours, theirs)
			same(t, "TXT of "+host, func(r libos.Resolver) (any, error) {
				all, err := r.LookupTXT(ctx, host)
				return sorted(all), err
			}, ours, theirs)
			same(t, "SRV of "+host, func(r libos.Resolver) (any, error) {
				_, all, err := r.LookupSRV(ctx, "", "", host)
				var s []string
				for _, m := range all {
					s = append(s, fmt.Sprint(*m))
				}
				return s, err
			}, ours, theirs)
			if net.ParseIP(host) != nil {
				same(t, "names of "+host, func(r libos.Resolver) (any, error) {
					all, err := r.LookupAddr(ctx, host)
					return sorted(all), err
				}, ours, theirs)
			}
		}
	}
	if all, _ := ours.LookupNetIP(ctx, "ip4", "many.example"); len(all) != 100 || !slices.Contains(texts(all), "10.0.0.99") {
		t.Errorf("many.example has %d addresses, want 100", len(all))
	}
}

// same asks both resolvers and compares what they say, and whether they say that there is nothing.
func same(t *testing.T, what string, lookup func(libos.Resolver) (any, error), ours, theirs libos.Resolver) {
	t.Helper()
	got, err := lookup(ours)
	want, wantErr := lookup(theirs)
	if !reflect.DeepEqual(got, want) || absent(err) != absent(wantErr) || (err == nil) != (wantErr == nil) {
		t.Errorf("%s: %v, %v, want %v, %v", what, got, err, want, wantErr)
	}
}

func absent(err error) bool {
	var e *net.DNSError
	return errors.As(err, &e) && e.IsNotFound
}
