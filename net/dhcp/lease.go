package dhcp

import (
	"bytes"
	"math"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// A Lease is an address and what a server says of the network around it.
type Lease struct {
	Addr   netip.Prefix // with the length of its network
	Server netip.Addr

	Routes []Route      // where other networks are, the rest of the world among them
	DNS    []netip.Addr // at most maxListed
	MTU    int          // of the link, in bytes; 0: not told

	// Counted from when the lease was given.
	Renew, Rebind, Expire time.Duration
}

// A Route says who forwards to a network. Without a gateway it is on the link.
type Route struct {
	To      netip.Prefix
	Gateway netip.Addr
}

// Forever is the Expire of a lease that does not end (RFC 2131 §3.3).
const Forever = time.Duration(math.MaxInt64)

const (
	maxListed  = 16              // of routes and name servers that a reply may name
	leastLease = 4 * time.Second // a shorter one is ignored
	leastMTU   = 576             // RFC 791: what every link carries
)

// valid reports whether there is enough in a reply to use it.
func (l *Lease) valid() bool {
	a := l.Addr.Addr()
	return a.Is4() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && a != everybody &&
		l.Server.Is4() && !l.Server.IsUnspecified() && l.Expire >= leastLease
}

// A reply is what a server has said.
type reply struct {
	kind  dhcpv4.MessageType
	lease Lease
	at    time.Time // when it came
}

// answer reads a message that came at that time. nil: it is no answer to m.
func answer(m *dhcpv4.DHCPv4, b []byte, at time.Time) *reply {
	p, err := dhcpv4.FromBytes(b)
	if err != nil || p.OpCode != dhcpv4.OpcodeBootReply || p.TransactionID != m.TransactionID || !bytes.Equal(p.ClientHWAddr, m.ClientHWAddr) {
		return nil
	}
	server := addr(p.ServerIdentifier())
	if asked := addr(m.ServerIdentifier()); asked.IsValid() && asked != server {
		return nil
	}
	r := &reply{kind: p.MessageType(), at: at}
	r.lease = Lease{
		Addr:   netip.PrefixFrom(addr(p.YourIPAddr), prefixLength(p)),
		Server: server,
		Routes: routes(p),
		DNS:    addrs(p.DNS()),
		MTU:    mtu(p),
	}
	r.lease.setTimes(p)
	return r
}

// setTimes reads the three times. Those that make no sense are as in §4.4.5.
func (l *Lease) setTimes(p *dhcpv4.DHCPv4) {
	l.Expire = p.IPAddressLeaseTime(0)
	if l.Expire >= math.MaxUint32*time.Second {
		l.Expire = Forever
		return
	}
	l.Renew, l.Rebind = p.IPAddressRenewalTime(0), p.IPAddressRebindingTime(0)
	if l.Rebind <= 0 || l.Rebind >= l.Expire {
		l.Rebind = l.Expire / 8 * 7
	}
	if l.Renew <= 0 || l.Renew > l.Rebind {
		l.Renew = min(l.Expire/2, l.Rebind)
	}
}

// prefixLength is told by the subnet mask, or else by the address's class.
func prefixLength(p *dhcpv4.DHCPv4) int {
	if mask := p.SubnetMask(); len(mask) == net.IPv4len {
		if ones, bits := mask.Size(); bits == 32 && ones > 0 {
			return ones
		}
	}
	ones, _ := p.YourIPAddr.DefaultMask().Size()
	return ones
}

// routes are the classless ones, or else the routers (RFC 3442).
func routes(p *dhcpv4.DHCPv4) (list []Route) {
	classless := p.ClasslessStaticRoute()
	for _, r := range classless {
		if r == nil || r.Dest == nil || len(list) == maxListed {
			continue
		}
		ones, _ := r.Dest.Mask.Size()
		route := Route{To: netip.PrefixFrom(addr(r.Dest.IP), ones).Masked(), Gateway: addr(r.Router)}
		if route.Gateway.IsUnspecified() {
			route.Gateway = netip.Addr{}
		}
		if route.To.IsValid() {
			list = append(list, route)
		}
	}
	if len(classless) > 0 {
		return list
	}
	for _, a := range addrs(p.Router()) {
		list = append(list, Route{To: netip.PrefixFrom(nobody, 0), Gateway: a})
	}
	return list
}

func mtu(p *dhcpv4.DHCPv4) int {
	n, err := dhcpv4.GetUint16(dhcpv4.OptionInterfaceMTU, p.Options)
	if err != nil || n < leastMTU {
		return 0
	}
	return int(n)
}

func addr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// addrs keeps those that can be reached.
func addrs(ips []net.IP) (list []netip.Addr) {
	for _, ip := range ips {
		if a := addr(ip); a.Is4() && !a.IsUnspecified() && !a.IsMulticast() && len(list) < maxListed {
			list = append(list, a)
		}
	}
	return list
}
