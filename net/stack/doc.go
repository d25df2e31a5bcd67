// Package stack is a libos.Net made from a libos.Link: TCP/IP inside the
// process, on gVisor's netstack.
//
//	s, err := stack.New(link, stack.Options{DHCP: true, SLAAC: true})
//	…
//	defer s.Close()
//	err = s.Wait(ctx) // until it has its addresses
//
// It speaks Ethernet with ARP (RFC 826) and neighbour discovery (RFC 4861),
// IPv4 and IPv6, answers pings, and has TCP with selective acknowledgements,
// window scaling and path MTU discovery, and UDP. Addresses are given, leased
// (DHCPv4, package dhcp) or made from what routers announce (SLAAC, RFC 4862), name
// servers likewise (RFC 8106). 127.0.0.1 and ::1 are the stack itself.
//
// What it returns is used as what package net returns: connections are
// *Conn, with CloseRead, CloseWrite, ReadFrom and WriteTo as *net.TCPConn has
// them; addresses are *net.TCPAddr and *net.UDPAddr; errors are *net.OpError around an
// *os.SyscallError, net.ErrClosed or os.ErrDeadlineExceeded.
//
// # Bounds
//
// What strangers can have kept is bounded: 1,024 half-open connections a listener and as many
// that nobody has accepted, 512 neighbours, 4 MiB of fragments a family, ten each of routers and prefixes, 8,192
// connections in TIME-WAIT. A connection is as small as it can be while it is idle, and holds
// 256 KiB each way, in time up to 4 MiB, for a peer or a program that does not read. How many
// connections there are is up to whoever accepts them. With Options.Memory all this is
// less, and connections beyond what fits wait to be accepted.
//
// # Caveats
//
// A bubble of testing/synctest never becomes idle with a stack inside it: netstack
// waits in ways of its own. There is one network card per stack and no forwarding.
// A link-local address needs no zone to be dialled, and is shown with the zone "1".
package stack
