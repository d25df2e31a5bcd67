package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
)

// hostServers are the name servers that the host asks.
func hostServers() ([]netip.AddrPort, error) {
	text, err := readFile("/etc/resolv.conf")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("find the name servers: %w", err)
	}
	return parseResolvConf(string(text)), nil
}

// parseResolvConf returns the name servers of a resolv.conf(5), three at most; without any it is
// this machine, as resolv.conf(5) has it.
func parseResolvConf(text string) []netip.AddrPort {
	var servers []netip.AddrPort
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" || len(servers) == 3 {
			continue
		}
		if a, err := netip.ParseAddr(words[1]); err == nil {
			servers = append(servers, netip.AddrPortFrom(a, 53))
		}
	}
	if servers == nil {
		servers = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}
	}
	return servers
}
