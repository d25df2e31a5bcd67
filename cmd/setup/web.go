package setup

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"cairn/libos"
)

// HTTPS is the port beside another one: with it, sites are served there over TLS
// and plain HTTP only leads there.
var HTTPS = libos.Port{Name: "https", Own: ":443", Help: "Where sites are served over TLS; the other port then only leads there. Without it TLS is spoken at that one."}

// A Web is where sites are served.
type Web struct {
	net.Listener              // of the sites
	plain        net.Listener // nil: no other port leads there
	tls          *TLS         // nil: none
	env          libos.Env
}

// ListenWeb opens the port of that name and, where there is TLS and one is wanted, HTTPS. tls
// may be nil.
func ListenWeb(ctx context.Context, env libos.Env, port string, tls *TLS) (*Web, error) {
	if tls == nil && env.Args.Given("https") {
		return nil, errors.New("--https needs a certificate: --tls-cert and --tls-key, --acme or --tls=seed")
	}
	l, err := env.Listen(ctx, port)
	if err != nil {
		return nil, err
	}
	w := &Web{Listener: l, tls: tls, env: env}
	if tls == nil || !env.Listens("https") {
		return w, nil
	}
	w.plain = l
	if w.Listener, err = env.Listen(ctx, "https"); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return w, nil
}

// Scheme is how URLs of the sites begin.
func (w *Web) Scheme() string {
	if w.tls != nil {
		return "https://"
	}
	return "http://"
}

// URL is the address of a host's sites, with a slash at its end.
func (w *Web) URL(host string) string {
	_, port, err := net.SplitHostPort(w.Addr().String())
	if err != nil {
		return ""
	}
	return w.Scheme() + withPort(host, port, w.tls != nil) + "/"
}

// withPort is host:port as it stands in a URL, without the port that its scheme
// has by itself.
func withPort(host, port string, tls bool) string {
	if !tls && port == "80" || tls && port == "443" {
		return host
	}
	return host + ":" + port
}

// Loopback reports whether only this machine can reach the sites.
func (w *Web) Loopback() bool { return Loopback(w.Listener) }

// Loopback reports whether only this machine can reach l.
func Loopback(l net.Listener) bool {
	at, err := netip.ParseAddrPort(l.Addr().String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// Everywhere reports whether l listens at all addresses of a machine, and nobody knows
// which they are.
func Everywhere(env libos.Env, l net.Listener) bool {
	at, err := netip.ParseAddrPort(env.Address(l))
	return err == nil && at.Addr().IsUnspecified()
}

// OwnHosts are the names in URLs of a machine on a network of its own: its addresses, and those of
// loopback, from where a port may be led to it. On the host's network they are none.
func OwnHosts(env libos.Env) []string {
	if len(env.Addrs) == 0 {
		return nil
	}
	names := []string{"localhost", "127.0.0.1", "[::1]"}
	for _, a := range env.Addrs {
		names = append(names, URLHost(a))
	}
	return names
}

// URLHost is an address as it stands in a URL.
func URLHost(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// Serve serves the sites by server until ctx ends.
func (w *Web) Serve(ctx context.Context, sites http.Handler, server Server) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	errs := make(chan error, 2)
	serve := func(t *TLS, l net.Listener, h http.Handler) {
		wg.Go(func() {
			defer cancel() // when one ends, both do
			errs <- server(ctx, t.ServerConfig(), l, h, w.env.Log)
		})
	}
	serve(w.tls, w.Listener, sites)
	if w.plain == nil {
		return <-errs
	}
	serve(nil, w.plain, w.tls.Challenge(w.lead()))
	return errors.Join(<-errs, <-errs)
}

// lead sends a reader to the same page over TLS.
func (w *Web) lead() http.Handler {
	_, port, err := net.SplitHostPort(w.Addr().String())
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		host := r.Host
		if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
			host = host[:i]
		}
		if err != nil || host == "" {
			http.Error(rw, "Say which host is meant.", http.StatusBadRequest)
			return
		}
		http.Redirect(rw, r, "https://"+withPort(host, port, true)+r.URL.RequestURI(), http.StatusPermanentRedirect)
	})
}
