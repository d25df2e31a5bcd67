package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"cairn/services/mail/queue/client"
	"cairn/services/mail/queue/sts"
)

const dialTime = 30 * time.Second

// A hop is a host that may be connected to, and what is asked of the connection.
type hop struct {
	host     string // its name
	port     int
	implicit bool   // TLS from the beginning
	secure   bool   // TLS, with a certificate for the name, or nothing
	relay    *Relay // nil for a domain's own host
}

// connect finds somebody who takes mail for a domain. An error is an *answer.
func (w *worker) connect(ctx context.Context, domain string) error {
	hops, err := w.hops(ctx, domain)
	if err != nil {
		return err
	}
	last, final := answer{}, true
	for _, h := range hops {
		err := w.reach(ctx, h)
		if err == nil {
			return nil
		}
		last = asAnswer(err)
		final = final && last.final
		w.q.o.Log.Debug("queue: no connection", "domain", domain, "host", h.host, "error", last.Text)
		if ctx.Err() != nil {
			break
		}
	}
	last.final = final // one who may come back is enough to go on
	if !final && last.status[0] == '5' {
		last.status = "4.4.1"
	}
	return &last
}

// hops returns whom to try, in order.
func (w *worker) hops(ctx context.Context, domain string) ([]hop, error) {
	if r := w.to.relay; r != nil {
		return []hop{{host: r.Host, port: r.Port, implicit: r.Implicit, secure: true, relay: r}}, nil
	}
	names, err := w.q.hosts(ctx, domain)
	if err != nil {
		return nil, err
	}
	var policy sts.Policy
	if hostname(domain) {
		policy = w.q.policies.Policy(ctx, domain)
	}
	var hops []hop
	for _, name := range names {
		if policy.Mode == sts.Enforce && !policy.Match(name) {
			continue
		}
		hops = append(hops, hop{host: name, port: 25, secure: policy.Mode == sts.Enforce})
	}
	if len(hops) == 0 {
		return nil, &answer{status: "4.7.5", Text: fmt.Sprintf("none of the hosts in the MX records of %s is named in its MTA-STS policy (RFC 8461)", domain)}
	}
	return hops, nil
}

// reach connects to a host at one of its addresses.
func (w *worker) reach(ctx context.Context, h hop) error {
	addrs, err := w.q.addresses(ctx, h)
	if err != nil {
		return err
	}
	for _, a := range addrs {
		at := net.JoinHostPort(a.String(), strconv.Itoa(h.port))
		if err = w.open(ctx, h, at, true); errors.Is(err, errBadTLS) && !h.secure {
			err = w.open(ctx, h, at, false) // which is better than not at all (RFC 7435)
		}
		if err == nil {
			return nil
		}
		w.hangUp()
		if ctx.Err() != nil {
			break
		}
	}
	if _, ok := errors.AsType[*answer](err); ok {
		return err
	}
	a := unreachable("4.4.1", h.host, err)
	return &a
}

// errBadTLS is a TLS handshake that went wrong.
var errBadTLS = errors.New("TLS cannot be agreed on")

// open makes a connection and comes as far as the first message.
func (w *worker) open(ctx context.Context, h hop, at string, mayTLS bool) error {
	dial, cancel := context.WithTimeout(ctx, dialTime)
	nc, err := w.q.o.Dial(dial, "tcp", at)
	cancel()
	if err != nil {
		return err
	}
	w.conn, w.host, w.secure, w.used = client.New(nc), h.host, h.secure, 0
	w.drop = func() { nc.Close() }
	w.closer = context.AfterFunc(ctx, w.drop)
	if h.implicit {
		if err := w.conn.Handshake(ctx, w.q.tlsConfig(h)); err != nil {
			return w.insecure(h, err)
		}
	}
	if err := w.conn.Greet(); err != nil {
		return err
	}
	if err := w.conn.Hello(w.q.o.Hostname()); err != nil {
		return err
	}
	if mayTLS && !h.implicit {
		if err := w.startTLS(ctx, h); err != nil {
			return err
		}
	}
	if h.secure && w.conn.TLS() == nil {
		return w.insecure(h, errors.New("it does not offer TLS"))
	}
	if h.relay != nil {
		return w.login(h.relay)
	}
	return nil
}

// startTLS turns to TLS where it is offered.
func (w *worker) startTLS(ctx context.Context, h hop) error {
	if _, ok := w.conn.Has("STARTTLS"); !ok {
		return nil
	}
	err := w.conn.StartTLS(ctx, w.q.tlsConfig(h))
	if no, ok := errors.AsType[*client.Reply](err); ok && no.Code != 421 {
		return nil // it has changed its mind; whether that will do is seen to after this
	}
	switch {
	case err != nil && h.secure:
		return w.insecure(h, err)
	case err != nil:
		w.hangUp()
		return fmt.Errorf("%w: %w", errBadTLS, err)
	}
	return w.conn.Hello(w.q.o.Hostname())
}

// guard has the connection closed when ctx ends, as it was before commit.
func (w *worker) guard(ctx context.Context) {
	w.closer()
	w.closer = context.AfterFunc(ctx, w.drop)
}

// quit ends a connection over which all was said, if there is one.
func (w *worker) quit() {
	if w.conn == nil {
		return
	}
	w.conn.Quit()
	w.hangUp()
}

// hangUp closes the connection, if there is one.
func (w *worker) hangUp() {
	if w.conn == nil {
		return
	}
	w.closer()
	w.conn.Close()
	w.conn = nil
}

// has is client.Conn.Has, also when there is no connection any more.
func (w *worker) has(extension string) (string, bool) {
	if w.conn == nil {
		return "", false
	}
	return w.conn.Has(extension)
}
