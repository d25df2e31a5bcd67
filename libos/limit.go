package libos

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// Limits name what a Net may be used for. The zero value allows nothing.
type Limits struct {
	// Listen has patterns network:port, for every address: "tcp:443", "udp:53",
	// "tcp:*". A network stands for both of its families. Port 0 is one that the
	// system chooses.
	Listen []string

	// Dial has patterns host:port, for every network: "git.example.org:443",
	// "*.example.org:25" (all that ends so, but not example.org itself), "192.0.2.1:53",
	// "[2001:db8::1]:53", "10.0.0.0/8:443", "[2001:db8::/32]:443". "*" stands for any host,
	// name or address, or for any port; alone, for both.
	Dial []string
}

// A RefusedError says that something is not in the manifest.
type RefusedError struct {
	Kind string // "port" to listen on or "peer" to dial
	Want string // the pattern of Limits that would allow it: "tcp:443", "git.example.org:443"
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("not in the manifest: it would have to name the %s %q", e.Kind, e.Want)
}

// Limit returns n, limited to l. What l does not name gives a *net.OpError around a
// *RefusedError and reaches nothing.
//
// A name that is allowed may have any addresses: they are reached through Dial of that
// name and in no other way. An address is allowed by a pattern of addresses, or "*",
// never because a name has it. The Resolver answers when some name may be dialled;
// otherwise its lookups give a *net.DNSError around a *RefusedError.
//
// A PacketConn of ListenPacket answers to whoever it likes: to allow a UDP port
// under Listen is to allow sending from it.
//
// A pattern that is not one is an error that every use returns; Check finds it early.
func Limit(n Net, l Limits) Net {
	r, err := parseLimits(l)
	return &limited{net: n, rules: r, broken: err}
}

// Check says what is wrong with the patterns of l.
func (l Limits) Check() error {
	_, err := parseLimits(l)
	return err
}

// limited is a Net that refuses.
type limited struct {
	net    Net
	rules  rules
	broken error // of the patterns
}

func (n *limited) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := n.mayDial(network, address); err != nil {
		return nil, opError("dial", network, address, err)
	}
	return n.net.Dial(ctx, network, address)
}

func (n *limited) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	if err := n.mayListen(network, address); err != nil {
		return nil, opError("listen", network, address, err)
	}
	return n.net.Listen(ctx, network, address)
}

func (n *limited) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	if err := n.mayListen(network, address); err != nil {
		return nil, opError("listen", network, address, err)
	}
	return n.net.ListenPacket(ctx, network, address)
}

func (n *limited) Resolver() Resolver {
	switch {
	case n.broken != nil:
		return mute{n.broken}
	case !n.rules.names():
		return mute{}
	}
	return n.net.Resolver()
}

func (n *limited) mayDial(network, address string) error {
	_, host, port, err := n.split(network, address)
	if err != nil {
		return err
	}
	if !n.rules.dial(host, port) {
		return &RefusedError{Kind: "peer", Want: net.JoinHostPort(host, port)}
	}
	return nil
}

func (n *limited) mayListen(network, address string) error {
	transport, _, port, err := n.split(network, address)
	if err != nil {
		return err
	}
	if !n.rules.listen(transport, port) {
		return &RefusedError{Kind: "port", Want: transport + ":" + port}
	}
	return nil
}

// split takes apart what the rules look at. Networks that they know nothing of are
// unknown here, whatever the Net below knows.
func (n *limited) split(network, address string) (transport, host, port string, err error) {
	if n.broken != nil {
		return "", "", "", n.broken
	}
	if transport, err = transportOf(network); err != nil {
		return "", "", "", err
	}
	host, port, err = splitPort(address)
	return transport, host, port, err
}

// splitPort takes an address apart. A port has to be a number: what a name of one
// means is the system's to say, and might be changed between here and there.
func splitPort(address string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(address)
	if err != nil {
		return "", "", err
	}
	if port == "" {
		return host, "0", nil
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", "", &net.AddrError{Err: "the port is not a number up to 65535", Addr: address}
	}
	return host, strconv.FormatUint(number, 10), nil
}

// A place is where a refused operation led, as a net.Addr.
type place struct{ network, address string }

func (p place) Network() string { return p.network }
func (p place) String() string  { return p.address }

func opError(op, network, address string, err error) error {
	return &net.OpError{Op: op, Net: network, Addr: place{network, address}, Err: err}
}

// mute is a Resolver that answers nothing, because the patterns are broken or because no
// name may be dialled.
type mute struct{ broken error }

func (m mute) refuse(name string) error {
	err := m.broken
	if err == nil {
		err = &RefusedError{Kind: "peer", Want: net.JoinHostPort(name, "*")}
	}
	return &net.DNSError{UnwrapErr: err, Err: err.Error(), Name: name}
}

func (m mute) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, m.refuse(host)
}

func (m mute) LookupCNAME(_ context.Context, host string) (string, error) { return "", m.refuse(host) }

func (m mute) LookupMX(_ context.Context, name string) ([]*net.MX, error) { return nil, m.refuse(name) }

func (m mute) LookupTXT(_ context.Context, name string) ([]string, error) { return nil, m.refuse(name) }

func (m mute) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	return "", nil, m.refuse(name)
}

func (m mute) LookupAddr(_ context.Context, addr string) ([]string, error) {
	return nil, m.refuse(addr)
}
