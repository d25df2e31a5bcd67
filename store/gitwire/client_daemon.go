package gitwire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
)

// newDaemonTransport speaks git's own protocol (gitprotocol-pack, "Git Transport"):
// a connection for each conversation, without any secrecy or proof of who is who.
func newDaemonTransport(c *Client, u *url.URL) (*streamTransport, error) {
	if c.Dial == nil {
		return nil, errors.New("URLs of scheme git are not allowed here")
	}
	dial := func(ctx context.Context, service string) (*stream, error) {
		conn, err := c.Dial(ctx, "tcp", address(u))
		if err != nil {
			return nil, dialError(ctx, err)
		}
		hello := newPktWriter(conn)
		version := ""
		if service == fetchService {
			version = "\x00version=2\x00"
		}
		hello.linef("%s %s\x00host=%s\x00%s", service, u.Path, u.Host, version)
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		err = hello.send()
		stop()
		if err != nil {
			conn.Close()
			return nil, dialError(ctx, fmt.Errorf("ask for %s: %w", service, err))
		}
		return greet(ctx, conn, func() string { return "" }, service, c.stall())
	}
	return newStreamTransport(c, dial, func() {}), nil
}

// dialError is what an error of connecting means.
func dialError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return err
	}
	return away(err)
}
