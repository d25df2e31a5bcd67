package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// The ports that `cairn up` tries when none are given.
const (
	defaultHTTP = "127.0.0.1:8080"
	defaultGit  = "127.0.0.1:8081"
	defaultSSH  = "127.0.0.1:8022"
)

// listen opens address, or preferred where none is given; when that one is taken,
// any free port of the same host.
func listen(address, preferred string) (net.Listener, error) {
	if address != "" {
		return net.Listen("tcp", address)
	}
	l, err := net.Listen("tcp", preferred)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, splitErr := net.SplitHostPort(preferred)
		if splitErr != nil {
			return nil, splitErr
		}
		return net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	return l, err
}

// isLoopback reports whether only this machine can reach l.
func isLoopback(l net.Listener) bool {
	a, ok := l.Addr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

// friendly is the address of a listener as a person would type it: localhost
// for loopback, which browsers resolve by themselves together with all its
// subdomains.
func friendly(l net.Listener) string {
	if isLoopback(l) {
		return fmt.Sprintf("localhost:%d", l.Addr().(*net.TCPAddr).Port)
	}
	return l.Addr().String()
}
