package main

import (
	"fmt"
	"net"
	"net/netip"
)

// isLoopback reports whether only this machine can reach l.
func isLoopback(l net.Listener) bool {
	a, ok := l.Addr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

// friendly is the address of a listener as a person would type it: localhost
// for loopback, which browsers resolve by themselves together with all its
// subdomains.
func (p *process) friendly(l net.Listener) string {
	if isLoopback(l) {
		return fmt.Sprintf("localhost:%d", l.Addr().(*net.TCPAddr).Port)
	}
	return p.env.Address(l)
}

// urlHost is an address as it stands in a URL.
func urlHost(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}
