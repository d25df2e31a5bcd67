// Package dhcp leases an IPv4 address for a network card and keeps it: the
// client of RFC 2131, with the options of RFC 2132 and RFC 3442.
//
//	c := dhcp.Client{MAC: mac, Send: send, Messages: messages, Apply: apply}
//	c.Run(ctx) // until ctx ends; then the address is given back
//
// Run asks for an address, takes the first offer, renews the lease with its
// server at T1, asks every server at T2, drops the address when the lease is over or a
// server says that it is not ours (NAK), and begins again. It knows nothing of sockets: Send and
// Messages carry messages from and to port 68.
//
// # Caveats
//
// Nothing is remembered from one Run to the next (§3.2, INIT-REBOOT): a server knows
// the card by its address and gives it the same IP address as before. The first message is
// not delayed (§4.4.1 has 1 to 10 seconds, for buildings full of machines after a power cut).
package dhcp
