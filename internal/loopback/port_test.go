package loopback

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

func TestPort(t *testing.T) {
	p := Reserve(t)
	for range 3 {
		if c, err := net.Dial("tcp", p.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
			if err == nil {
				c.Close()
			}
			t.Errorf("nobody listens: got %v, want %v", err, syscall.ECONNREFUSED)
		}
		l, err := p.Listen()
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		// What is left of a connection does not keep the port from its owner.
		far.Close()
		c.Close()
		l.Close()
		if err := p.Quiet(); err != nil {
			t.Error(err)
		}
	}
}

// TestNobodyElse asks for more ports than there may be in use elsewhere.
func TestNobodyElse(t *testing.T) {
	p := Reserve(t)
	for range 2000 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Skip(err)
		}
		defer l.Close()
		if l.Addr().String() == p.Addr() {
			t.Fatalf("%s was handed to somebody else", p.Addr())
		}
	}
}
