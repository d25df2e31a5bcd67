// Package strict is the HTTP server for commands that are open to the world, and
// have unipi linked in anyway.
package strict

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"

	"cairn/cmd/setup"
	"cairn/services/unipi"
)

// Serve is a setup.Server that holds against clients who are slow, confused or
// hostile: unipi.Server.
func Serve(ctx context.Context, config *tls.Config, l net.Listener, h http.Handler, log *slog.Logger) error {
	return With(nil)(ctx, config, l, h, log)
}

// With is Serve with handlers for some host names, in place of h, over TLS alone: they
// may ask for passwords.
func With(hosts map[string]http.Handler) setup.Server {
	return func(ctx context.Context, config *tls.Config, l net.Listener, h http.Handler, log *slog.Logger) error {
		s := &unipi.Server{Handler: h, TLS: config, Log: log}
		if config != nil {
			s.Hosts = hosts
		}
		return setup.Until(ctx, func() error { return s.Serve(l) }, s)
	}
}
