package acme_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"cairn/libos"
	"cairn/net/acme"
	"cairn/net/certs"
)

// How a service gets its certificates. Until there is one from the authority,
// clients see the private one, whose fingerprint is logged.
func Example() {
	serve := func(ctx context.Context, network libos.Net, storage acme.Storage, log *slog.Logger) error {
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
		done := make(chan struct{})
		go func() { manager.Run(ctx); close(done) }()

		plain, err := network.Listen(ctx, "tcp", ":80")
		if err != nil {
			return err
		}
		go http.Serve(plain, manager.Handler(http.NotFoundHandler()))

		secure, err := network.Listen(ctx, "tcp", ":443")
		if err != nil {
			return err
		}
		server := &http.Server{TLSConfig: certs.Config(certs.Chain{manager, own}, "h2", "http/1.1")}
		err = server.ServeTLS(secure, "", "")
		<-done
		return err
	}
	fmt.Printf("%T\n", serve != nil)
	// Output: bool
}
