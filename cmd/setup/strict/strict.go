// Package strict is the HTTP server for commands that are open to the world, and
// have unipi linked in anyway.
package strict

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/services/unipi"
)

// idleBelow is the memory, in bytes, with which connections that ask for nothing are soon too many:
// they are few then, and those of browsers would keep others out.
const (
	idleBelow = 64 << 20
	shortIdle = 5 * time.Second
)

// Server returns a setup.Server that holds against clients who are slow, confused or
// hostile: unipi.Server. hosts are handlers for some host names, in place of its own, over TLS
// alone: they may ask for passwords.
func Server(env libos.Env, hosts map[string]http.Handler) setup.Server {
	var limits unipi.Limits
	if env.Memory != 0 && env.Memory < idleBelow {
		limits.Idle = shortIdle
	}
	return func(ctx context.Context, config *tls.Config, l net.Listener, h http.Handler, log *slog.Logger) error {
		s := &unipi.Server{Handler: h, TLS: config, Limits: limits, Log: log}
		if config != nil {
			s.Hosts = hosts
		}
		return setup.Until(ctx, func() error { return s.Serve(l) }, s)
	}
}
