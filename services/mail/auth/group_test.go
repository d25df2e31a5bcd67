package auth

import (
	"context"
	"net/netip"
	"testing"
)

// A trap is a resolver that nobody survives who asks it.
type trap struct{ Resolver }

// TestGroup makes sure that a panic comes to whoever has called Check.
func TestGroup(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	c := &Checker{Resolver: trap{}, ID: "mx.example.org"}
	c.Check(context.Background(), Source{IP: netip.MustParseAddr("192.0.2.1"), Helo: "a.example", MailFrom: "a@b.example"}, []byte("From: a@b.example\r\n\r\n"))
}
