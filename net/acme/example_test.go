package acme_test

import (
	"context"
	"log/slog"
	"net/http"

	"cairn/libos"
	"cairn/net/acme"
	"cairn/net/certs"
)

// How a service gets its certificates, given a network and a folder of the
// secrets. Until there is one from the authority, clients see a private one,
// whose fingerprint is logged.
func Example() {
	serve := func(ctx context.Context, network libos.Net, storage acme.Storage, h http.Handler, log *slog.Logger) error {
		names := []string{"example.org", "lists.example.org"}
		own, err := certs.SelfSigned(names...)
		if err != nil {
			return err
		}
		log.Info("until there is a certificate", "fingerprint", certs.Fingerprint(own.Leaf()), "pin", certs.Pin(own.Leaf()))

		manager, err := acme.New(ctx, acme.Options{
			Net:       network,
			Names:     names,
			Storage:   storage,
			HTTP01:    true,
			TLSALPN01: true,
			Log:       log,
		})
		if err != nil {
			return err
		}
		plain, err := network.Listen(ctx, "tcp", ":80")
		if err != nil {
			return err
		}
		go http.Serve(plain, manager.Handler(h))

		secure, err := network.Listen(ctx, "tcp", ":443")
		if err != nil {
			return err
		}
		server := &http.Server{Handler: h, TLSConfig: certs.Config(certs.Chain{manager, own}, "h2", "http/1.1")}
		go server.ServeTLS(secure, "", "")

		manager.Run(ctx) // until ctx ends
		return server.Close()
	}
	_ = serve
}
